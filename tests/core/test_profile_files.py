"""Profiles of one's own: TOML files, read as strictly as code, and one sentence for whatever is wrong in them."""

import dataclasses
from pathlib import Path

import pytest

from lsnotebook.core.profile_files import ProfileError, as_toml, on_command_line
from lsnotebook.layershuffle.profiles import DIGITS, IMAGENET, PROFILES, SMOKE, Study, profile_of

TEXT = as_toml(SMOKE)
LEAST = """
images = { name = "digits", classes = 10, selection = 60 }
backbone = { layers = 24, hidden_size = 32, heads = 4, image_size = 8, patch_size = 4, channels = 1 }
pretrain = { steps = 2, batch_size = 32, learning_rate = 1, check_every = 20 }
refine = { steps = 2, batch_size = 32, learning_rate = 1e-3, check_every = 20 }
"""


@pytest.fixture
def own(tmp_path):
    """Reads the profile of a text."""

    def read(text, name="own.toml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return profile_of(str(tmp_path / name))

    return read


def test_a_file_of_another_encoding_is_told_and_its_ending_may_be_in_capitals(tmp_path, own):
    assert own(LEAST, "OWN.TOML").name == "OWN.TOML"
    (tmp_path / "wide.toml").write_text(LEAST, encoding="utf-16")
    with pytest.raises(ProfileError, match=r"wide\.toml cannot be read \(it is no text in UTF-8\)"):
        profile_of(str(tmp_path / "wide.toml"))


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_printed_profile_reads_as_the_same(own, profile):
    assert own(as_toml(profile), f"{profile.name}.toml") == dataclasses.replace(profile, name=f"{profile.name}.toml")


def test_what_is_left_out_follows_the_network(own):
    profile = own(LEAST)
    assert isinstance(profile, Study) and profile.depths == (6, 12, 18) and profile.sources == 24
    assert profile.seeds == DIGITS.seeds and profile.backbone.mlp_size == IMAGENET.backbone.mlp_size
    assert own(LEAST.replace("layers = 24", "layers = 2")).depths == (1,)


def test_the_name_is_the_files_so_that_no_run_is_taken_for_one_of_the_book(own):
    assert own(TEXT, "digits.toml").name == "digits.toml"


@pytest.mark.parametrize(
    ("good", "bad", "sentence"),
    [
        ("steps = 40", "steps = -5", "refine.steps is -5; it should be greater than 0."),
        ("steps = 40", "steps = 10000000000", "refine.steps is 10000000000; it should be less than or equal to"),
        ("steps = 40", f"steps = 0x{'f' * 6000}", "a value that no profile takes"),
        ("hidden_size = 32", "hidden_size = 4000000000", "it should be less than or equal to 65536."),
        ("steps = 40", "steps = 40.0", "refine.steps is 40.0; it should be a valid integer."),
        ("steps = 40", "stepz = 40", "There is no key of [refine] 'stepz': take one of steps, batch_size, "),
        ("steps = 40", "stepz = 40", "did you mean 'steps'?"),
        ("steps = 40", "", "refine.steps is missing; `lsnotebook profile digits` prints"),
        ("[refine]", "[refin]", "There is no key 'refin': take one of images, "),
        ("seeds = 2", "seed = 2", "did you mean 'seeds'?"),
        ("seeds = 2", "name = 'smoke'", "There is no key 'name'"),
        ("[machine]", "[machine", "own.toml cannot be read (Expected ']'"),
        ("[machine]", "machine = 3\n[images2]", "There is no key of [pretrain] 'machine'"),
        ("seeds = 2", "machine = 3\nimages = 'x'", "own.toml cannot be read (Cannot"),
        ("batch_size = 32", "batch_size = 0", "batch_size is 0; it should be greater than 0."),
        ("check_every = 20", "check_every = 0", "check_every is 0; it should be greater than 0."),
        ("learning_rate = 0.001", "learning_rate = 0", "learning_rate is 0; it should be greater than 0."),
        ("learning_rate = 0.001", "learning_rate = nan", "learning_rate is nan; it should be a finite number."),
        ("learning_rate = 0.001", "learning_rate = '1e-3'", "learning_rate is '1e-3'; it should be a valid number."),
        ("warmup = 0.1", "warmup = 1", "warmup is 1; it should be less than 1."),
        ("warmup = 0.1", "warmup = -0.1", "warmup is -0.1; it should be greater than or equal to 0."),
        ("betas = [0.9, 0.999]", "betas = [0.9, 1.0]", "betas.1 is 1.0; it should be less than 1."),
        ("betas = [0.9, 0.999]", "betas = [0.9, 0.9, 0.9]", "it should have at most 2 items, not 3."),
        ('mixed_precision = "no"', 'mixed_precision = "fp16"', "is 'fp16'; it should be 'no' or 'bf16'."),
        ("cpu = true", "cpu = 1", "cpu is 1; it should be a valid boolean."),
        ("selection = 60", "selection = -1", "selection is -1; it should be greater than or equal to 0."),
        ("train = 200", "train = 0", "images.train is 0; it should be greater than 0."),
        ("train = 200", "train = 2026-11-25", "images.train is '2026-11-25'; it should be a valid integer."),
        ("classes = 10", "classes = 'ten'", "images.classes is 'ten'; it should be a valid integer."),
        ("classes = 10", "classes = true", "images.classes is True; it should be a valid integer."),
        ("classes = 10", "classes = 1", "images.classes is 1; it should be greater than or equal to 2."),
        ('folders = ["train", "val"]', 'folders = ["val", "val"]', "The two folders of images.folders are one"),
        ("layers = 4", "layers = 1", "backbone.layers is 1, but an order takes at least 2."),
        ("heads = 4", "heads = 5", "backbone.hidden_size is 32, but it should be a multiple of heads, 5."),
        ("patch_size = 4", "patch_size = 3", "backbone.image_size is 8, but should be a multiple of patch_size, 3."),
        ("channels = 1", "channels = 2", "backbone.channels is 2; it should be 1 or 3."),
        ("dropout = 0.0", "dropout = 1.0", "backbone.dropout is 1.0; it should be less than 1."),
        ("# checkpoint =", 'checkpoint = "google/x"', "either from backbone.checkpoint or from a training under"),
        ("# checkpoint =", 'checkpoint = "./x"', "backbone.checkpoint is './x', but there is no folder"),
        ("depths = [1, 2, 3]", "depths = [2, 4]", "depths is [2, 4], but it should be rising numbers from 1 to 3."),
        ("depths = [1, 2, 3]", "depths = [2, 1]", "depths is [2, 1], but it should be rising numbers from 1 to 3."),
        ("depths = [1, 2, 3]", "depths = []", "depths is [], but it should be rising numbers from 1 to 3."),
        ("depths = [1, 2, 3]", "depths = 2", "depths is 2; it should be a valid array."),
        ("sources = 4", "sources = 3", "sources is 3, but it should be at least the number of layers, 4."),
        ("seeds = 2", "seeds = 0", "seeds is 0; it should be greater than 0."),
        ("accumulate = 1", "accumulate = 0", "machine.accumulate is 0; it should be greater than 0."),
        ('name = "digits"', 'name = "./digits"', "images.name is './digits', but there is no folder"),
        ("classes = 10", "", "images.classes is not given, and is counted in"),
    ],
)
def test_each_mistake_is_one_sentence_that_names_file_and_key(own, tmp_path, good, bad, sentence):
    assert TEXT.count(good) > 0
    head, _, tail = TEXT.partition(good)
    with pytest.raises(ProfileError) as caught:
        own(head + bad + tail)
    assert sentence in str(caught.value) and str(tmp_path / "own.toml") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("table", ["images = 'flowers'", "images = []", "machine = 3"])
def test_a_value_in_place_of_a_table_is_told(own, table):
    line = next(line for line in LEAST.splitlines() if line.startswith("images"))
    text = LEAST.replace(line, table) if table.startswith("images") else f"{table}\n{LEAST}"
    with pytest.raises(ProfileError, match="it should be a table"):
        own(text)


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "latin.toml").write_bytes(b"# \xff")
    (tmp_path / "deep.toml").write_text("a = " + 5000 * "[")
    for name in ("folder.toml", "latin.toml", "missing.toml", "deep.toml"):
        with pytest.raises(ProfileError, match=rf"{name} cannot be read \(.*; `lsnotebook profile digits` prints one"):
            profile_of(str(tmp_path / name))


def test_a_mark_of_the_byte_order_is_no_part_of_a_file(own):
    assert own("\ufeff" + TEXT) == own(TEXT)


def folders(root: Path, classes: int) -> Path:
    for part in ("train", "val"):
        for name in [*map(str, range(classes)), ".ipynb_checkpoints", "@eaDir"]:
            (root / part / name).mkdir(parents=True)
    return root


def test_folders_lie_beside_the_file_whatever_the_working_directory(own, tmp_path, monkeypatch):
    folders(tmp_path / "flowers", 3)
    (tmp_path / "vit").mkdir()
    text = LEAST.replace('name = "digits", classes = 10', 'name = "./flowers"')
    text = text.replace("layers = 24", 'checkpoint = "./vit"').replace("pretrain", "#")
    monkeypatch.chdir("/")
    profile = own(text)
    assert profile.images.name == str(tmp_path / "flowers") and profile.images.classes == 3
    assert profile.backbone.checkpoint == str(tmp_path / "vit")
    monkeypatch.chdir(tmp_path)
    assert own(text) == profile == profile_of("own.toml") == profile_of("./own.toml")
    with on_command_line(profile) as word:  # wherever that file lies
        assert profile_of(word) == profile
    absolute = text.replace("./flowers", str(tmp_path / "flowers"))
    assert own(absolute) == profile


def test_a_bare_name_is_a_folder_of_data_and_a_folder_beside_the_file_is_not_taken_for_it(own, tmp_path, store):
    text = LEAST.replace('name = "digits", classes = 10', 'name = "flowers"')
    with pytest.raises(ProfileError, match="classes is not given"):
        own(text)
    folders(tmp_path / "flowers", 2)
    with pytest.raises(ProfileError, match=r"images.name is 'flowers', which stands for .*; for .* write './flowers'"):
        own(text)
    folders(store / "flowers", 4)
    assert (own(text).images.name, own(text).images.classes) == ("flowers", 4)


def test_a_known_profile_goes_by_its_name_on_the_command_line():
    with on_command_line(SMOKE) as word:
        assert word == "smoke"
