"""Sentences and tables on the collapse say what the numbers say, and the figures show them."""

import re

import numpy as np
import pandas as pd
import pytest

from lsnotebook.core.draws import inversions
from lsnotebook.core.statistics import crossed, matrix
from lsnotebook.layershuffle import collapse_figures, collapse_tables

LAYERS, CHANCE = 4, 0.1
NAMES = "baseline", "layershuffle"


@pytest.fixture
def measured():
    """Three networks and three draws, where only layer 0 matters to the ViT, and nothing much to LayerShuffle."""
    rng = np.random.default_rng(0)
    held, swaps, lens = [], [], []
    for name in NAMES:
        for seed in (0, 1, 2):
            numbers = (
                [("first", k) for k in range(5)] + [("last", k) for k in range(5)] + [("layer", k) for k in range(4)]
            )
            for way, number in numbers:
                intact = number == 4 or (way, number) == ("layer", 0) or (way == "first" and number)
                for draw in range(3):
                    top1 = 0.9 if intact else {"baseline": 0.2, "layershuffle": 0.8}[name]
                    held.append((name, seed, way, number, draw, top1 + 0.01 * seed + rng.normal(0, 0.0005)))
            for first in range(LAYERS):
                for second in range(first, LAYERS):
                    lost = 0.5 * (name == "baseline") * (first == 0 < second) + 0.01 * (second - first)
                    swaps.append((name, seed, first, second, 0.9 + 0.005 * seed - lost))
            answers = [("sequential", 0), *(("arbitrary", k) for k in range(3))]
            for policy, draw in answers if seed < 2 else ():  # the mean of three would not be exact
                slope = 0.2 if policy == "sequential" else {"baseline": 0.01, "layershuffle": 0.15}[name]
                lens += [(name, seed, policy, draw, number, 0.1 + slope * number) for number in range(LAYERS + 1)]
    return {
        "anchored": pd.DataFrame(held, columns=["approach", "seed", "way", "number", "draw", "top1"]),
        "swaps": pd.DataFrame(swaps, columns=["approach", "seed", "first", "second", "top1"]),
        "lens": pd.DataFrame(lens, columns=["approach", "seed", "policy", "draw", "number", "probability"]),
    }


def test_the_summary_is_over_networks_and_orders_and_over_all_pairs(measured):
    found = collapse_tables.summary(measured, CHANCE).set_index(["approach", "way", "number"])
    anchored = measured["anchored"].query("approach == 'baseline' and way == 'first' and number == 1")
    row = found.loc["baseline", "first", 1]
    values = anchored.pivot(index="seed", columns="draw", values="top1").to_numpy()
    assert row[["mean", "low", "high"]].tolist() == pytest.approx(list(crossed(values, (CHANCE, 1))))
    assert (row["networks"], row["orders"]) == (3, 3)
    swaps = measured["swaps"].query("approach == 'baseline'")
    for way, number, pairs in (("distance", 2, "second - first == 2"), ("from", 1, "first == 1 and second > 1")):
        assert found.loc[("baseline", way, number), "mean"] == pytest.approx(swaps.query(pairs)["top1"].mean())
        assert found.loc[("baseline", way, number), ["networks", "orders"]].tolist() == [3, 1]
    assert found.loc[("layershuffle", "arbitrary", 4), "mean"] == pytest.approx(0.7)
    assert set(found.index.get_level_values("way")) == set(collapse_tables.WAYS)


def test_sentences_say_what_the_numbers_say(measured):
    found, anchored = collapse_tables.summary(measured, CHANCE), measured["anchored"]
    cells = collapse_tables.anchored(found)
    assert list(cells) == ["ViT", "LayerShuffle"] and len(cells) == 2 * (LAYERS + 1)
    none, one = cells.loc[[("the first", 0), ("the first", 1)], "ViT"]
    assert none.startswith("21.0 [") and one.startswith("91.0 [")
    kept = collapse_tables.few_in_place(found, CHANCE)
    assert f"**ViT**: {none} with none, {one} with 1, " in kept and "nine tenths from 1 on" in kept
    assert "The first matter more for ViT" in collapse_tables.first_or_last(anchored, LAYERS)
    swapped = anchored.replace({"way": {"first": "last", "last": "first"}})
    assert "the last for ViT" in collapse_tables.first_or_last(swapped, LAYERS)
    alone = collapse_tables.one_in_place(anchored, CHANCE)
    assert f"**ViT**: {none} with none, 91.0 [" in alone and "] with layer 0, 21.0 [" in alone
    assert "best is layer 0" in alone and alone.endswith("Layer 0 stands out for ViT and LayerShuffle.")
    told = collapse_tables.exchanged(measured["swaps"])
    assert "**ViT** loses 26.7 points on average. With layer 0 it loses 50.0 more" in told
    assert "**LayerShuffle** loses 1.7 points on average. With layer 0 it loses 0.0 more" in told
    rng = np.random.default_rng(0)
    noisy = measured["swaps"].assign(top1=lambda table: table["top1"] + rng.normal(0, 1e-4, len(table)))
    told = collapse_tables.exchanged(noisy)
    assert re.search(r"\*\*ViT\*\* loses 26\.\d \[26\.\d,\u00a026\.\d\] points", told), "over the networks"
    assert told.endswith("exchanging layer 0 costs more than exchanging others for ViT.")
    found["low"] = found["mean"] - 0.05
    found["high"] = found["mean"] + 0.05
    answers = collapse_tables.answer_forms(found, CHANCE)
    half = "half of the rise after 2 of 4 layers"
    assert f"**ViT**: 90.0 [85.0,\u00a095.0] in sequence ({half}), 14.0 [9.0,\u00a019.0] in arb" in answers
    assert answers.endswith("twice chance, in LayerShuffle.")
    unsure = collapse_tables.answer_forms(found.assign(low=0.1), CHANCE)
    assert unsure.endswith("twice chance, in none of them."), "by the interval, not by the mean"


def test_the_verdict_is_a_share_with_its_interval(measured):
    anchored = measured["anchored"]
    told = collapse_tables.verdict(anchored, CHANCE, LAYERS)
    assert "nearly all of the collapse is theirs" in told and "by the first of 4 layers" in told
    vit = anchored.query("approach == 'baseline' and way == 'first'")
    none, one, whole = (matrix(vit[vit["number"] == number]).to_numpy() for number in (0, 1, 4))
    share = (one.mean() - none.mean()) / (whole.mean() - none.mean())
    found = re.search(r"cost the ViT, ([\d.]+)\u00a0% \[([\d.]+),\u00a0([\d.]+)\] is regained", told)
    mean, low, high = map(float, found.groups())
    assert mean == pytest.approx(100 * share, abs=0.05) and low < mean < high < low + 2
    shuffle = anchored.query("approach == 'layershuffle' and way == 'first'").groupby("number")["top1"].mean()
    assert f"keeps {100 * (shuffle[0] - CHANCE) / (shuffle[4] - CHANCE):.1f}\u00a0% [" in told


def test_where_nothing_collapses_that_is_said(measured):
    named = {"baseline": "layershuffle", "layershuffle": "baseline"}
    same = measured["anchored"].assign(approach=lambda table: table["approach"].map(named))
    rng = np.random.default_rng(1)
    same["top1"] = same["top1"].where(same["way"] != "first", 0.9 + rng.normal(0, 1e-3, len(same)))
    told = collapse_tables.verdict(same, CHANCE, LAYERS)
    assert "nothing collapses" in told and re.search(r"the ViT keeps (99|100)\.\d\u00a0% \[", told)


@pytest.mark.parametrize(("by", "answer"), [("place", "position of layer 0"), ("inversions", "distance")])
def test_whether_it_is_the_distance_is_told_from_the_orders(by, answer):
    rng, rows = np.random.default_rng(1), []
    for draw in range(40):
        order = rng.permutation(6).tolist()
        places = {"place": order.index(0), "inversions": inversions(order)}
        for seed in (0, 1, 2):
            top1 = 0.9 - 0.02 * places[by] + rng.normal(0, 0.01)
            rows.append(("baseline", seed, draw, " ".join(map(str, order)), places["inversions"], top1))
    table = pd.DataFrame(rows, columns=["approach", "seed", "draw", "order", "inversions", "top1"])
    told = collapse_tables.distance_or_beginning(table)
    assert (
        f"For the ViT, the {answer} goes with the accuracy more closely; where layer 0 runs first, " in told
        and "points more" in told
    )
    late = table[~collapse_tables.begins_with_first(table)]
    assert "none was drawn" in collapse_tables.distance_or_beginning(late)


@pytest.mark.parametrize("scales", [1, 2])
def test_curves_show_the_means_of_every_scale_and_what_approaches_it_has(measured, scales):
    found = collapse_tables.summary(measured, CHANCE)
    tables = {"this build": found, "recorded": found[found["approach"] == "baseline"]}
    tables = dict(list(tables.items())[:scales])
    ways = {"first": ("the first", "held"), "last": ("the last", "held")}
    figure = collapse_figures.curves(tables, ways, "top-1", dict.fromkeys(tables, CHANCE))
    assert len(figure.axes) == 2 * scales
    (vit,) = (line for line in figure.axes[0].lines if line.get_label() == "ViT")
    means = found.query("approach == 'baseline' and way == 'first'").sort_values("number")["mean"]
    assert np.allclose(vit.get_ydata(), 100 * means)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["ViT", "LayerShuffle"]
    assert "recorded" not in figure.axes[0].get_ylabel() and (scales == 1 or "recorded" in figure.axes[2].get_ylabel())


def test_the_map_of_pairs_holds_their_means(measured):
    figure = collapse_figures.pairs(measured["swaps"], CHANCE)
    shown = figure.axes[0].images[0].get_array()
    mean = 100 * measured["swaps"].query("approach == 'baseline' and first == 0 and second == 2")["top1"].mean()
    assert shown[0, 2] == pytest.approx(mean) and np.ma.getmaskarray(np.ma.masked_invalid(shown))[2, 0]
