"""The sentences that end the sections say what the tables say."""

import numpy as np
import pandas as pd
import pytest

from lsnotebook.core.statistics import matrix
from lsnotebook.layershuffle import conclusions
from lsnotebook.pages.tables import mean_and_interval


@pytest.fixture
def accuracies():
    """Three networks under four orders: the ViT better in sequence, worse in arbitrary order; a variant not apart."""
    rng, rows = np.random.default_rng(0), []
    means = {"baseline": (0.9, 0.2), "layershuffle": (0.8, 0.7), "layershuffle-position": (0.8, 0.7)}
    for name, both in means.items():
        for policy, mean, draws in zip(("sequential", "arbitrary"), both, (1, 4), strict=True):
            rows += [
                (name, policy, seed, draw, mean + rng.normal(0, 0.01)) for seed in range(3) for draw in range(draws)
            ]
    return pd.DataFrame(rows, columns=["approach", "policy", "seed", "draw", "top1"])


def test_only_what_is_apart_is_called_better_or_worse(accuracies):
    told = conclusions.apart(accuracies)
    assert "- in sequence, better than LayerShuffle: ViT; worse: none of them.\n" in told
    assert "- in arbitrary order, better than LayerShuffle: none of them; worse: ViT.\n" in told


def test_an_order_costs_the_difference_within_a_network(accuracies):
    vit = accuracies[accuracies["approach"] == "baseline"]
    first, second = (matrix(vit[vit["policy"] == policy]).to_numpy() for policy in ("sequential", "arbitrary"))
    assert f"costs {mean_and_interval(first - second)} points for ViT" in conclusions.cost(accuracies)


def test_networks_whose_last_loss_is_the_lowest_are_counted():
    rows = [("baseline", 0, 40, 0.3), ("baseline", 0, 80, 0.2), ("baseline", 1, 40, 0.1), ("baseline", 1, 80, 0.2),
            ("layershuffle", 0, 40, 0.3), ("layershuffle", 0, 80, 0.1)]  # fmt: skip
    told = conclusions.learned(pd.DataFrame(rows, columns=["approach", "seed", "step", "selection_loss"]))
    assert "in 1 of 2 for ViT, 1 of 1 for LayerShuffle; in the other" in told


def test_the_heaviest_layer_is_that_of_the_highest_mean():
    rows = [("leave one out", "baseline", seed, layer, 0.1 * layer - 0.02 * seed * layer)
            for seed in (0, 1, 2) for layer in (0, 1, 2)]  # fmt: skip
    told = conclusions.heaviest(pd.DataFrame(rows, columns=["measure", "approach", "seed", "layer", "contribution"]))
    assert f"- leave one out: layer 2 of ViT with {mean_and_interval(np.array([0.2, 0.16, 0.12]))}" in told


def test_what_choosing_is_worth_is_told_where_it_is_most(accuracies):
    drawn = accuracies.query("approach == 'layershuffle' and policy == 'arbitrary'")
    random = pd.concat([drawn.assign(layers=3), drawn.assign(layers=6)])
    rows = [("layershuffle", layers, seed, top1) for seed in range(3) for layers, top1 in ((3, 0.75), (6, 0.9))]
    chosen = pd.DataFrame(rows, columns=["approach", "layers", "seed", "top1"])
    expected = mean_and_interval(0.9 - matrix(drawn).to_numpy())
    assert f"at most {expected} points for LayerShuffle, where 6 are kept (" in conclusions.chosen(chosen, random)


def test_sources_are_told_from_the_fewest_to_the_most():
    rows = [("baseline", distinct, top1) for distinct, top1 in ((1, 0.9), (1, 0.8), (4, 0.5), (4, 0.3), (2, 0.7))]
    told = conclusions.sources(pd.DataFrame(rows, columns=["approach", "distinct", "top1"]))
    assert "ViT 85.00\u00a0±\u00a07.07 from 1 and 40.00\u00a0±\u00a014.14 from 4 (mean" in told


def test_pages_end_in_answers_that_their_tables_give(accuracies):
    apart = conclusions.told_apart(accuracies)
    assert apart == "Of the 4 paired differences to LayerShuffle, 2 have an interval that leaves out zero."
    rows = [("baseline", seed, draw, 0.1 * draw) for seed in range(3) for draw in range(4)]
    rows += [("layershuffle", seed, draw, 0.1 * seed) for seed in range(3) for draw in range(4)]
    shuffled = pd.DataFrame(rows, columns=["approach", "seed", "draw", "top1"])
    told = conclusions.most_variance(shuffled).replace("\u00a0", " ")
    assert told.endswith("comes from order for ViT (100 %); from seed for LayerShuffle (100 %).")


def test_the_middle_depth_in_arbitrary_order_is_told(accuracies):
    pruned = pd.concat(
        [accuracies.assign(layers=layers, top1=accuracies["top1"] - 0.01 * layers) for layers in (1, 2, 9)]
    )
    told = conclusions.left(pruned, 0.1)
    assert told.startswith("With 2 layers left, in arbitrary order, top-1 in % is 1") and "and 6" in told


def test_the_layer_that_matters_and_the_drift_that_is_survived_are_told():
    rows = [(measure, name, layer, (layer == most) * 0.1)
            for measure, name, most in (("one", "baseline", 1), ("one", "layershuffle", 0), ("two", "baseline", 0))
            for layer in (0, 1)]  # fmt: skip
    told = conclusions.matters(pd.DataFrame(rows, columns=["measure", "approach", "layer", "contribution"]))
    assert told.endswith("is, by one, layer 1 of ViT and layer 0 of LayerShuffle; by two, layer 0 of ViT.")
    rows = [("baseline", 0.1, 0.9, 0.8), ("baseline", 0.3, 0.9, 0.4), ("layershuffle", 0.5, 0.7, 0.6)]
    drifted = pd.DataFrame(rows, columns=["approach", "drift", "source", "merged"])
    told = conclusions.survives(drifted).replace("\u00a0", " ")
    assert told.endswith("ViT up to a drift of 10 %; LayerShuffle up to a drift of 50 %, the furthest here.")
    assert "ViT at no drift here" in conclusions.survives(drifted[1:])
