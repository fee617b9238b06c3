"""The run store keeps its promises: a run is trained once, whole or not at all, and goes on after a kill."""

import multiprocessing
import os
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from filelock import FileLock
from threadpoolctl import threadpool_info, threadpool_limits
from trainings import train_base
from waiting import wait_until

from lsnotebook.core import store as store_module
from lsnotebook.core.store import RunStoreError
from lsnotebook.engine import finished, runs, training
from lsnotebook.engine.run import Run, unfinished
from lsnotebook.engine.state import STATE
from lsnotebook.layershuffle.approaches import BASE, BASELINE, LAYERSHUFFLE, POSITION
from lsnotebook.layershuffle.model import ShuffleViT
from lsnotebook.layershuffle.profiles import SMOKE

PRETRAINED, SHUFFLED = Run(SMOKE, BASE, 0), Run(SMOKE, LAYERSHUFFLE, 0)

FORKED = multiprocessing.get_context("forkserver")  # processes that need not import torch, each for itself
FORKED.set_forkserver_preload(["lsnotebook.engine.runs"])


def train_elsewhere(*killed_at):
    process = FORKED.Process(target=train_base, args=(dict(os.environ), *killed_at))
    process.start()
    return process


def ended(process):
    process.join()
    return process.exitcode


def weights(run):
    return (run.folder / "model.safetensors").read_bytes()


def test_a_run_is_trained_once_and_then_found(filled, monkeypatch):
    monkeypatch.setattr(training, "train", lambda *_: pytest.fail("trained again"))
    model = runs.load(SHUFFLED)
    assert not model.training
    history = finished.history(SHUFFLED)
    assert history["step"].tolist() == [20, 40]
    x = torch.zeros(1, 1, 8, 8)
    again = ShuffleViT.from_pretrained(SHUFFLED.folder)
    assert torch.equal(again(x, order=[3, 1]).logits, model(x, order=[3, 1]).logits)


def test_a_refined_run_starts_from_its_base(filled):
    base = runs.load(PRETRAINED).state_dict()
    start = runs.initial(Run(SMOKE, POSITION, 5)).state_dict()
    assert all(torch.equal(start[name], weight) for name, weight in base.items())
    assert set(start) - set(base) and all(name.startswith("position_") for name in set(start) - set(base))
    assert not all(torch.equal(runs.load(SHUFFLED).state_dict()[name], weight) for name, weight in base.items())


@pytest.mark.slow
def test_two_processes_that_ask_for_a_run_at_once_train_it_once(store, whole, monkeypatch):
    store.mkdir()
    both = [train_elsewhere(), train_elsewhere()]
    assert [ended(process) for process in both] == [0, 0]
    assert len(list(store.glob("trained-by-*"))) == 1
    ours = weights(PRETRAINED)
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(whole))
    assert ours == weights(PRETRAINED), "the same bits in another process"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("owner", "function", "call", "part"),
    [
        ("os", "fsync", 0, "tables/*.csv"),  # while the images' fingerprint is written
        ("lsnotebook.engine.loop", "learning_rate", 7, None),  # before there is a state
        ("os", "fsync", 1, f"smoke/*.unfinished/{STATE}"),  # while the first state is written
        ("lsnotebook.engine.loop", "learning_rate", 33, None),  # between two evaluations
        ("lsnotebook.engine.loop", "selection_score", 1, None),  # in an evaluation
        ("os", "fsync", 3, f"smoke/*.unfinished/{STATE}"),  # while the last state is written
        ("os", "fsync", 6, "smoke/*.finished/history.csv"),  # while the finished run is written
        ("shutil", "rmtree", 1, None),  # when the finished run is in place
    ],
)
def test_killed_anywhere_and_resumed_a_run_ends_in_the_same_bits(
    store, whole, monkeypatch, owner, function, call, part
):
    store.mkdir()
    assert ended(train_elsewhere(owner, function, call)) == -9
    begun = list(store.glob("runs/**/*.part"))
    assert len(begun) == bool(part) and begun == list(store.glob(f"runs/{part}.part")), "killed where it should be"
    assert PRETRAINED.folder.exists() == (owner == "shutil"), "a folder appears whole or not at all"
    runs.train(PRETRAINED)
    ours, history = weights(PRETRAINED), finished.history(PRETRAINED)
    left = {path.suffix for path in PRETRAINED.folder.parent.iterdir()} - {PRETRAINED.folder.suffix, ".lock"}
    assert left <= ({".unfinished"} if owner == "shutil" else set())
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(whole))
    assert ours == weights(PRETRAINED)
    assert history.drop(columns="seconds").equals(finished.history(PRETRAINED).drop(columns="seconds"))


@pytest.mark.slow
def test_a_full_disk_costs_nothing_but_the_write(store, whole, monkeypatch):
    store.mkdir()
    assert ended(train_elsewhere("os", "fsync", 2)) == -9
    begun = unfinished(PRETRAINED.folder)
    state = (begun / STATE).read_bytes()
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
    assert "the same command goes on from there" in last
    assert (begun / STATE).read_bytes() == state
    assert not list(begun.glob("*.part"))
    runs.train(PRETRAINED)
    ours = weights(PRETRAINED)
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(whole))
    assert ours == weights(PRETRAINED)


@pytest.mark.slow
def test_side_by_side_and_with_more_threads_the_bits_are_the_same(whole, store, monkeypatch):
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        runs.ensure([PRETRAINED, SHUFFLED, Run(SMOKE, BASELINE, 1)], workers=2)
        assert torch.get_num_threads() == 2
        with threadpool_limits(2), runs.one_thread():
            assert {library["num_threads"] for library in threadpool_info()} == {1}
    finally:
        torch.set_num_threads(threads)
    ours = weights(PRETRAINED), weights(SHUFFLED)
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(whole))
    assert ours == (weights(PRETRAINED), weights(SHUFFLED))


def test_images_that_change_while_a_run_is_trained_leave_no_run(store, monkeypatch):
    """Its recipe would name images that it was not trained on."""
    train, changed = training.train, []

    def changing(*arguments):
        changed.append(True)
        return train(*arguments)

    monkeypatch.setattr(training, "train", changing)
    monkeypatch.setattr("lsnotebook.engine.run.digest", lambda images: "after" if changed else "before")
    with pytest.raises(RunStoreError, match="The images or the checkpoint of smoke base seed 0 changed while it was"):
        runs.train(PRETRAINED)
    assert not PRETRAINED.folder.exists()


def test_waiting_for_another_process_is_told(filled, caplog, monkeypatch):
    monkeypatch.setattr(store_module, "SOON", 0.1)
    lock = FileLock(SHUFFLED.folder.with_name(SHUFFLED.folder.name + ".lock"))
    lock.acquire()
    with ThreadPoolExecutor() as pool:
        waits = pool.submit(runs.train, SHUFFLED)
        wait_until(lambda: caplog.text)
        lock.release()
        waits.result()
    assert [record.message for record in caplog.records] == [
        "Another process is training smoke layershuffle seed 0; waiting for it."
    ]
