"""The run store keeps its promises: whole or not at all, once, resumable, checked."""

import dataclasses
import importlib
import json
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lsnotebook import profiles, runs, store, training
from lsnotebook.model import ShuffleViT
from lsnotebook.profiles import PROFILES
from lsnotebook.runs import Run
from lsnotebook.store import RunStoreError

BASE = Run(PROFILES["smoke"], "base", 0)
SHUFFLED = Run(PROFILES["smoke"], "layershuffle", 0)

FORKED = multiprocessing.get_context("forkserver")  # processes that need not import torch, each for itself
FORKED.set_forkserver_preload(["lsnotebook.training"])


def train_base(environment, *killed_at):
    """In a process of its own. With a function and a number, SIGKILLs itself at that call of the function."""
    os.environ.update(environment)
    if killed_at:
        owner, name, calls = killed_at
        owner = importlib.import_module(owner)
        setattr(owner, name, dying(getattr(owner, name), calls))
    train = training.train

    def counted(*arguments):
        Path(os.environ["LSNOTEBOOK_DATA"], f"trained-by-{os.getpid()}").touch()
        return train(*arguments)

    training.train = counted
    runs.train(BASE)


def dying(function, calls):
    def call(*arguments, **options):
        nonlocal calls
        if calls == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        calls -= 1
        return function(*arguments, **options)

    return call


def train_elsewhere(*killed_at):
    process = FORKED.Process(target=train_base, args=(dict(os.environ), *killed_at))
    process.start()
    return process


def ended(process):
    process.join()
    return process.exitcode


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of BASE and SHUFFLED trained without an interruption."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LSNOTEBOOK_DATA", str(folder))
        runs.ensure([BASE, SHUFFLED])
    return folder


@pytest.fixture
def filled(whole, store):
    """The test's own store, with both runs in it."""
    shutil.copytree(whole, store)
    return store


def weights(run):
    return (run.folder / "model.safetensors").read_bytes()


def test_a_run_is_trained_once_and_then_found(filled, monkeypatch):
    monkeypatch.setattr(training, "train", lambda *_: pytest.fail("trained again"))
    model = runs.load(SHUFFLED)
    assert not model.training
    history = runs.history(SHUFFLED)
    assert history["step"].tolist() == [20, 40]
    x = torch.zeros(1, 1, 8, 8)
    again = ShuffleViT.from_pretrained(SHUFFLED.folder)
    assert torch.equal(again(x, order=[3, 1]).logits, model(x, order=[3, 1]).logits)


def test_a_refined_run_starts_from_its_base(filled):
    base = runs.load(BASE).state_dict()
    approach = profiles.approach("layershuffle-position")
    start = training.initial(BASE.profile, approach, 5, base).state_dict()
    assert all(torch.equal(start[name], weight) for name, weight in base.items())
    assert set(start) - set(base) and all(name.startswith("position_") for name in set(start) - set(base))
    assert not all(torch.equal(runs.load(SHUFFLED).state_dict()[name], weight) for name, weight in base.items())


@pytest.mark.slow
def test_two_processes_that_ask_for_a_run_at_once_train_it_once(store, whole, monkeypatch):
    store.mkdir()
    both = [train_elsewhere(), train_elsewhere()]
    assert [ended(process) for process in both] == [0, 0]
    assert len(list(store.glob("trained-by-*"))) == 1
    ours = weights(BASE)
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(whole))
    assert ours == weights(BASE), "the same bits in another process"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("owner", "function", "call"),
    [
        ("lsnotebook.training", "learning_rate", 7),  # before there is a state
        ("os", "fsync", 0),  # while the first state is written
        ("lsnotebook.training", "learning_rate", 33),  # between two looks
        ("lsnotebook.training", "assess", 1),  # in a look
        ("os", "fsync", 2),  # while the last state is written
        ("os", "fsync", 5),  # while the finished run is written
        ("shutil", "rmtree", 1),  # when the finished run is in place
    ],
)
def test_killed_anywhere_and_resumed_a_run_ends_in_the_same_bits(store, whole, monkeypatch, owner, function, call):
    store.mkdir()
    assert ended(train_elsewhere(owner, function, call)) == -9
    assert BASE.folder.exists() == (owner == "shutil"), "a folder appears whole or not at all"
    runs.train(BASE)
    ours, history = weights(BASE), runs.history(BASE)
    left = {path.suffix for path in BASE.folder.parent.iterdir()} - {BASE.folder.suffix, ".lock"}
    assert left <= ({".unfinished"} if owner == "shutil" else set())
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(whole))
    assert ours == weights(BASE)
    assert history.drop(columns="seconds").equals(runs.history(BASE).drop(columns="seconds"))


@pytest.mark.slow
def test_a_full_disk_costs_nothing_but_the_write(store, whole, monkeypatch):
    store.mkdir()
    assert ended(train_elsewhere("os", "fsync", 1)) == -9
    state = (BASE.unfinished / training.STATE).read_bytes()
    full = subprocess.run(
        [sys.executable, "-m", "lsnotebook", "train", "smoke", "base", "--seed", "0"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        capture_output=True,
        text=True,
        env={**os.environ, "LSNOTEBOOK_DATA": str(store)},
    )
    assert full.returncode == 1
    last = full.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: ") and "could not be written (File too large)" in last
    assert "Make room and run the same command again" in last
    assert (BASE.unfinished / training.STATE).read_bytes() == state
    assert not list(BASE.unfinished.glob("*.part"))
    runs.train(BASE)
    ours = weights(BASE)
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(whole))
    assert ours == weights(BASE)


@pytest.mark.slow
def test_side_by_side_and_with_more_threads_the_bits_are_the_same(whole, store, monkeypatch):
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        runs.ensure([BASE, SHUFFLED, Run(PROFILES["smoke"], "baseline", 1)], workers=2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    ours = weights(BASE), weights(SHUFFLED)
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(whole))
    assert ours == (weights(BASE), weights(SHUFFLED))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-8]), "is damaged: its checksum"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\0"), "is damaged: its checksum"),
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: (path.parent / "checksums.json").write_text("{"), "cannot be read"),
    ],
)
def test_a_damaged_run_is_told_and_left_alone(filled, damage, sentence):
    damage(BASE.folder / "model.safetensors")
    before = sorted(BASE.folder.iterdir())
    with pytest.raises(RunStoreError, match=f"{sentence}.*remove the folder and it will be trained anew"):
        runs.load(BASE)
    assert sorted(BASE.folder.iterdir()) == before


def test_a_folder_of_another_recipe_is_not_taken_for_the_run(filled):
    other = Run(PROFILES["smoke"], "baseline", 3)
    shutil.copytree(SHUFFLED.folder, other.folder)
    with pytest.raises(RunStoreError, match="holds a run of another recipe than smoke baseline seed 3"):
        runs.load(other)


def changed(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return (*value, "more") if isinstance(value, tuple) else f"another {value}"


def test_the_key_changes_with_every_value_that_influences_the_weights(monkeypatch):
    keys = {SHUFFLED.key, dataclasses.replace(SHUFFLED, seed=1).key, BASE.key}
    expected = 3
    for part in ("data", "backbone", "refine", "pretrain"):
        whole = getattr(SHUFFLED.profile, part)
        for field in dataclasses.fields(whole):
            other = dataclasses.replace(whole, **{field.name: changed(getattr(whole, field.name))})
            keys.add(dataclasses.replace(SHUFFLED, profile=dataclasses.replace(SHUFFLED.profile, **{part: other})).key)
            expected += 1
    for field in dataclasses.fields(profiles.Approach):
        approach = profiles.APPROACHES["layershuffle"]
        other = dataclasses.replace(approach, **{field.name: changed(getattr(approach, field.name))})
        with monkeypatch.context() as patch:
            patch.setitem(profiles.APPROACHES, "layershuffle", other)
            keys.add(SHUFFLED.key)
        expected += 1
    with monkeypatch.context() as patch:
        patch.setattr(runs, "code_version", lambda *modules: "another")
        keys.add(SHUFFLED.key)
    assert len(keys) == expected + 1
    renamed = dataclasses.replace(SHUFFLED, profile=dataclasses.replace(SHUFFLED.profile, name="other"))
    assert renamed.key == SHUFFLED.key
    assert json.loads(json.dumps(SHUFFLED.recipe))["seed"] == 0


def test_comments_and_docstrings_are_no_change_of_code_and_values_are(tmp_path, monkeypatch):
    def version(source):
        path = tmp_path / "module.py"
        path.write_text(source)
        monkeypatch.setattr(store, "find_spec", lambda name: type("Spec", (), {"origin": path}))
        return store.code_version.__wrapped__("module")

    first = version('def f(x):\n    """Old."""\n    return x + 1\n')
    assert version('def f(x):\n    """New."""\n\n    # why\n    return (x + 1)\n') == first
    assert version("def f(x):\n    return x + 2\n") != first


def test_an_unknown_approach_or_profile_says_what_there_is():
    with pytest.raises(ValueError, match=r"did you mean 'layershuffle'\?"):
        Run(PROFILES["smoke"], "layershufle", 0)
    with pytest.raises(
        ValueError, match="There is no profile 'digit': take one of smoke, digits, cifar100, cifar100-deit,"
    ):
        profiles.profile("digit")


def test_a_profile_that_starts_from_a_checkpoint_has_no_base_to_train():
    with pytest.raises(RunStoreError, match="has no base of its own to train"):
        runs.ensure([Run(PROFILES["imagenet"], "base", 0)])
