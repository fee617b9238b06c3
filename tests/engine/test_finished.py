"""A finished run is checked when it is read."""

import shutil

import pytest

from lsnotebook.core.store import RunStoreError
from lsnotebook.engine import finished, runs
from lsnotebook.engine.run import Run
from lsnotebook.layershuffle.approaches import BASE, BASELINE, LAYERSHUFFLE
from lsnotebook.layershuffle.profiles import SMOKE

PRETRAINED, SHUFFLED = Run(SMOKE, BASE, 0), Run(SMOKE, LAYERSHUFFLE, 0)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-8]), "is damaged: its checksum"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\0"), "is damaged: its checksum"),
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: (path.parent / "checksums.json").write_text("{"), "cannot be read"),
        (lambda path: (path.parent / "checksums.json").write_text("[]"), "cannot be read"),
    ],
)
def test_a_damaged_run_is_named_and_left_alone(filled, damage, sentence):
    damage(PRETRAINED.folder / "model.safetensors")
    before = sorted(PRETRAINED.folder.iterdir())
    with pytest.raises(RunStoreError, match=f"{sentence}.*remove the folder and it will be trained anew"):
        runs.load(PRETRAINED)
    assert sorted(PRETRAINED.folder.iterdir()) == before


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
