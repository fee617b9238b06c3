"""The study on a cluster: a local Ray of two nodes, one of which dies."""

import dataclasses
import threading
import time

import pytest
from click.testing import CliRunner

from lsnotebook import profiles, runs
from lsnotebook.cli import main
from lsnotebook.profiles import PROFILES
from lsnotebook.runs import Run
from lsnotebook.sweep import SweepError, connected, sweep

ray = pytest.importorskip("ray", reason="the extra `cluster` is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Ray's own
]

SMOKE = PROFILES["smoke"]
LONG = dataclasses.replace(SMOKE, refine=dataclasses.replace(SMOKE.refine, steps=1000, check_every=50))


@pytest.fixture
def cluster(store, monkeypatch):
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    store.mkdir()
    soon = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 3}
    head = {"num_cpus": 1, "include_dashboard": False, "_system_config": soon}  # a death is noticed in seconds
    cluster = Cluster(initialize_head=True, head_node_args=head)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def weights(run):
    return (run.folder / "model.safetensors").read_bytes()


def test_a_node_dies_and_every_run_is_trained_all_the_same(cluster, monkeypatch, tmp_path):
    node = cluster.add_node(num_cpus=1)
    wanted = [Run(LONG, "baseline", seed) for seed in (0, 1)]
    connected(cluster.address)

    def kill():
        while not all((run.unfinished / "state.safetensors").exists() or run.folder.exists() for run in wanted):
            time.sleep(0.1)
        killed.append([run for run in wanted if not run.folder.exists()])
        cluster.remove_node(node, allow_graceful=False)

    killed = []
    killer = threading.Thread(target=kill)
    killer.start()
    sweep(wanted, cluster.address)
    killer.join()
    assert len(killed[0]) == 2, "both were under way when one node died"
    assert list(runs.status(wanted)["stands"]) == ["done", "done"]
    ours = [weights(run) for run in wanted]
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(tmp_path / "alone"))
    runs.ensure(wanted)
    assert ours == [weights(run) for run in wanted], "the same bits as without a cluster"


def test_what_fails_is_named_and_the_others_are_trained(cluster, monkeypatch):
    hot = dataclasses.replace(SMOKE, refine=dataclasses.replace(SMOKE.refine, learning_rate=float("inf")))
    good, bad = Run(SMOKE, "baseline", 0), Run(hot, "baseline", 1)
    with pytest.raises(SweepError, match="1 of 3 runs failed, the others are in the store: smoke baseline seed 1"):
        sweep([good, bad], cluster.address)
    assert good.folder.exists() and not bad.folder.exists()
    monkeypatch.setitem(profiles.PROFILES, "smoke", dataclasses.replace(SMOKE, seeds=1, sources=1, depths=()))
    told = CliRunner().invoke(main, ["status", "smoke", "--address", cluster.address])
    assert told.exit_code == 0, told.output
    assert "smoke baseline seed 0" in told.output and "1 done" in told.output


def test_no_cluster_at_an_address_is_told(store):
    result = CliRunner().invoke(main, ["sweep", "smoke", "--address", "127.0.0.1:1"])
    assert result.exit_code == 1
    assert "There is no Ray cluster at '127.0.0.1:1'" in result.output and "Traceback" not in result.output
