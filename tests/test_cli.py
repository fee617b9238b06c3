"""The command line as a user types it."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from lsnotebook import cli, layershuffle
from lsnotebook.cli import main
from lsnotebook.core.store import RunStoreError
from lsnotebook.engine import finished, runs
from lsnotebook.engine.run import Run, all_runs, unfinished
from lsnotebook.engine.state import STATE
from lsnotebook.layershuffle.approaches import BASE, LAYERSHUFFLE, TABLE_1
from lsnotebook.layershuffle.profiles import SMOKE

PROGRAMS = Path(__file__).parent / "programs"


def invoke(*words):
    return CliRunner().invoke(main, words)


def test_status_shows_where_every_run_stands():
    study = all_runs(SMOKE, layershuffle.PART.networks(SMOKE))
    runs.ensure([study[0]], workers=1)
    unfinished(study[1].folder).mkdir(parents=True)
    study[2].folder.mkdir(parents=True)
    unfinished(study[3].folder).mkdir(parents=True)
    (unfinished(study[3].folder) / STATE).write_bytes(b"cut off")
    head, base, *lines, empty, cut, sums = invoke("status", "smoke").output.splitlines()
    assert head.split() == ["run", "stands", "step", "top-1", "%", "hours"] and len(lines) == len(study)
    assert re.search(rf"{study[0].base} +done", base), "a damaged base would be needed again"
    assert re.fullmatch(rf" *{study[0]} +done +40 of 40 +\d+\.\d +0\.00", lines[0])
    assert re.search(rf"{study[1]} +begun +0 of 40", lines[1])
    assert re.search(rf"{study[2]} +damaged +0 of 40", lines[2])
    assert re.search(rf"{study[3]} +damaged +0 of 40", lines[3])
    assert all("to do" in line for line in lines[4:])
    assert empty.startswith(f"{study[2]}: {study[2].folder}") and "cannot be read" in empty
    assert cut.startswith(f"{study[3]}: {unfinished(study[3].folder) / STATE} is damaged")
    assert sums == f"{len(study) - 4} to do; 2 done; 2 damaged; 1 begun"


def test_train_asks_for_the_named_runs(monkeypatch):
    asked = []
    monkeypatch.setattr(runs, "ensure", lambda wanted, workers: asked.extend(wanted))
    monkeypatch.setattr(finished, "check", lambda run: None)
    assert invoke("train", "smoke", "layershuffle", "--seed", "7").exit_code == 0
    assert asked == [Run(SMOKE, LAYERSHUFFLE, 7)]
    asked.clear()
    assert invoke("train", "smoke").exit_code == 0
    assert asked == all_runs(SMOKE, layershuffle.PART.networks(SMOKE))
    asked.clear()
    assert invoke("train", "smoke", "--seeds", "1").exit_code == 0
    one = dataclasses.replace(SMOKE, seeds=1)
    assert asked == all_runs(one, layershuffle.PART.networks(one)) and asked[0] == Run(one, TABLE_1[0], 0)
    asked.clear()
    assert invoke("train", "smoke", *(approach.name for approach in TABLE_1), "--seeds", "1").exit_code == 0
    assert asked == [Run(SMOKE, approach, 0) for approach in TABLE_1]
    asked.clear()
    assert invoke("train", "smoke", "base").exit_code == 0
    assert asked == [Run(SMOKE, BASE, 0)], "all others refine this one"
    assert invoke("train", "smoke", "--seed", "0", "--seeds", "2").exit_code == 2


def test_a_profile_of_ones_own_is_printed_changed_and_trained(tmp_path, store):
    """On a folder of pictures beside the file, whose classes are counted."""
    for part in ("train", "val"):
        for name in ("daisy", "rose"):
            (tmp_path / "flowers" / part / name).mkdir(parents=True)
            for k in range(9):
                Image.effect_noise((8, 8), 50).save(tmp_path / "flowers" / part / name / f"{k}.png")
    text, path = invoke("profile", "smoke").stdout, tmp_path / "own.toml"
    text = text.replace('name = "digits"', 'name = "./flowers"').replace("classes = 10\n", "")
    for key, value in {"train": 200, "validation": 100}.items():
        text = text.replace(f"\n{key} = {value}\n", "\n")
    path.write_text(re.sub("selection = .*", "selection = 6", re.sub("(steps|check_every) = .*", r"\1 = 2", text)))
    result = invoke("train", str(path), "layershuffle", "--seed", "0")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"1 runs of own.toml are in the store: {store / 'runs' / 'own.toml'}\n"
    assert re.search("own.toml layershuffle seed 0 +done", invoke("status", str(path)).output)
    assert "classes = 2\n" in invoke("profile", str(path)).stdout
    path.write_text(text.replace("warmup", "wurmup"))
    for command in ("train", "status", "claims", "record", "sweep", "profile"):
        result = invoke(command, str(path))
        assert result.exit_code == 2 and "did you mean 'warmup'?" in result.output, "before anything else"


def test_a_data_folder_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(tmp_path / "file"))
    result = invoke("train", "smoke", "base")
    assert result.exit_code == 1 and "LSNOTEBOOK_DATA" in result.output and "Traceback" not in result.output


@pytest.mark.parametrize(
    "words",
    [
        *[("train", "digit"), ("train", "smoke", "layershufle"), ("train", "smoke", "--seeds", "0")],
        *[("train", "./digits"), ("status", "missing.toml")],
    ],
)
def test_a_bad_word_says_what_is_allowed(words):
    result = invoke(*words)
    assert result.exit_code == 2
    assert re.search("is not|There is no|cannot be read", result.output) and "Traceback" not in result.output


@pytest.mark.parametrize(
    ("words", "reason", "can", "cannot"),
    [
        (("train", "smoke", "refined-11"), "its network has 4 layers: take base", "refined-4", "refined-5"),
        (("train", "imagenet", "base", "--seed", "0"), "has no base of its own to train", "baseline", " base,"),
        (("sweep", "smoke", "baseline", "refined-5"), "its network has 4 layers", "layerdrop", "refined-6"),
    ],
)
def test_an_approach_that_the_profile_cannot_have_is_refused_with_those_that_it_can(words, reason, can, cannot):
    result = invoke(*words)
    assert result.exit_code == 2 and reason in result.output
    said = result.output.partition("take ")[2]
    assert f"{can}, " in said and cannot not in said


def test_options_that_exclude_one_another_are_refused_whatever_is_in_the_store(trained):
    result = invoke(*"train smoke layershuffle --seed 0 --update-at-once --accumulate 2".split())
    assert result.exit_code == 2 and "leave out --accumulate, or take --update-after" in result.output


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
    monkeypatch.setattr("lsnotebook.engine.runs.initial", lambda *a: pytest.fail("looked for the checkpoint first"))
    result = invoke("train", "imagenet", "baseline", "--seed", "0")
    assert result.exit_code == 1
    assert str(store / "imagenet" / "train") in result.output
    assert "Traceback" not in result.output


def test_a_part_of_a_few_lines_is_trained_listed_and_judged_with_nothing_else_changed(monkeypatch, store):
    import toy_part

    monkeypatch.setattr(cli, "PARTS", [*cli.PARTS, toy_part.PART])
    (run,) = all_runs(toy_part.TOY, toy_part.networks(toy_part.TOY))
    assert f"{run} to do" in " ".join(invoke("status", "toy").output.split())
    result = invoke("train", "toy")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"1 runs of toy are in the store: {store / 'runs' / 'toy'}\n"
    shown = invoke("status", "toy").output.splitlines()
    assert re.fullmatch(rf" *{run} +done +60 of 60 +\d+\.\d +0\.00", shown[1]) and shown[2:] == ["1 done"]

    monkeypatch.setattr(runs, "train", lambda *a: pytest.fail("trained again"))
    (claim,) = json.loads(invoke("claims", "toy", "--json").stdout)
    assert (claim["id"], claim["verdict"], claim["page"]) == ("T1", "holds", "toy") and claim["build"] > 50
    assert claim["over"] == "4 quarters of the images" and claim["low"] > 50
    assert f"[{claim['low']:.1f}, {claim['high']:.1f}] over 4 quarters" in invoke("claims", "toy").stdout
    assert invoke("train", "toy", "backwards", "--prepare").exit_code == 0
    result = invoke("record", "toy")
    assert result.exit_code == 0 and result.stdout == f"{store / 'results' / 'toy' / 'claims.json'}\n", result.output
    assert invoke("train", "smoke", "backwardz").output.strip().endswith("did you mean 'backwards'?")


def loaded(*words):
    """The packages that a process of its own has loaded after a command."""
    program = [sys.executable, PROGRAMS / "loaded_modules.py", *words]
    return set(subprocess.run(program, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("words", [(), ("--help",), ("train", "--help")], ids=["import", "help", "help of a command"])
def test_help_comes_at_once(words):
    assert not loaded(*words) & {"torch", "transformers", "accelerate", "pandas", "matplotlib"}


def test_the_model_is_loaded_when_it_is_asked_for():
    from lsnotebook import ShuffleViT
    from lsnotebook.layershuffle import model

    assert ShuffleViT is model.ShuffleViT
    with pytest.raises(ImportError, match="ShuffleViTs"):
        from lsnotebook import ShuffleViTs  # noqa: F401
