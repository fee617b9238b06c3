"""What the page measures: simulated swarms, answered by trained networks, once."""

import numpy as np
import pytest

from lsnotebook.core.draws import Pruned
from lsnotebook.core.orders import sequential
from lsnotebook.engine.cluster import SweepError
from lsnotebook.engine.run import study
from lsnotebook.layershuffle.approaches import BASELINE, LAYERSHUFFLE
from lsnotebook.layershuffle.measurements import accuracies
from lsnotebook.layershuffle.profiles import SMOKE
from lsnotebook.swarm import measurements
from lsnotebook.swarm.hops import SwarmError
from lsnotebook.swarm.measurements import answers, carried_out, compared, halves, scaled
from lsnotebook.swarm.trials import Trial, simulated, summary

pytestmark = pytest.mark.usefixtures("trained")


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setattr("lsnotebook.engine.tables.cpu_count", lambda: 1)


def test_without_faults_and_load_a_swarm_answers_as_the_networks_do():
    models, images = study(SMOKE, [BASELINE], 2), 100  # of validation
    trial = Trial("pipeline", nodes=4, load=0.01)
    found = answers([("alone", models, trial)], images, 1)
    alone = accuracies(models, sequential)
    assert found["top1"].tolist() == pytest.approx(alone["top1"].tolist()) and found["seed"].tolist() == [0, 1]
    assert set(found["rule"]) == {"pipeline"} and found["layers"].eq(4).all()
    for name, value in summary(simulated(trial, 4, images)).items():
        assert found[name].tolist() == pytest.approx([value] * 2), "the same for all networks"


def test_layers_of_several_networks_are_drawn_and_the_networks_take_turns():
    models = study(SMOKE, [LAYERSHUFFLE], 2)
    found = answers([("any", models, Trial("similar", nodes=8, networks=2))], 50, 2)
    assert len(found) == 4 and found["layers"].eq(4).all()
    assert len(np.unique(found.query("draw == 0")["top1"])) <= 2
    with pytest.raises(SwarmError, match="layers of 3 networks, but there are 2"):
        answers([("any", models, Trial("similar", nodes=8, networks=3))], 5, 1)


def test_half_of_the_layers_are_the_first_ones_or_any():
    found = halves(SMOKE, 2)
    assert found["layers"].eq(2).all() and found["approach"].nunique() == 3
    first = found[found["which"] == "first"]
    alone = accuracies(study(SMOKE, [BASELINE], 2), Pruned(2, "first"))
    assert first[first["approach"] == "baseline"]["top1"].tolist() == alone["top1"].tolist()
    assert len(found) > 2 * len(first), "many draws of random ones"


def test_what_cannot_be_is_told_before_anything_is_computed():
    with pytest.raises(SwarmError, match="take at most 2 together"):
        compared(SMOKE, {"few": Trial(nodes=2, kill=3)})


def test_latencies_of_many_nodes_need_no_network(store, monkeypatch):
    found = scaled(2, requests=20, draws=1)
    assert found.groupby("approach")["policy"].apply(list).tolist() == [["1", "2", "6", "20", "60", "200", "600"]] * 3
    monkeypatch.setattr(measurements, "simulated", None)
    assert scaled(2, requests=20, draws=1).equals(found), "remembered"


@pytest.mark.parametrize("error", [SweepError, SwarmError])
def test_without_ray_the_readers_swarm_is_simulated_and_the_reason_told(monkeypatch, error):
    def missing(count):
        raise error("There is no Ray.")

    monkeypatch.setattr(measurements, "nodes", missing)
    trial = Trial(nodes=4, kill=1, deadline=6)
    (alone,), left_out = carried_out(SMOKE, trial, requests=10)
    assert left_out == "There is no Ray." and alone.agreement is None
    assert alone.rows.equals(simulated(trial, 4, 10)) and [fault.kind for fault in alone.faults] == ["kill"]
