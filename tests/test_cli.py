"""The command line as a user types it."""

import re

import pytest
from click.testing import CliRunner

from lsnotebook import profiles, runs
from lsnotebook.cli import main
from lsnotebook.runs import Run
from lsnotebook.store import RunStoreError


def invoke(*words):
    return CliRunner().invoke(main, words)


def test_status_tells_where_every_run_stands():
    smoke = profiles.PROFILES["smoke"]
    study = runs.book(smoke)
    runs.ensure([study[0]], workers=1)
    study[1].unfinished.mkdir(parents=True)
    study[2].folder.mkdir(parents=True)
    study[3].unfinished.mkdir(parents=True)
    (study[3].unfinished / "state.safetensors").write_bytes(b"cut off")
    head, *lines, sums = invoke("status", "smoke").output.splitlines()
    assert head.split() == ["run", "stands", "step", "top-1", "%", "hours"] and len(lines) == len(study)
    assert re.fullmatch(rf" *{study[0]} +done +40 of 40 +\d+\.\d +0\.00", lines[0])
    assert re.search(rf"{study[1]} +begun +0 of 40", lines[1])
    assert re.search(rf"{study[2]} +damaged +0 of 40", lines[2])
    assert re.search(rf"{study[3]} +damaged +0 of 40", lines[3])
    assert all("to do" in line for line in lines[4:])
    assert sums == f"{len(study) - 4} to do; 2 damaged; 1 done; 1 begun"


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
    asked.clear()
    assert invoke("train", "smoke", "base").exit_code == 0
    assert asked == [Run(smoke, "base", 0)], "all others refine this one"
    assert invoke("train", "smoke", "--seed", "0", "--seeds", "2").exit_code == 2


def test_a_data_folder_that_cannot_be_written_is_told(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(tmp_path / "file"))
    result = invoke("train", "smoke", "base")
    assert result.exit_code == 1 and "LSNOTEBOOK_DATA" in result.output and "Traceback" not in result.output


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


@pytest.mark.parametrize("command", ["record", "claims"])
def test_results_are_not_computed_by_every_process_of_a_launch(monkeypatch, command):
    monkeypatch.setenv("WORLD_SIZE", "2")
    result = invoke(command, "smoke")
    assert result.exit_code == 2
    assert "Results are computed by one process: train with `accelerate launch" in result.output


def test_a_missing_data_folder_is_named(monkeypatch, store):
    # The checkpoint is not fetched: the images are looked for first.
    monkeypatch.setattr("lsnotebook.training.initial", lambda *a: pytest.fail("looked for the checkpoint first"))
    result = invoke("train", "imagenet", "baseline", "--seed", "0")
    assert result.exit_code == 1
    assert str(store / "imagenet" / "train") in result.output
    assert "Traceback" not in result.output
