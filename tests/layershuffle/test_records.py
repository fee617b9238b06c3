"""What is recorded is of the networks that are in the store, and of no others."""

import numpy as np
import pytest

from lsnotebook.core.orders import arbitrary
from lsnotebook.engine import finished, runs
from lsnotebook.engine.run import Run, study
from lsnotebook.layershuffle import measurements, records
from lsnotebook.layershuffle.approaches import BASE, LAYERSHUFFLE, TABLE_1
from lsnotebook.layershuffle.profiles import SMOKE

pytestmark = pytest.mark.slow


@pytest.fixture
def table_1_only(shared, store, monkeypatch):
    """A store with the networks of Table 1, and none that could be trained."""
    runs_of_smoke = store / "runs" / "smoke"
    runs_of_smoke.mkdir(parents=True)
    for run in [Run(SMOKE, BASE, 0), *study(SMOKE, TABLE_1)]:
        (runs_of_smoke / run.folder.name).symlink_to(shared / "runs" / "smoke" / run.folder.name)
    monkeypatch.setattr(runs, "train", lambda run, *_: pytest.fail(f"trained {run}"))


def test_claims_are_recorded_where_their_networks_are_trained(table_1_only):
    found = records.claims(SMOKE)
    assert set(found["page"]) == {"02_execution_order", "04_representations"}
    assert {"C1", "C7", "C11", "C14"} <= set(found["id"]) and not {"C8", "C12"} & set(found["id"])


def test_learning_curves_are_of_the_trained_networks_and_their_base(table_1_only):
    found = records.curves(SMOKE)
    assert set(found["approach"]) == {"base", *(one.name for one in TABLE_1)}
    one = found.query("approach == 'layershuffle' and seed == 1").drop(columns=["approach", "seed"])
    assert np.allclose(one, finished.history(Run(SMOKE, LAYERSHUFFLE, 1)), equal_nan=True)


def test_networks_are_recorded_one_by_one(table_1_only):
    found = records.networks(SMOKE, merged=3)
    assert set(found["approach"]) == {approach.name for approach in TABLE_1}, "the sum of the losses is not trained"
    top1 = measurements.accuracies(study(SMOKE, [LAYERSHUFFLE]), arbitrary).groupby("seed")["top1"].mean()
    there = found.query("approach == 'layershuffle' and measure == 'arbitrary'").set_index("number")["value"]
    assert np.allclose(there, top1)
    assert set(found.query("measure == 'position'")["approach"]) == {"layershuffle-predict"}
    assert len(found.query("approach == 'baseline' and measure == 'merged'")) == 3


def test_the_collapse_is_recorded_without_layerdrop_where_that_is_not_trained(table_1_only):
    found = records.collapse(SMOKE, images=50)
    assert set(found["approach"]) == {"baseline", "layershuffle"}
    assert {(name, way) for name, way in zip(found["approach"], found["way"], strict=True)} < set(
        records.collapse_keys(SMOKE)
    )
    all_held = found.query("way == 'first' and number == 4").set_index("approach")["mean"]
    unchanged = found.query("way == 'distance' and number == 0").set_index("approach")["mean"]
    assert all_held.to_dict() == pytest.approx(unchanged.to_dict())
