"""The command line as a user types it."""

import pytest
from click.testing import CliRunner

from lsnotebook import profiles, runs
from lsnotebook.cli import main
from lsnotebook.runs import Run
from lsnotebook.store import RunStoreError


def invoke(*words):
    return CliRunner().invoke(main, words)


def test_status_tells_done_begun_and_to_do():
    study = runs.book(profiles.PROFILES["smoke"])
    study[0].folder.mkdir(parents=True)
    study[1].unfinished.mkdir(parents=True)
    lines = invoke("status", "smoke").output.splitlines()
    assert lines[0] == f"done   {study[0]}"
    assert lines[1] == f"begun  {study[1]}"
    assert all(line.startswith("to do ") for line in lines[2:])
    assert len(lines) == len(study)


def test_train_asks_for_the_named_runs(monkeypatch):
    asked = []
    monkeypatch.setattr(runs, "ensure", lambda wanted, workers: asked.extend(wanted))
    smoke = profiles.PROFILES["smoke"]
    assert invoke("train", "smoke", "layershuffle", "--seed", "7").exit_code == 0
    assert asked == [Run(smoke, "layershuffle", 7)]
    asked.clear()
    assert invoke("train", "smoke").exit_code == 0
    assert asked == runs.book(smoke)
    asked.clear()
    assert invoke("train", "smoke", "--seeds", "1").exit_code == 0
    assert asked == runs.study(smoke, seeds=1)


@pytest.mark.parametrize(
    "words", [("train", "digit"), ("train", "smoke", "layershufle"), ("train", "smoke", "--seeds", "0")]
)
def test_a_bad_word_says_what_is_allowed(words):
    result = invoke(*words)
    assert result.exit_code == 2
    assert "is not" in result.output and "Traceback" not in result.output


def test_an_error_of_the_store_is_one_sentence(monkeypatch):
    def full(wanted, workers):
        raise RunStoreError("The disk is full.")

    monkeypatch.setattr(runs, "ensure", full)
    result = invoke("train", "smoke")
    assert result.exit_code == 1
    assert result.output == "Error: The disk is full.\n"


def test_a_missing_data_folder_is_named(monkeypatch, store):
    # The checkpoint is not fetched: the images are looked for first.
    monkeypatch.setattr("lsnotebook.training.initial", lambda *a: pytest.fail("looked for the checkpoint first"))
    result = invoke("train", "imagenet", "baseline", "--seed", "0")
    assert result.exit_code == 1
    assert str(store / "imagenet" / "train") in result.output
    assert "Traceback" not in result.output
