"""The study on a cluster: a local Ray of two nodes, one of which dies."""

import dataclasses
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from waiting import wait_until

from lsnotebook.cli import main
from lsnotebook.core.store import RunStoreError
from lsnotebook.engine import runs
from lsnotebook.engine.cluster import SweepError, _train, connected, started, sweep
from lsnotebook.engine.run import Run, unfinished
from lsnotebook.engine.state import STATE
from lsnotebook.layershuffle.approaches import BASELINE, LAYERSHUFFLE
from lsnotebook.layershuffle.profiles import IMAGENET, PROFILES, SMOKE, profile_of

ray = pytest.importorskip("ray", reason="the extra `cluster` is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("ray"),  # one process of pytest starts it, once
    pytest.mark.filterwarnings("ignore"),  # Ray's own
]

LONG = dataclasses.replace(SMOKE, refine=dataclasses.replace(SMOKE.refine, steps=600, check_every=50))


@pytest.fixture
def cluster(ray_head, store):
    store.mkdir()
    yield ray_head
    ray.shutdown()
    for node in list(ray_head.worker_nodes):
        ray_head.remove_node(node)


def weights(run):
    return (run.folder / "model.safetensors").read_bytes()


def test_a_run_whose_node_dies_goes_on_on_another(cluster, monkeypatch, tmp_path):
    doomed = cluster.add_node(num_cpus=1)
    run = Run(LONG, BASELINE, 0)
    state = unfinished(run.folder) / STATE
    connected(cluster.address)

    pool = ThreadPoolExecutor()  # not as a context, which would wait for ever where the test fails
    swept = pool.submit(sweep, [run], cluster.address)
    wait_until(lambda: state.exists() or swept.done(), 120)
    cluster.remove_node(doomed, allow_graceful=False)
    assert runs.status([run])["stands"].iloc[-1] == "begun"
    cluster.add_node(num_cpus=1)
    swept.result(timeout=120)
    assert runs.status([run])["stands"].iloc[-1] == "done"
    ours = weights(run)
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(tmp_path / "alone"))
    runs.train(run)
    assert ours == weights(run), "the same bits as without a cluster"


def test_what_fails_is_named_and_the_others_are_trained(cluster, monkeypatch):
    hot = dataclasses.replace(SMOKE, refine=dataclasses.replace(SMOKE.refine, learning_rate=float("inf")))
    cluster.add_node(num_cpus=1)
    good, bad = Run(SMOKE, BASELINE, 0), Run(hot, BASELINE, 1)
    with pytest.raises(SweepError, match="1 of 3 runs failed, the others are in the store: smoke baseline seed 1"):
        sweep([good, bad], cluster.address)
    assert good.folder.exists() and not bad.folder.exists()
    monkeypatch.setitem(PROFILES, "smoke", dataclasses.replace(SMOKE, seeds=1, sources=1, depths=()))
    shown = CliRunner().invoke(main, ["status", "smoke", "--address", cluster.address])
    assert shown.exit_code == 0, shown.output
    assert "smoke baseline seed 0" in shown.output and "2 done" in shown.output, "it and its base"


def test_no_cluster_at_an_address_is_one_sentence(store):
    result = CliRunner().invoke(main, ["sweep", "smoke", "--address", "127.0.0.1:1"])
    assert result.exit_code == 1
    assert "There is no Ray cluster at '127.0.0.1:1'" in result.output and "Traceback" not in result.output


def test_a_run_on_several_gpus_is_launched_as_the_readme_says(monkeypatch):
    heard = []

    def launch(command, **_):
        heard.append(command)
        return subprocess.CompletedProcess(
            command, 1, stderr="noise\nError: The disk is full.\nCalledProcessError: 1\n"
        )

    monkeypatch.setattr("subprocess.run", launch)
    with pytest.raises(RunStoreError, match=r"^Error: The disk is full\.$"):
        _train(Run(IMAGENET, LAYERSHUFFLE, 3), 4, None)
    words = " ".join(heard[0])
    assert "--num_processes=4" in words and words.endswith("-m lsnotebook train imagenet layershuffle --seed=3")


def test_a_profile_from_a_file_is_launched_as_a_file_wherever_the_node_is(monkeypatch):
    own = dataclasses.replace(IMAGENET, name="own.toml", seeds=1)
    read = []

    def launch(command, **_):
        read.append(profile_of(command[-3]))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("subprocess.run", launch)
    _train(Run(own, LAYERSHUFFLE, 3), 4, None)
    assert read == [own]


def test_a_folder_whose_path_is_too_long_for_sockets_is_named(monkeypatch, tmp_path):
    for name in ("RAY_TMPDIR", "TMPDIR"):
        monkeypatch.delenv(name, raising=False)
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with pytest.raises(SweepError, match=rf"{long}', is too long for Ray's sockets: name a shorter one in RAY_TMPDIR"):
        connected()


def test_a_start_that_fails_leaves_no_process_and_is_tried_again():
    tries = []

    def init():
        tries.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
        raise RuntimeError("The node timed out during startup.")

    with pytest.raises(RuntimeError, match="timed out"):
        started(SimpleNamespace(init=init, shutdown=lambda: None))
    assert [one.wait(10) for one in tries] == [-signal.SIGKILL] * 3
