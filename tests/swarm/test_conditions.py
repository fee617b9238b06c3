"""What the page compares can be, whatever the number of layers."""

import dataclasses

import pytest

from lsnotebook.swarm import conditions
from lsnotebook.swarm.conditions import SERVED, SKIPPING
from lsnotebook.swarm.trials import simulated


def trials(layers):
    """All that the page simulates, each under its rule."""
    pairs = [
        *((SERVED, of(layers)) for of in (conditions.deadlines, conditions.loads, conditions.failures)),
        *((SKIPPING, of) for of in (conditions.dead(layers), conditions.cases(layers, 4))),
        (SERVED, conditions.straggling(layers, 4)),
        *conditions.ways(layers),
        *conditions.uncoordinated(layers),
        *conditions.several(layers, 2),
    ]
    for rules, those in pairs:
        for rule in rules.values():
            for name, trial in those.items():
                yield f"{name}, {rule}", dataclasses.replace(trial, rule=rule)


@pytest.mark.parametrize("layers", [2, 3, 12])
def test_every_condition_can_be_simulated(layers):
    for name, trial in trials(layers):
        rows = simulated(trial, layers, requests=5)
        assert len(rows) == 5 and rows["layers"].le(layers).all(), name
    for trial in conditions.sizes(layers).values():
        trial.check(layers)
    assert all(trial.nodes <= layers for _, _, trial in conditions.staged(layers)), "few real nodes"


def test_a_tight_deadline_leaves_out_layers_and_an_ample_one_does_not():
    short, ample = (simulated(conditions.deadlines(12)[hops], 12, 40) for hops in ("10", "24"))
    assert short["layers"].max() < 12 and ample["layers"].mean() > 11.5
