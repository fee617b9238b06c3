"""Images leave after the first layer that is sure enough, by thresholds that other images chose."""

import re

import pandas as pd
import pytest
import torch

from lsnotebook.core.seeding import seeded
from lsnotebook.sortednet import exit_views, exits
from lsnotebook.sortednet.approaches import DEPTH
from lsnotebook.sortednet.networks import initial
from lsnotebook.sortednet.profiles import SMOKE

TITLES = {"sortednet-depth": "sorted in depth"}


def answers(seeds=2):
    """Ten images of each part and three layers: half are sure and right at once, half after two layers, before which
    they are wrong; on the selection images one is sure and wrong after the first layer."""
    rows = [
        ("sortednet-depth", seed, part, image, layer, *answer)
        for seed in range(seeds)
        for part in ("selection", "validation")
        for image in range(10)
        for layer in (1, 2, 3)
        for easy in [image < 5]
        for answer in [(0.9, True, True) if easy or layer > 1 else (0.85 if image == 9 else 0.4, False, False)]
    ]
    columns = ["approach", "seed", "part", "image", "layers", "confidence", "right", "agrees"]
    return pd.DataFrame(rows, columns=columns)


def test_an_image_leaves_where_it_is_first_sure_enough_and_at_the_end_otherwise():
    table = answers().query("seed == 0 and part == 'validation'")
    assert exits.leaving(table, 0.9)["layers"].tolist() == [1] * 5 + [2] * 5
    assert exits.leaving(table, 0.8)["layers"].tolist() == [1] * 5 + [2] * 4 + [1]
    assert (exits.leaving(table, 1.0)["layers"] == 3).all()
    assert (exits.leaving(table, 0.0)["layers"] == 1).all()


def test_the_threshold_is_the_cheapest_that_costs_little_on_the_selection_images():
    found = exits.chosen(answers())
    assert found["threshold"].tolist() == [0.9, 0.9], "0.5 to 0.8 let the wrong answer go"
    assert found["layers"].tolist() == [1.5, 1.5] and (found["top1"] == 1).all() and (found["full"] == 1).all()
    assert exits.chosen(answers(), tolerance=10)["layers"].tolist() == [1.4, 1.4]
    shown = exit_views.chosen(found, TITLES, 3)
    assert (
        shown.loc["sorted in depth", "threshold"] == "0.9" and shown.loc["sorted in depth", "mean layers run"] == "1.5"
    )


def test_no_image_leaves_before_the_first_layer_nor_after_the_last():
    """Networks that differ: the interval of their mean would reach beyond what can be."""
    for few, most in ((1.0, 1.8), (2.3, 3.0)):
        layers = [few, (few + most) / 2, most]
        found = pd.DataFrame({"approach": "sortednet-depth", "seed": range(3), "threshold": 0.9, "layers": layers})
        shown = exit_views.chosen(found.assign(top1=[0.8, 0.9, 0.85], full=[0.9, 0.95, 0.92]), TITLES, 3)
        low, high = re.findall(r"[\d.]+", shown.loc["sorted in depth", "mean layers run"])[1:]
        assert 1 <= float(low) < float(high) <= 3


def test_prefixes_and_figures_show_the_means():
    fixed = exits.prefixes(answers()).query("part == 'validation'")
    assert fixed.groupby("layers")["top1"].mean().tolist() == [0.5, 1, 1]
    line = exit_views.rejections(fixed, TITLES).axes[0].lines[0]
    assert line.get_ydata().tolist() == [50, 0, 0]
    curves = exits.curve(answers()).query("part == 'validation'")
    left, dots, _ = exit_views.by_layers(curves, fixed, TITLES, 0.1).axes[0].lines
    assert dots.get_ydata().tolist() == [50, 100, 100] and left.get_xdata()[-1] == 3


@pytest.mark.parametrize("threshold", [0.0, 1.1])
def test_timing_runs_the_layers_that_it_says(images, threshold):
    with seeded(0, "toy"):
        network = initial(SMOKE, DEPTH).eval()
    times = exits.timed(network, images, threshold)
    assert times["layers"] == (1 if threshold == 0 else SMOKE.backbone.layers) and times["whole"] > 0
    assert "of the time" in exit_views.measured_time(times, 3)


def test_answers_are_those_of_the_network(images):
    from torch.utils.data import TensorDataset

    from lsnotebook.data.splits import Splits

    part = TensorDataset(images, torch.arange(len(images)))
    with seeded(0, "toy"):
        network = initial(SMOKE, DEPTH).eval()
    table = exits.answers([network], Splits(part, part, part)).query("part == 'validation'")
    for layers in (1, 3):
        sure, said = network(images, order=(layers, 4)).logits.softmax(-1).max(-1)
        there = table[table["layers"] == layers].sort_values("image")
        assert there["confidence"].to_numpy() == pytest.approx(sure.detach().numpy())
        assert there["right"].tolist() == (said == torch.arange(len(images))).tolist()
