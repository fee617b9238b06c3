"""What a run's key stands for: every value that influences the weights, the images, the checkpoint, and the code."""

import dataclasses
import json
import os
import shutil

import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.core.profiles import Images, Machine, UnknownNameError
from lsnotebook.core.source import imported_modules
from lsnotebook.data import fingerprint
from lsnotebook.engine import run as run_module
from lsnotebook.engine.run import LOOP, Run
from lsnotebook.layershuffle.approaches import BASE, BASELINE, LAYERSHUFFLE, REFINED
from lsnotebook.layershuffle.profiles import IMAGENET, SMOKE

PRETRAINED, SHUFFLED = Run(SMOKE, BASE, 0), Run(SMOKE, LAYERSHUFFLE, 0)


@pytest.fixture(autouse=True)
def always_renewed(monkeypatch):
    """A fingerprint is never taken from an earlier look at the files."""
    monkeypatch.setattr(fingerprint, "RENEWED", 0)


def changed(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return (*value, "more") if isinstance(value, tuple) else f"another {value}"


OTHER = {
    "order": sequential,
    "network": "lsnotebook.layershuffle.model",
    "refines": None,
    "variant": ("encode_position",),
    "layers": 2,
    "learning_rate_factor": 2.0,
}
"""Another value of each field of an approach that influences the weights."""


def test_the_key_changes_with_every_value_that_influences_the_weights(monkeypatch):
    keys = {SHUFFLED.key, dataclasses.replace(SHUFFLED, seed=1).key, PRETRAINED.key}
    expected = 3
    for part in ("images", "backbone", "refine", "pretrain"):
        whole = getattr(SMOKE, part)
        for field in dataclasses.fields(whole):
            other = dataclasses.replace(whole, **{field.name: changed(getattr(whole, field.name))})
            keys.add(dataclasses.replace(SHUFFLED, profile=dataclasses.replace(SMOKE, **{part: other})).key)
            expected += 1
    assert {field.name for field in dataclasses.fields(LAYERSHUFFLE)} - set(OTHER) == {"name", "title"}
    for name, value in OTHER.items():
        keys.add(dataclasses.replace(SHUFFLED, approach=dataclasses.replace(LAYERSHUFFLE, **{name: value})).key)
        expected += 1
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "code_version", lambda *modules: "another")
        keys.add(SHUFFLED.key)
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "digest", lambda images: "other images")
        keys.add(SHUFFLED.key)
    assert len(keys) == expected + 2
    assert json.loads(json.dumps(SHUFFLED.recipe))["seed"] == 0


def test_names_and_titles_are_no_part_of_the_recipe():
    renamed = dataclasses.replace(SHUFFLED, profile=dataclasses.replace(SMOKE, name="other"))
    assert renamed.key == SHUFFLED.key
    renamed = dataclasses.replace(SHUFFLED, approach=dataclasses.replace(LAYERSHUFFLE, name="other", title="Other"))
    assert renamed.key == SHUFFLED.key


def test_how_a_machine_does_it_is_no_part_of_the_recipe():
    other = dataclasses.replace(SMOKE, machine=Machine(4, True, True, 8, True))
    assert Run(other, LAYERSHUFFLE, 0).key == SHUFFLED.key


def test_the_hashed_modules_are_those_that_decide_the_weights():
    hashed = {
        name.removeprefix("lsnotebook.")
        for name in imported_modules(LOOP, LAYERSHUFFLE.network, type(arbitrary).__module__)
    }
    assert hashed >= {
        *("engine.loop", "engine.launch", "data.batches", "data.augmentation", "data.splits", "data.pictures"),
        *("layershuffle.model", "layershuffle.networks", "layershuffle.checkpoints"),
        *("core.orders", "core.randomness", "core.seeding"),
    }
    floors = {name.partition(".")[0] for name in hashed}
    assert floors <= {"core", "data", "engine", "layershuffle"}, "pages and the command line retrain nothing"
    assert not hashed & {
        *("core.store", "core.progress", "core.profiles", "core.draws", "core.source", "core.statistics"),
        *("engine.runs", "engine.run", "engine.training", "engine.state", "engine.tables", "engine.workers"),
        *("data.fingerprint", "data.loading", "data.checkpoints", "layershuffle.approaches", "layershuffle.profiles"),
    }


def rewrite(path, content):
    """Write a file at a later time, whatever the file system's clock can tell apart."""
    before = path.stat().st_mtime_ns
    path.write_bytes(content)
    os.utime(path, ns=(before + 1, before + 1))


@pytest.fixture
def mine(store):
    """A run on image folders, and one of its images, uncompressed."""
    for part in ("train", "val"):
        for name in ("a", "b"):
            (store / "mine" / part / name).mkdir(parents=True)
            for k in range(2):
                Image.effect_noise((8, 8), 50).save(store / "mine" / part / name / f"{k}.bmp")
    profile = dataclasses.replace(SMOKE, images=Images("mine", classes=2, selection=0))
    return Run(profile, BASELINE, 0), store / "mine"


@pytest.mark.parametrize("part", ["train", "val"])
def test_the_key_changes_with_the_content_of_one_image_of_the_same_size_and_name(mine, part):
    run, folder = mine
    before, base, path = run.key, run.base.key, folder / part / "b" / "1.bmp"
    content = path.read_bytes()
    rewrite(path, content[:-1] + bytes([content[-1] ^ 1]))
    assert run.key != before and run.base.key != base
    rewrite(path, content)
    assert (run.key, run.base.key) == (before, base)
    path.with_name("2.bmp").write_bytes(content)
    assert run.key != before


def test_the_key_does_not_change_with_the_times_of_the_images(mine):
    run, folder = mine
    before = run.key
    for path in folder.glob("*/*/*.bmp"):
        os.utime(path, (1, 1))
    assert run.key == before


def test_where_the_folder_of_the_images_or_of_the_checkpoint_lies_does_not_count(mine, toy, tmp_path):
    run, folder = mine
    keys = set()
    for place in ("here", "elsewhere"):
        images = shutil.copytree(folder, tmp_path / place / "flowers")
        toy().save_pretrained(tmp_path / place / "vit")
        profile = dataclasses.replace(
            run.profile,
            images=dataclasses.replace(run.profile.images, name=str(images)),
            backbone=dataclasses.replace(run.profile.backbone, checkpoint=str(tmp_path / place / "vit")),
        )
        keys.add(dataclasses.replace(run, profile=profile).key)
    assert len(keys) == 1
    (tmp_path / "elsewhere" / "flowers" / "train" / "a" / "0.bmp").unlink()
    keys.add(dataclasses.replace(run, profile=profile).key)
    assert len(keys) == 2, "but what lies there does"


def test_the_content_of_a_local_checkpoint_counts(store, toy):
    folder = store / "checkpoints" / "someone" / "vit"
    toy().save_pretrained(folder)
    backbone = dataclasses.replace(SMOKE.backbone, checkpoint="someone/vit")
    run = Run(dataclasses.replace(SMOKE, backbone=backbone, pretrain=None), BASELINE, 0)
    assert run.base is None
    keys, path = [run.key], folder / "model.safetensors"
    os.utime(path, (1, 1))
    (folder / "notes.md").write_text("not read")
    assert run.key == keys[0]
    size, weights = path.stat().st_size, load_file(path)
    save_file({name: -weight for name, weight in weights.items()}, path, {"format": "pt"})
    assert path.stat().st_size == size
    keys.append(run.key)
    rewrite(folder / "config.json", (folder / "config.json").read_bytes() + b"\n")
    keys.append(run.key)
    toy(seed=1).save_pretrained(folder)
    keys.append(run.key)
    path.unlink()
    keys.append(run.key)
    assert len(set(keys)) == 5


def test_a_checkpoint_of_the_hub_is_known_by_its_name_alone():
    run = Run(IMAGENET, BASELINE, 0)
    assert run.recipe["backbone"]["content"] is None


@pytest.mark.parametrize(
    ("profile", "approach", "reason"),
    [
        (SMOKE, REFINED[5], "'smoke' cannot have the approach 'refined-5', since its network has 4 layers"),
        (IMAGENET, BASE, "'imagenet' cannot have the approach 'base', since it starts from the checkpoint"),
    ],
)
def test_an_approach_that_a_profile_cannot_have_is_no_run(profile, approach, reason):
    with pytest.raises(UnknownNameError, match=reason):
        Run(profile, approach, 0)
    Run(SMOKE, REFINED[4], 0)
