"""Real nodes: processes of two machines of a local Ray, killed in the middle of their work, in the end with a machine.

The tests share one pool of four nodes, each of which takes seconds to start.
"""

import contextlib
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from click.testing import CliRunner

from lsnotebook.cli import main
from lsnotebook.engine.run import Run
from lsnotebook.layershuffle.approaches import LAYERSHUFFLE
from lsnotebook.layershuffle.profiles import SMOKE
from lsnotebook.swarm import nodes as nodes_module
from lsnotebook.swarm import pool as pool_module
from lsnotebook.swarm.driver import Fault
from lsnotebook.swarm.hops import Block, SwarmError
from lsnotebook.swarm.nodes import nodes, serve
from lsnotebook.swarm.real import real
from lsnotebook.swarm.replay import replay
from lsnotebook.swarm.trials import Trial

ray = pytest.importorskip("ray", reason="the extra `cluster` is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("ray"),  # one process of pytest starts it, once
    pytest.mark.filterwarnings("ignore"),  # Ray's own
]

HELD = {k: (Block(0, k),) for k in range(4)}
SLACK = 5
"""Hops by which an answer may come after its deadline, on a busy machine: the order to answer waits for a core."""


@pytest.fixture(scope="module")
def machine(ray_head):
    """A machine beside the head."""
    added = ray_head.add_node(num_cpus=0)
    yield added
    for node in list(ray_head.worker_nodes):
        ray_head.remove_node(node)


@pytest.fixture(scope="module")
def pool(ray_head, machine):
    with nodes(4, ray_head.address) as pool:
        yield pool
    assert not ray.is_initialized()


@pytest.fixture
def model(toy):
    return toy()


def asked(requests, images=2):
    return torch.randn(requests, images, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def agree(model, pixel_values, rows, logits):
    """Each request by itself: in a batch with others, sums may be taken in another order."""
    again = [replay([model], one, [route] * len(one)) for one, route in zip(pixel_values, rows["route"], strict=True)]
    torch.testing.assert_close(logits, torch.stack(again), rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", ["kill", "crash"])
def test_no_answer_is_lost_when_a_node_dies_and_all_are_those_of_the_network_itself(pool, model, capfd, kind):
    pixel_values = asked(20)
    faults = [Fault(3, kind, 1), Fault(6, "slow", 2, factor=4), Fault(5, "join", "new", blocks=(Block(0, 1),))]
    rows, logits = serve(pool, [model], HELD, pixel_values, [k / 2 for k in range(20)], faults=faults)
    assert rows["request"].tolist() == list(range(20)) and rows["layers"].between(3, 4).all()
    assert rows["retries"].sum() >= 1, "somebody was in the middle of a hop, or found a dead node"
    assert any("new" in of for of in rows["nodes"]), "who joined serves"
    agree(model, pixel_values, rows, logits)
    assert "died" not in "".join(capfd.readouterr()), "deaths are expected, and stay out of the page"


def test_a_replacement_is_waited_for_by_a_pipeline(pool, model):
    pixel_values = asked(3)
    faults = [Fault(0.5, "kill", 2), Fault(4, "join", "new", blocks=(Block(0, 2),))]
    rows, logits = serve(pool, [model], HELD, pixel_values, [0, 0, 0], rule="pipeline", faults=faults)
    assert rows["layers"].tolist() == [4, 4, 4] and (rows["answered"] > 4).all()
    assert all(of == (0, 1, "new", 3) for of in rows["nodes"])
    agree(model, pixel_values, rows, logits)


def test_an_answer_is_there_by_its_deadline_and_a_hop_that_is_given_up_leaves_no_trace_in_it(pool, model):
    pixel_values, slow = asked(8), [Fault(0, "slow", k, factor=3) for k in (0, 1)]
    limits = {"deadline": 5, "patience": 2}
    rows, logits = serve(pool, [model], HELD, pixel_values, [1.0] * 8, faults=slow, **limits, hop=0.05)
    assert (rows["answered"] - rows["born"]).max() < 5 + SLACK
    assert rows["layers"].min() < 4 and rows["retries"].sum() >= 1
    agree(model, pixel_values, rows, logits)


def test_a_trial_is_run_as_it_is_simulated(pool, store):
    trial = Trial(nodes=4, kill=1, in_flight=3, deadline=20, patience=6)
    rows, faults, difference = real(pool, Run(SMOKE, LAYERSHUFFLE, 0), trial, requests=12)
    assert len(rows) == 12 and difference <= 1e-6 and rows["right"].mean() > 0.3
    assert [fault.kind for fault in faults] == ["crash"]


def test_what_cannot_be_is_told_before_anything_starts(pool, model):
    with pytest.raises(SwarmError, match="5 nodes hold layers, but the pool has 4"):
        serve(pool, [model], {k: (Block(0, 0),) for k in range(5)}, asked(1), [0])
    with pytest.raises(SwarmError, match="a name of its own"):
        serve(pool, [model], HELD, asked(1), [0], faults=[Fault(1, "join", 3, blocks=(Block(0, 1),))])
    with pytest.raises(SwarmError, match="at least one node, but 0 are asked for"), nodes(0):
        pass


def test_machines_without_this_version_of_the_library_are_told(pool, monkeypatch, tmp_path):
    (tmp_path / "only_here.py").write_text("class Holder:\n    def version(self):\n        return 'any'\n")
    with monkeypatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        import only_here

        patch.setattr(pool_module, "Holder", only_here.Holder)
        with pytest.raises(SwarmError, match=r"^A node cannot run layers \(ModuleNotFoundError: .*only_here"), nodes(1):
            pass
    monkeypatch.setattr(pool_module, "version", lambda: "another")
    with pytest.raises(SwarmError, match=r"^The nodes have another version of lsnotebook"), nodes(1):
        pass


def test_the_command_prints_what_came_of_it(pool, store, monkeypatch):
    @contextlib.contextmanager
    def running(count, address):
        assert (count, address) == (4, "here:1")
        yield pool

    monkeypatch.setattr(nodes_module, "nodes", running)
    words = "swarm smoke layershuffle --nodes 4 --kill 1 --slow 1 --load 4 --deadline 12 --patience 3 --requests 9"
    result = CliRunner().invoke(main, [*words.split(), "--address", "here:1"])
    assert result.exit_code == 0, result.output
    head, answered, *_, last = result.stdout.splitlines()
    assert head.split() == ["real", "simulated"] and answered.split() == ["requests", "answered", "9.00", "9.00"]
    assert "of the answers of real nodes are right" in last


def test_the_benchmark_compares_a_hop_with_the_layer_itself(pool, monkeypatch):
    benchmarks = Path(__file__).parents[2] / "benchmarks"
    monkeypatch.syspath_prepend(benchmarks)
    main = runpy.run_path(str(benchmarks / "swarm.py"))["main"]
    words = "--scale smoke --images 1 --nodes 4 --requests 20 --rounds 1"
    result = CliRunner().invoke(main, words.split(), catch_exceptions=False)
    sys.modules.pop("interleaved")
    assert "Ray, of the layer" in result.stdout and "router decisions/s" in result.stdout


def halve(pool, machine):
    """Bring two nodes of this machine and two of the other to the front: what died before was replaced anywhere."""
    while True:
        at = {
            actor: actor.__ray_call__.remote(lambda _: ray.get_runtime_context().get_node_id()) for actor in pool.actors
        }
        here = [actor for actor, node in at.items() if ray.get(node) == machine.node_id]
        there = [actor for actor in pool.actors if actor not in here]
        if len(here) >= 2 and len(there) >= 2:
            pool.actors[:] = [*here[:2], *there[:2], *here[2:], *there[2:]]
            return
        pool.ready(len(pool.actors) + 1)


def test_when_a_machine_is_gone_the_states_that_it_kept_are_computed_again(ray_head, machine, pool, model, monkeypatch):
    """Above 100 KB, a result stays on the machine that made it until it is asked for."""
    pool.ready(4)
    halve(pool, machine)
    lost = []

    def get(task):
        try:
            return ray.get(task)
        except ray.exceptions.ObjectLostError as error:
            lost.append(error)
            raise

    def removed(world, fault):
        running = list(world._pending)  # they end, and nobody has asked for the results
        ray.wait(running, num_returns=len(running), timeout=60, fetch_local=False)
        ray_head.remove_node(machine, allow_graceful=False)

    def wait(tasks, **options):
        return ray.wait(tasks, **options, fetch_local=False)  # else a result may be here before it is asked for

    monkeypatch.setattr(nodes_module.Cluster, "cause", removed)
    monkeypatch.setattr(pool, "ray", SimpleNamespace(wait=wait, get=get, kill=ray.kill, exceptions=ray.exceptions))
    pixel_values = asked(8, images=500)
    rows, logits = serve(pool, [model], HELD, pixel_values, [0.0] * 8, faults=[Fault(1.5, "kill", 0)], hop=0.1)
    assert len(rows) == 8 and rows["retries"].sum() >= 1 and rows["layers"].min() < 4
    assert lost, "a result was on the machine, and not only a hop"
    agree(model, pixel_values, rows, logits)
    assert len(pool.ready(4)) == 4, "in place of the dead others are started, where there is a machine"
