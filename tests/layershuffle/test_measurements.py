"""Measurements on trained networks: computed once, remembered, and of the networks and orders that they name."""

import numpy as np
import pandas as pd
import pytest

from lsnotebook.core.draws import Pruned, draw, inversions
from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.engine import runs, tables
from lsnotebook.engine.run import Run, study
from lsnotebook.layershuffle import measurements, pruning
from lsnotebook.layershuffle.approaches import BASE, BASELINE, LAYERSHUFFLE, PREDICT, REFINED
from lsnotebook.layershuffle.evaluation import evaluate
from lsnotebook.layershuffle.measurements import accuracies
from lsnotebook.layershuffle.profiles import SMOKE


def test_an_evaluation_is_remembered_until_its_code_changes(monkeypatch):
    models = [Run(SMOKE, BASE, 0)]
    first, loaded = accuracies(models, arbitrary, 3), []
    monkeypatch.setattr(runs, "load", lambda run: loaded.append(run) or pytest.fail("evaluated again"))
    pd.testing.assert_frame_equal(accuracies(models, arbitrary, 3), first)
    assert first["order"].nunique() == 3 and not loaded
    assert first["inversions"].tolist() == [inversions([int(i) for i in order.split()]) for order in first["order"]]
    for other in ({"orders": 4}, {"part": "selection"}):
        with pytest.raises(pytest.fail.Exception, match="evaluated again"):
            accuracies(models, arbitrary, **{"orders": 3, **other})
    assert first["top1"].between(0, 1).all()
    monkeypatch.setattr(tables, "code_version", lambda *modules: "another")
    with pytest.raises(pytest.fail.Exception, match="evaluated again"):
        accuracies(models, arbitrary, 3)


@pytest.mark.slow
def test_the_refined_have_only_their_layers_and_pruning_to_all_is_no_pruning(trained):
    model = runs.load(Run(SMOKE, REFINED[2], 0))
    assert len(model.vit.layers) == model.config.num_hidden_layers == 2
    table = measurements.refined_accuracies(SMOKE, [2, 4], seeds=1, orders=3)
    assert set(table["layers"]) == {2, 4} and set(table["approach"]) == {"refined"}
    models = study(SMOKE, [LAYERSHUFFLE], 1)
    assert table.query("layers == 2 and policy == 'arbitrary'")["draw"].nunique() <= 3
    pruned = measurements.pruned_accuracies(models, [2, 4], orders=3)
    assert pruned.query("layers == 2").groupby("policy").size().to_dict() == {"sequential": 3, "arbitrary": 3}


def test_what_is_evaluated_together_is_what_each_sampler_draws():
    run = Run(SMOKE, BASE, 0)
    for sampler in (sequential, arbitrary, Pruned(2), Pruned(3, shuffled=True), Pruned(2, "even", shuffled=True)):
        orders = draw(sampler, 4, 3)
        alone = evaluate(runs.load(run), runs.splits_of(run).validation, orders)
        found = accuracies([run], sampler, 3)
        assert found["layers"].tolist() == [len(order) for order in orders] and found["policy"].eq(sampler.policy).all()
        pd.testing.assert_frame_equal(found[list(alone)], alone)
    asked = measurements.together(run, arbitrary, 3)
    assert set(draw(Pruned(SMOKE.depths[0], shuffled=True), 4, 3)) < set(asked), "one pass for all"


@pytest.mark.slow
def test_merged_accuracies_of_a_study(trained, monkeypatch):
    models = study(SMOKE, [BASELINE], 4)
    table = measurements.merged_accuracies(models, sequential, 5)
    assert len(table) == 5 and (table["order"] == "0 1 2 3").all() and (table["distinct"] == 4).all()
    assert (table["sources"].map(lambda text: len(set(text.split()))) == 4).all()
    alone = measurements.merged_accuracies(models, sequential, 5, distinct=1)
    by_seed = accuracies(models, sequential).set_index("seed")["top1"]
    assert alone["top1"].tolist() == [by_seed[int(text.split()[0])] for text in alone["sources"]]
    assert (measurements.drifts(models)["drift"] > 0).all()
    monkeypatch.setattr(runs, "load", lambda run: pytest.fail("evaluated again"))
    pd.testing.assert_frame_equal(measurements.merged_accuracies(models, sequential, 5), table)


@pytest.mark.slow
def test_norms_are_in_units_of_the_layers_own_mean(trained):
    models = study(SMOKE, [BASELINE], 1)
    table = measurements.norms(models, 40)
    assert np.allclose(table.groupby("layer")[["contribution", "attention", "mlp"]].mean(), 1)
    assert (table["distance"] == table["position"] - table["layer"]).all() and len(table) == 40 * 4
    assert (table["relative"] > 0).all() and table["image"].nunique() == 40
    read = measurements.readability(models, 1, 100)
    assert read["image"].tolist() == [*range(100)] and read[["position", "output", "norm"]].stack().isin(range(4)).all()
    joint = measurements.joint_readability(models, 60)
    assert len(joint) == 60 and joint[["position", "layer"]].stack().between(0, 1).all()


@pytest.mark.slow
def test_the_same_quantity_has_one_value_in_the_whole_book(trained):
    """Table 1's accuracies are those of pruning to all layers, and of refining with all of them."""
    models = study(SMOKE, [LAYERSHUFFLE, BASELINE], 2)
    table_1 = accuracies(models, (sequential, arbitrary))
    pruned = measurements.pruned_accuracies(models, [2, 4], orders=3).query("layers == 4")
    pd.testing.assert_frame_equal(pruned.reset_index(drop=True), table_1)
    assert table_1.query("policy == 'arbitrary'")["draw"].nunique() > 3, "as many orders as there are"
    refined = measurements.refined_accuracies(SMOKE, [1, 4], seeds=2, orders=3).query("layers == 4")
    baseline = table_1.query("approach == 'baseline'")
    for column in ("seed", "policy", "order", "top1"):
        assert refined[column].tolist() == baseline[column].tolist()
    rows = measurements.table_1(SMOKE)
    (sequential_row,) = rows.query("approach == 'baseline' and policy == 'sequential'").to_dict("records")
    assert sequential_row["mean"] == pytest.approx(baseline.query("policy == 'sequential'")["top1"].mean())
    assert (rows["networks"] == 2).all() and rows["approach"].nunique() == 4 and PREDICT.name in set(rows["approach"])


@pytest.mark.slow
def test_contributions_of_each_network_are_its_own_draws(trained, monkeypatch):
    models, asked = study(SMOKE, [LAYERSHUFFLE], 2), []
    monkeypatch.setattr(
        measurements, "tables", lambda wanted, name: asked.extend(wanted) or tables.tables(wanted, name)
    )
    table = measurements.contributions(models)
    assert [one.arguments for one in asked] == [{"seed": 0}, {"seed": 1}]
    splits = runs.splits_of(models[1])
    expected = pruning.shapley(runs.load(models[1]), splits.selection)
    found = table.query("seed == 1 and measure == 'Shapley value'")
    assert found["contribution"].tolist() == pytest.approx(expected["contribution"].tolist())
    assert len(table) == 2 * 2 * 4


@pytest.mark.slow
def test_with_nothing_held_in_place_the_accuracies_are_those_of_table_1(trained):
    models = study(SMOKE, [BASELINE, LAYERSHUFFLE], 2)
    found = measurements.collapses(models, orders=3, images=SMOKE.images.validation)["anchored"]
    for sampler, number in ((arbitrary, 0), (sequential, 4)):
        expected = accuracies(models, sampler).query("draw < 3").set_index(["approach", "seed", "draw"])["top1"]
        those = found[(found["way"] == "first") & (found["number"] == number)]
        those = those.set_index(["approach", "seed", "draw"])["top1"]
        assert those.loc[expected.index].tolist() == expected.tolist()
