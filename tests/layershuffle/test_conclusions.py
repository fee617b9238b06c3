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
