"""Trials: who holds what, what befalls whom, and how the answers are judged."""

import math

import numpy as np
import pytest

from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.engine.run import study
from lsnotebook.layershuffle.approaches import BASELINE, LAYERSHUFFLE
from lsnotebook.layershuffle.measurements import accuracies
from lsnotebook.layershuffle.profiles import SMOKE
from lsnotebook.swarm.router import Block, SwarmError
from lsnotebook.swarm.trials import Trial, answers, simulated, summary, varied


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setattr("lsnotebook.engine.tables.cpu_count", lambda: 1)


def rng():
    return np.random.default_rng(0)


def test_planned_nodes_hold_each_layer_equally_often_and_others_what_chance_gives_them():
    held = Trial(nodes=24).layout(12, rng())
    assert sorted(block.layer for (block,) in held.values()) == sorted([*range(12)] * 2)
    drawn = [Trial(nodes=24, planned=False).layout(12, np.random.default_rng(k)) for k in range(400)]
    covered = np.mean([len({block.layer for (block,) in held.values()}) == 12 for held in drawn])
    exactly = sum((-1) ** k * math.comb(12, k) * ((12 - k) / 12) ** 24 for k in range(13))  # inclusion, exclusion
    assert covered == pytest.approx(exactly, abs=0.05)


def test_as_many_die_as_are_killed_and_the_same_is_held_by_who_replaces_them():
    trial = Trial(nodes=6, kill=2, slow=1, replaced=5)
    held = trial.layout(3, rng())
    faults = trial.faults(held, 3, rng())
    kinds = {kind: [one for one in faults if one.kind == kind] for kind in ("kill", "slow", "join")}
    assert [len(kinds[kind]) for kind in kinds] == [2, 1, 2]
    assert len({one.node for one in kinds["kill"] + kinds["slow"]}) == 3, "no node twice"
    for died, joined in zip(kinds["kill"], kinds["join"], strict=True):
        assert joined.time == died.time + 5 and joined.blocks == held[died.node] and joined.node not in held


def test_a_node_is_busy_for_the_share_of_the_time_that_the_load_says():
    rows = simulated(Trial(nodes=12, load=0.3), layers=6, requests=4000, jitter=0)
    busy = sum(sum(ended) - sum(begun) for begun, ended in zip(rows["begun"], rows["ended"], strict=True))
    assert busy / (12 * rows["answered"].max()) == pytest.approx(0.3, rel=0.05)
    assert summary(rows)["layers"] == 6


def test_without_faults_and_load_a_swarm_answers_as_the_network_does():
    models = study(SMOKE, [BASELINE, LAYERSHUFFLE], 2)
    images = 100  # of validation
    trials = {"pipeline": Trial("pipeline", nodes=4, load=0.01), "any": Trial("any", nodes=4, load=0.01)}
    found = answers(models, trials, images, 1).set_index(["policy", "approach", "seed"])["top1"]
    alone = accuracies(models, sequential).set_index(["approach", "seed"])["top1"]
    for run in models:
        key = (run.approach.name, run.seed)
        assert found["pipeline"][key] == pytest.approx(alone[key])
    shuffled = accuracies(models, arbitrary, 10).groupby(["approach", "seed"])["top1"].mean()
    assert found["any"].sub(shuffled).abs().max() < 0.2


def test_layers_of_several_networks_are_drawn_and_rotated_over_the_seeds():
    models = study(SMOKE, [LAYERSHUFFLE], 2)
    found = answers(models, {"similar": Trial("similar", nodes=8, networks=2)}, 50, 2)
    assert len(found) == 4 and found["layers"].eq(4).all() and found["top1"].between(0, 1).all()
    with pytest.raises(SwarmError, match="layers of 3 networks, but there are 2"):
        answers(models, {"similar": Trial("similar", nodes=8, networks=3)}, 5, 1)


@pytest.mark.parametrize(
    ("trial", "sentence"),
    [
        (Trial(nodes=3, kill=2, slow=2), "take at most 3 together"),
        (Trial(deadline=0), "The deadline is 0 hops"),
        (Trial(patience=-1), "The patience is -1 hops"),
        (Trial("pipeline", kill=1), "A pipeline waits for what the dead held"),
    ],
)
def test_trials_that_cannot_be_are_told(trial, sentence):
    with pytest.raises(SwarmError, match=sentence):
        simulated(trial, 3, 5)


def test_variations_are_named_by_their_value():
    assert varied(Trial(), load=[0.05, 0.9])["0.9"].load == 0.9
    assert varied(Trial(), nodes=[3])["3"].layout(3, rng()) == {k: (Block(0, k),) for k in range(3)}
