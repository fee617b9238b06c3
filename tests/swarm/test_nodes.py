"""Real nodes: processes of a local Ray that are killed in the middle of their work."""

import dataclasses
import math

import pytest
import torch

from lsnotebook.engine.run import Run
from lsnotebook.layershuffle.approaches import LAYERSHUFFLE
from lsnotebook.layershuffle.profiles import SMOKE
from lsnotebook.swarm.driver import Fault
from lsnotebook.swarm.nodes import nodes, serve
from lsnotebook.swarm.real import real
from lsnotebook.swarm.replay import replay
from lsnotebook.swarm.router import Block, SwarmError
from lsnotebook.swarm.trials import Trial

ray = pytest.importorskip("ray", reason="the extra `cluster` is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # Ray's own


@pytest.fixture(scope="module")
def pool():
    with nodes(4) as pool:
        yield pool
    assert not ray.is_initialized()


HELD = {k: (Block(0, k),) for k in range(4)}


@pytest.fixture
def model(toy):
    return toy()


def asked(requests, images=2):
    return torch.randn(requests, images, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def agree(model, pixel_values, rows, logits):
    again = [replay([model], pixel_values[:, k], rows["route"]) for k in range(pixel_values.shape[1])]
    torch.testing.assert_close(logits, torch.stack(again, dim=1), rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["kill", "crash"])
def test_no_answer_is_lost_when_nodes_die_and_all_are_those_of_the_network_itself(pool, model, capfd, kind):
    pixel_values = asked(20)
    faults = [Fault(3, kind, 1), Fault(6, "slow", 2, factor=4), Fault(5, "join", "new", blocks=(Block(0, 1),))]
    rows, logits = serve(pool, [model], HELD, pixel_values, [k / 2 for k in range(20)], faults=faults)
    assert rows["request"].tolist() == list(range(20)) and rows["layers"].between(3, 4).all()
    assert rows["retries"].sum() >= 1, "somebody was in the middle of a hop, or found a dead node"
    agree(model, pixel_values, rows, logits)
    assert "died" not in "".join(capfd.readouterr()), "deaths are expected, and stay out of the page"


def test_a_replacement_is_waited_for_by_a_pipeline(pool, model):
    pixel_values = asked(3)
    faults = [Fault(0.5, "kill", 2), Fault(1, "join", "new", blocks=(Block(0, 2),))]
    rows, logits = serve(pool, [model], HELD, pixel_values, [0, 0, 0], rule="pipeline", faults=faults)
    assert rows["layers"].tolist() == [4, 4, 4]
    agree(model, pixel_values, rows, logits)


def test_an_answer_is_there_by_its_deadline(pool, model):
    rows, _ = serve(pool, [model], HELD, asked(6), [0.0] * 6, deadline=3)
    assert (rows["answered"] - rows["born"]).max() < 3 + 3, "a busy machine may notice it late"
    assert rows["layers"].min() < 4


def test_states_too_large_to_travel_with_their_message_are_answered_or_lost_with_their_node(pool, model):
    """Above 100 KB, Ray keeps a result where it was made."""
    pixel_values = asked(8, images=500)
    faults = [Fault(2, "crash", 0), Fault(3, "kill", 3)]
    rows, logits = serve(pool, [model], HELD, pixel_values, [0.0] * 8, faults=faults, hop=0.1)
    assert len(rows) == 8
    agree(model, pixel_values, rows, logits)


def test_a_trial_is_run_as_it_is_simulated(pool, store):
    trial = Trial(nodes=4, kill=1, in_flight=3, deadline=20, patience=6)
    rows, faults, difference = real(pool, Run(SMOKE, LAYERSHUFFLE, 0), trial, requests=12)
    assert len(rows) == 12 and difference < 1e-5 and rows["right"].mean() > 0.3
    assert [fault.kind for fault in faults] == ["crash"]


def test_what_cannot_be_is_told_before_anything_starts(pool, model):
    with pytest.raises(SwarmError, match="50 nodes hold layers, but the pool has"):
        serve(pool, [model], {k: (Block(0, 0),) for k in range(50)}, asked(1), [0])
    with pytest.raises(SwarmError, match="at least one node, but 0 are asked for"), nodes(0):
        pass
    with pytest.raises(SwarmError, match="The deadline is 0 hops"):
        dataclasses.replace(Trial(), deadline=0, patience=math.inf).check(4)
