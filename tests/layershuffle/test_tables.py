"""Tables of the pages: the paper's numbers beside this build's, and what sentences take from them."""

import numpy as np
import pandas as pd
import pytest
from synthetic import accuracies

from lsnotebook.core.statistics import matrix
from lsnotebook.layershuffle import tables
from lsnotebook.layershuffle.analysis import explained_by_distance
from lsnotebook.pages.tables import mean_and_interval


def test_table_1_has_a_row_an_approach_and_order_and_a_column_a_source():
    paper = pd.DataFrame(
        {"approach": ["baseline", "layershuffle"], "policy": "sequential", "mean": [0.8261, 0.7522], "std": 0.0028}
    )
    build = paper.assign(mean=0.9, std=0.01, low=0.88, high=0.92)
    table = tables.table_1({"paper": paper, "build": build})
    assert list(table.index) == [("ViT", "sequential"), ("LayerShuffle", "sequential")]
    assert table.loc[("ViT", "sequential"), "paper"] == "82.61\u00a0±\u00a00.28"
    assert table.loc[("LayerShuffle", "sequential"), "build"] == "90.00\u00a0±\u00a01.00 [88.0,\u00a092.0]"


def test_table_1_says_nothing_where_there_is_no_interval():
    table = pd.DataFrame({"approach": ["baseline"], "policy": "sequential", "mean": 0.5, "std": 0.0, "low": np.nan,
                          "high": np.nan})  # fmt: skip
    assert tables.table_1({"build": table}).loc[("ViT", "sequential"), "build"] == "50.00\u00a0±\u00a00.00"


def test_differences_are_paired_by_network_and_order():
    shuffle = pd.concat([accuracies(0.03, 0.1, 0.02), accuracies(0.03, orders=1).assign(policy="sequential")])
    rng = np.random.default_rng(0)
    better = shuffle.assign(approach="baseline", top1=shuffle["top1"] + 0.02 + rng.normal(0, 0.01, len(shuffle)))
    shown = tables.paired(pd.concat([better, shuffle]))
    assert list(shown.index) == ["ViT − LayerShuffle"] and list(shown) == ["sequential", "arbitrary"]
    for policy, cell in shown.iloc[0].items():
        ours, theirs = (matrix(table[table["policy"] == policy]).to_numpy() for table in (better, shuffle))
        assert cell == mean_and_interval(ours - theirs)


def test_what_a_choice_gains_is_over_networks_and_draws():
    random = accuracies(0.03, 0.1, 0.02, seeds=3, orders=5).assign(layers=6)
    chosen = pd.DataFrame({"approach": "layershuffle", "layers": 6, "seed": [2, 0, 1], "top1": [0.8, 0.6, 0.7]})
    shown = tables.gain(chosen, random).loc[6, "LayerShuffle"]
    assert shown == mean_and_interval(np.array([[0.6], [0.7], [0.8]]) - matrix(random).to_numpy())


@pytest.fixture
def read():
    """What two networks of two approaches predict of the positions of 40 images."""
    rng = np.random.default_rng(0)
    rows = [
        pd.DataFrame({"image": range(40), "position": rng.integers(0, 4, 40), "output": rng.integers(0, 4, 40),
                      "norm": rng.integers(0, 4, 40), "direction": 2, "seed": seed, "approach": approach})
        for approach in ("layershuffle", "baseline") for seed in (0, 1)
    ]  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def test_readability_is_the_share_of_the_positions(read):
    shown = tables.readability(read, layers=4)
    assert list(shown) == ["LayerShuffle", "ViT"] and (shown.loc["chance"] == "25.0").all()
    vit = read.query("approach == 'baseline'")
    for column in ("output", "norm", "direction"):
        correct = (vit[column] == vit["position"]).to_numpy().reshape(2, 40)
        assert shown.loc[column, "ViT"] == mean_and_interval(correct, (0, 1))
    first, others = vit[vit["position"] < 1], vit[vit["position"] >= 1]
    for column, group in (("output, first quarter", first), ("output, others", others)):
        assert shown.loc[column, "ViT"] == f"{100 * (group['output'] == group['position']).mean():.1f}"


def test_joint_readability_has_a_row_for_position_and_one_for_layer():
    rng = np.random.default_rng(0)
    found = pd.DataFrame({"image": [*range(10)] * 2, "seed": np.repeat([0, 1], 10), "approach": "layershuffle"})
    found = found.assign(position=rng.uniform(size=20), layer=rng.uniform(size=20))
    shown = tables.joint_readability(found, 4)
    assert list(shown.index) == ["position", "layer"] and (shown["chance"] == "25.0").all()
    for name in shown.index:
        assert shown.loc[name, "LayerShuffle"] == mean_and_interval(found[name].to_numpy().reshape(2, 10), (0, 1))


def test_dependence_has_both_normalisations_and_the_difference_of_the_approaches():
    rng, rows = np.random.default_rng(0), []
    for approach in ("layershuffle", "baseline"):
        for seed in (0, 1):
            layers = rng.permuted(np.tile(range(4), (20, 1)), axis=1).ravel()
            one = pd.DataFrame({"image": np.repeat(range(20), 4), "layer": layers, "position": [0, 1, 2, 3] * 20})
            one["distance"] = one["position"] - one["layer"]
            values = {name: rng.lognormal(size=80) for name in ("contribution", "relative")}
            rows.append(one.assign(**values, approach=approach, seed=seed))
    norms = pd.concat(rows, ignore_index=True)
    shown = tables.dependence(norms)
    assert list(shown) == ["LayerShuffle", "ViT", "LayerShuffle − ViT"]
    groups = {name: [one for _, one in group.groupby("seed")] for name, group in norms.groupby("approach")}
    for measure, cells in zip(("contribution", "relative"), shown.to_numpy(), strict=True):
        shuffle, vit = (
            np.array([explained_by_distance(one, measure) for one in groups[name]])
            for name in ("layershuffle", "baseline")
        )
        assert cells.tolist() == [mean_and_interval(values) for values in (shuffle, vit, shuffle - vit)]


def test_extremes_are_the_best_and_worst_means_over_the_seeds():
    table = accuracies(0.03, 0.1, 0.02)
    means = 100 * table.groupby("order")["top1"].mean()
    found = tables.extremes(table)
    assert found["top-1 %"].tolist() == pytest.approx([means.max(), means.min()])
    assert found["order"].tolist() == [means.idxmax(), means.idxmin()]


def test_switched_off_counts_the_pairs_that_add_next_to_nothing():
    table = pd.DataFrame(
        {
            "approach": "layershuffle",
            "layer": [0, 0, 1, 1],
            "position": [0, 1, 0, 1],
            "contribution": [1.5, 0.5, 1.95, 0.05],
        }
    )
    row = tables.switched_off(table).loc["LayerShuffle"]
    assert row.iloc[0] == 25 and row.iloc[1] == pytest.approx(5)
    assert (row["by layer"], row["at position"]) == (1, 1)


def test_table_2_has_the_papers_numbers_beside_ours():
    models = pd.DataFrame({"approach": "baseline", "model": "merged", "top1": [0.5, 0.7], "top5": [0.9, 0.9]})
    published = pd.DataFrame(
        {"approach": "baseline", "model": "merged", "measure": ["top1", "top5"], "mean": [0.0187, 0.0453], "std": 0.1}
    )
    table = tables.table_2(models, published)
    assert table.loc["ViT, merged", ("top-1", "paper")] == "1.87\u00a0±\u00a010.00"
    assert table.loc["ViT, merged", ("top-1", "this build")] == "60.00\u00a0±\u00a014.14"


def test_the_breaking_point_of_merging_is_told_for_both_approaches():
    rows = [("baseline", 1, 0.1, 0.9, 0.8), ("baseline", 4, 0.9, 0.88, 0.2), ("layershuffle", 1, 0.2, 0.7, 0.6),
            ("layershuffle", 4, 0.95, 0.7, 0.36), ("layershuffle", 16, 1.5, 0.6, 0.11)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["approach", "factor", "drift", "source", "merged"]).assign(std=0.01)
    told = tables.breaking_point(table).replace("\u00a0", " ")
    assert (
        "**ViT**: from a drift of 90 % on (4 times the learning rate), where the merged models have 20.00 ± 1.00 %"
        in told
    )
    assert "**LayerShuffle**: from a drift of 150 % on (16 times" in told and "their sources still 60.0 %." in told
    unbroken = tables.breaking_point(table[table["factor"] < 16]).replace("\u00a0", " ")
    assert "**LayerShuffle**: nowhere up to a drift of 95 %, the" in unbroken
    shown = tables.drift(table)
    assert shown.loc[("ViT", "4 ×")].tolist() == pytest.approx([90, 88, 20, 1]), "all in %"
