"""Every sub-model of a network is measured as the network of that size, and its tables say what was measured."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.flop_counter import FlopCounterMode

from lsnotebook.core.seeding import seeded
from lsnotebook.data.splits import Splits
from lsnotebook.pages.statements import judged
from lsnotebook.sortednet import claims, grid_figures, grid_tables, grids
from lsnotebook.sortednet.approaches import BOTH
from lsnotebook.sortednet.networks import initial, stock
from lsnotebook.sortednet.profiles import SMOKE
from lsnotebook.sortednet.submodels import extract


@pytest.fixture(scope="module")
def network():
    with seeded(0, "toy"):
        return initial(SMOKE, BOTH).eval()


@pytest.fixture(scope="module")
def splits():
    with seeded(1, "toy"):
        images = TensorDataset(torch.randn(40, 1, 8, 8), torch.arange(40) % 10)
    return Splits(images, images, images)


def test_one_pass_gives_the_features_of_every_depth(network, splits):
    images, labels = next(iter(DataLoader(splits.validation, 40)))
    found, those = grids.features(extract(stock(network), (3, 2)), splits.validation)
    assert found.shape == (3, 40, 16) and torch.equal(those, labels)
    for layers in (1, 2, 3):
        small = extract(stock(network), (layers, 2))
        assert torch.equal(small.classifier(found[layers - 1]), small(images).logits)


def test_the_grid_has_every_sub_model_with_its_own_accuracy(network, splits):
    table = grids.grid([network], splits).set_index(["layers", "heads"])
    assert sorted(table.index) == [(layers, heads) for layers in (1, 2, 3, 4) for heads in (1, 2, 3, 4)]
    images, labels = next(iter(DataLoader(splits.validation, 40)))
    for size in ((1, 1), (2, 3), (3, 4)):
        right = (network(images, order=size).logits.argmax(-1) == labels).float().mean().item()
        assert table.loc[size, "top1"] == pytest.approx(right)
        assert grids.alone([network], splits, *size)["top1"].item() == pytest.approx(right)
    assert (table["retuned"] > table["top1"]).all(), "trained on these very images"


def test_costs_are_counted_and_grow_with_the_size(network):
    table = grids.costs(network).set_index(["layers", "heads"])["flops"]
    one, two, three = (table[layers, 4] for layers in (1, 2, 3))
    assert three - two == two - one  # a layer costs the same wherever it is
    tokens, width, mlp = 5, 32, 64
    assert two - one == 2 * tokens * (4 * width**2 + 2 * width * mlp) + 4 * tokens**2 * width
    assert table[1, 1] < table[1, 2] < table[1, 4]
    for size in ((1, 1), (3, 2), (4, 4)):
        with FlopCounterMode(display=False) as counter:
            extract(stock(network), size)(torch.zeros(1, 1, 8, 8))
        assert table[size] == counter.get_total_flops(), "those of the sub-model by itself"


def made(ordinary, sorted_, seeds=3):
    """Networks whose sub-models all have one accuracy; the whole ordinary one has 0.9."""
    rows = [
        (approach, seed, layers, heads, top1 + 0.01 * seed, top1 + 0.01 * seed)
        for approach, accuracy in (("ordinary", ordinary), ("depth", sorted_), ("both", sorted_))
        for seed in range(seeds)
        for layers in (1, 2)
        for heads in (1, 2)
        for top1 in [0.9 if (approach, layers, heads) == ("ordinary", 2, 2) else accuracy]
    ]
    columns = ["approach", "seed", "layers", "heads", "top1", "retuned"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(approach="sortednet-" + table["approach"], seed=table["seed"])


def test_claims_are_judged_by_the_right_sub_models():
    table = made(0.5, 0.89)
    table.loc[table["approach"] == "sortednet-depth", "top1"] += 0.001 * table["seed"]
    found = judged(claims.submodels(table, 2, 2)).set_index("id")
    assert found.loc["S5", "build"] == pytest.approx(39.1)
    assert found.loc["S6", "build"] == pytest.approx(29)  # (3 * 39 - 1) / 4
    assert found.loc["S7", "build"] == pytest.approx(100 * 0.9 / 0.91)
    assert found.loc["S7", "paper"] == pytest.approx(100 * 91.67 / 95.45)
    assert found.loc["S5", "paper"] > 0 and found.loc["S5", "verdict"] == "holds"


def test_tables_and_sentences_say_what_was_measured():
    table = made(0.5, 0.8)
    titles = {"sortednet-ordinary": "ordinary", "sortednet-both": "sorted in both"}
    shown = grid_tables.summary(table, titles, 2, 2)
    assert shown.loc["ordinary", "whole"].startswith("91.0 % [") and shown.loc["sorted in both", "whole"].startswith(
        "81"
    )
    single = table[table["approach"] == "sortednet-ordinary"].query("layers == 1").assign(approach="alone")
    beside = grid_tables.together_or_alone(table, single, "sortednet-both", "sorted in both")
    assert (
        list(beside.index) == ["1\u00a0×\u00a01", "1\u00a0×\u00a02"]
        and (beside["points of difference"] == "30.0").all()
    )
    better = table.assign(retuned=table["retuned"] + 0.05)
    assert "gains a sub-model 5.0 points" in grid_tables.retuning(better, "sortednet-both")
    costs = pd.DataFrame([(1, 1, 10), (1, 2, 20), (2, 1, 30), (2, 2, 40)], columns=["layers", "heads", "flops"])
    told = grid_tables.above_bar(table, costs, "sortednet-both", 0.8)
    assert "Of its 4 sub-models 4 reach the bar of 80.0\u00a0%." in told
    assert "the size 1\u00a0×\u00a01 (layers × heads) and takes 25.0\u00a0% of the operations" in told
    assert "none reaches" in grid_tables.above_bar(table, costs, "sortednet-both", 0.99)
    assert "reaches 51.0\u00a0% here" in grid_tables.caveat(single, np.array([91.0]))
    assert "these images need depth" in grid_tables.caveat(single, np.array([91.0]))
    assert "these images do not need depth" in grid_tables.caveat(single, np.array([55.0]))
    assert grid_tables.caveat(single.query("layers > 1"), np.array([91.0])) == ""


def test_figures_draw_the_means_of_the_frame():
    table = made(0.5, 0.8)
    both = table[table["approach"] == "sortednet-both"]
    assert {text.get_text() for text in grid_figures.maps({"both": both}, 0.1).axes[0].texts} == {"81"}
    line = grid_figures.by_depth({"both": ("sortednet-both", both)}, 0.1).axes[0].lines[0]
    assert line.get_xdata().tolist() == [1, 2] and np.allclose(line.get_ydata(), 81)
    dots = grid_figures.by_cost({"both": ("sortednet-both", both.assign(flops=both["layers"]))}, 0.9, 0.1).axes[0]
    assert np.allclose(dots.lines[0].get_ydata(), 81)
