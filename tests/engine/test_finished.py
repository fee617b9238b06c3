"""A finished run is checked when it is read."""

import json
import shutil
from pathlib import Path

import pytest

from lsnotebook.core.store import RunStoreError, checksum
from lsnotebook.engine import finished, runs
from lsnotebook.engine.run import Run
from lsnotebook.layershuffle.approaches import BASE, BASELINE, LAYERSHUFFLE
from lsnotebook.layershuffle.profiles import SMOKE

PRETRAINED, SHUFFLED = Run(SMOKE, BASE, 0), Run(SMOKE, LAYERSHUFFLE, 0)


FORMS = (b"", b"{", b"\xff\xfe", b"[" * 10**5, b"[]", b"null", b"3", b'"x"', b"{}", b'{"recipe.json": 1}')


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-8]), "model.safetensors is damaged: checksums.json"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\0"), "model.safetensors is damaged: checksums.json"),
        (lambda path: path.unlink(), "model.safetensors cannot be read"),
        (lambda path: swapped(path, Path.mkdir), "model.safetensors cannot be read"),
        (lambda path: swapped(path.parent / "checksums.json", Path.mkdir), "checksums.json cannot be read"),
        (lambda path: swapped(path.parent, lambda folder: folder.write_text("")), "cannot be read"),
        (lambda path: swapped(path.parent, Path.mkdir), "cannot be read"),
        (lambda path: swapped(path.parent, lambda folder: folder.symlink_to("nowhere")), "cannot be read"),
        *((lambda path, text=text: (path.parent / "checksums.json").write_bytes(text), "is damaged") for text in FORMS),
    ],
)
def test_a_damaged_run_is_named_and_left_alone(filled, monkeypatch, damage, sentence):
    monkeypatch.setattr(runs.training, "train", lambda *_: pytest.fail("trained over it"))
    damage(PRETRAINED.folder / "model.safetensors")
    before = sorted(PRETRAINED.folder.parent.rglob("*"))
    with pytest.raises(RunStoreError, match=f"^[^\n]*{sentence}[^\n]*move the folder away and it"):
        runs.load(PRETRAINED)
    assert sorted(PRETRAINED.folder.parent.rglob("*")) == before
    (row,) = runs.status([PRETRAINED], every_byte=True).itertuples()
    assert row.stands == "damaged" and sentence in row.damage


def swapped(path, make):
    """Something else in the place of a file or folder."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    make(path)


def rewritten(name, content):
    """A file of another form that has its right checksum, as from another version."""
    (PRETRAINED.folder / name).write_bytes(content)
    checksums = json.loads((PRETRAINED.folder / "checksums.json").read_text())
    (PRETRAINED.folder / "checksums.json").write_text(json.dumps(checksums | {name: checksum(content)}))


@pytest.mark.parametrize(
    ("name", "content", "read"),
    [
        ("config.json", b"[]", runs.load),
        ("config.json", b'{"hidden_size": "wide"}', runs.load),
        ("config.json", b'{"hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": 1}', runs.load),
        ("history.csv", b"", finished.history),
        ("history.csv", b"step,loss\n1,2\n", finished.history),
        ("history.csv", b"step,selection_loss,selection_top1,seconds\nfirst,1,1,1\n", finished.history),
        ("made.json", b"[]", finished.made),
        ("made.json", b"\xff", finished.made),
    ],
)
def test_a_file_of_another_form_is_named(filled, name, content, read):
    rewritten(name, content)
    with pytest.raises(RunStoreError, match=rf"^[^\n]*{name} is not what a training writes \([^\n]*trained anew\.$"):
        read(PRETRAINED)


def test_status_sees_cut_weights_at_once_and_a_changed_bit_where_it_reads_every_byte(filled):
    path = PRETRAINED.folder / "model.safetensors"
    whole = path.read_bytes()

    def stands(every_byte=False):
        return runs.status([PRETRAINED], every_byte)["stands"].item()

    assert stands() == stands(every_byte=True) == "done"
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert (stands(), stands(every_byte=True)) == ("done", "damaged")
    path.write_bytes(whole[:-4])
    assert stands() == "damaged"


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "history.csv", "recipe.json", "made.json"])
def test_every_file_is_checked(filled, name):
    path = PRETRAINED.folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(RunStoreError, match=f"{name} is damaged"):
        finished.content(PRETRAINED, name)


def test_a_folder_of_another_recipe_is_not_taken_for_the_run(filled):
    other = Run(SMOKE, BASELINE, 3)
    shutil.copytree(SHUFFLED.folder, other.folder)
    with pytest.raises(RunStoreError, match="holds a run of another recipe than smoke baseline seed 3"):
        runs.load(other)
