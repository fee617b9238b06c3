"""Trials: who holds what, what befalls whom, and what the simulation makes of it."""

import math

import numpy as np
import pytest

from lsnotebook.swarm.hops import Block, SwarmError
from lsnotebook.swarm.trials import HORIZON, Trial, simulated, summary, varied


def rng():
    return np.random.default_rng(0)


def test_planned_nodes_hold_each_layer_equally_often_and_others_what_chance_gives_them():
    held = Trial(nodes=24).layout(12, rng())
    assert sorted(block.layer for (block,) in held.values()) == sorted([*range(12)] * 2)
    drawn = [Trial(nodes=24, planned=False).layout(12, np.random.default_rng(k)) for k in range(400)]
    covered = np.mean([len({block.layer for (block,) in held.values()}) == 12 for held in drawn])
    exactly = sum((-1) ** k * math.comb(12, k) * ((12 - k) / 12) ** 24 for k in range(13))  # inclusion, exclusion
    assert covered == pytest.approx(exactly, abs=0.05)


def test_a_node_that_holds_several_layers_holds_no_layer_twice():
    few = Trial(nodes=3, holds=2).layout(6, rng())
    assert sorted(block.layer for blocks in few.values() for block in blocks) == [*range(6)]
    drawn = Trial(nodes=50, holds=3, planned=False).layout(4, rng())
    assert all(len(set(blocks)) == 3 for blocks in drawn.values())
    assert summary(simulated(Trial(nodes=3, holds=2, load=0.1), layers=6, requests=20))["layers"] == 6


def test_as_many_die_as_are_killed_and_the_same_is_held_by_who_replaces_them():
    trial = Trial(nodes=6, kill=2, slow=1, replaced=5)
    held = trial.layout(3, rng())
    faults = trial.faults(held, 3, rng())
    kinds = {kind: [one for one in faults if one.kind == kind] for kind in ("kill", "slow", "join")}
    assert [len(kinds[kind]) for kind in kinds] == [2, 1, 2]
    assert len({one.node for one in kinds["kill"] + kinds["slow"]}) == 3, "no node twice"
    for died, joined in zip(kinds["kill"], kinds["join"], strict=True):
        assert joined.time == died.time + 5 and joined.blocks == held[died.node] and joined.node not in held


def test_nodes_fail_as_often_as_the_mean_time_between_failures_says():
    trial = Trial(nodes=500, mtbf=100, replaced=1)
    held = trial.layout(5, rng())
    faults = trial.faults(held, 5, rng())
    died = [one for one in faults if one.kind == "kill"]
    assert len(died) == pytest.approx(500 * HORIZON / 101, rel=0.05) and max(one.time for one in died) < HORIZON
    assert len({one.node for one in died}) == len(died), "who replaces a node has a name of its own"
    assert len(Trial(nodes=500, mtbf=100).faults(held, 5, rng())) == pytest.approx(500 * (1 - math.exp(-4)), rel=0.05)


def test_a_node_is_busy_for_the_share_of_the_time_that_the_load_says():
    rows = simulated(Trial(nodes=12, load=0.3), layers=6, requests=4000)
    busy = sum(sum(ended) - sum(begun) for begun, ended in zip(rows["begun"], rows["ended"], strict=True))
    assert busy / (12 * rows["answered"].max()) == pytest.approx(0.3, rel=0.05)
    assert summary(rows)["layers"] == 6


@pytest.mark.parametrize(
    ("trial", "sentence"),
    [
        (Trial(nodes=3, kill=2, slow=2), "take at most 3 together"),
        (Trial(deadline=0), "The deadline is 0 hops"),
        (Trial(patience=-1), "The patience is -1 hops"),
        (Trial(holds=4), "A node is to hold 4 layers, but there are 3"),
        (Trial("pipeline", kill=1), "A pipeline waits for what nobody holds"),
        (Trial("pipeline", mtbf=100), "A pipeline waits for what nobody holds"),
    ],
)
def test_trials_that_cannot_be_are_told(trial, sentence):
    with pytest.raises(SwarmError, match=sentence):
        simulated(trial, 3, 5)


def test_variations_are_named_by_their_value():
    assert varied(Trial(), load=[0.05, 0.9])["0.9"].load == 0.9
    assert varied(Trial(), nodes=[3])["3"].layout(3, rng()) == {k: (Block(0, k),) for k in range(3)}
