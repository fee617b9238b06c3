"""Tables of the pages: the paper's numbers beside this build's, and what sentences take from them."""

import numpy as np
import pandas as pd
import pytest
from synthetic import accuracies

from lsnotebook.core.statistics import matrix
from lsnotebook.layershuffle import PART, paper, tables
from lsnotebook.layershuffle.analysis import explained_by_distance
from lsnotebook.layershuffle.profiles import LENGTHS
from lsnotebook.pages.results import Recorded
from lsnotebook.pages.tables import mean_and_interval


def test_table_1_has_a_row_an_approach_and_order_and_a_column_a_source():
    paper = pd.DataFrame(
        {"approach": ["baseline", "layershuffle"], "policy": "sequential", "mean": [0.8261, 0.7522], "std": 0.0028}
    )
    build = paper.assign(mean=0.9, std=0.01, low=0.88, high=0.92)
    table = tables.table_1({"paper": paper, "build": build})
    assert list(table.index) == [("ViT", "sequential"), ("LayerShuffle", "sequential")]
    assert table.loc[("ViT", "sequential"), "paper"] == "82.61 ± 0.28"
    assert table.loc[("LayerShuffle", "sequential"), "build"] == "90.00 ± 1.00 [88.0, 92.0]"


def test_table_1_says_nothing_where_there_is_no_interval():
    table = pd.DataFrame({"approach": ["baseline"], "policy": "sequential", "mean": 0.5, "std": 0.0, "low": np.nan,
                          "high": np.nan})  # fmt: skip
    assert tables.table_1({"build": table}).loc[("ViT", "sequential"), "build"] == "50.00 ± 0.00"


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
    assert list(shown.index) == ["LayerShuffle", "ViT"] and (shown["chance"] == "25.0").all()
    vit = read.query("approach == 'baseline'")
    for column in ("output", "norm", "direction"):
        correct = (vit[column] == vit["position"]).to_numpy().reshape(2, 40)
        assert shown.loc["ViT", column] == mean_and_interval(correct, (0, 1))
    first, others = vit[vit["position"] < 1], vit[vit["position"] >= 1]
    for column, group in (("output, first quarter", first), ("output, others", others)):
        assert shown.loc["ViT", column] == f"{100 * (group['output'] == group['position']).mean():.1f}"


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
    assert table.loc["ViT, merged", ("top-1", "paper")] == "1.87 ± 10.00"
    assert table.loc["ViT, merged", ("top-1", "this build")] == "60.00 ± 14.14"


def test_the_breaking_point_of_merging_is_read_from_the_table():
    table = pd.DataFrame(
        {"approach": "baseline", "factor": [1, 4], "drift": [0.1, 0.9], "source": 0.9, "merged": [0.8, 0.2], "std": 0.1}
    )
    assert "At a drift of 0.90 (4 times" in tables.breaking_point(table)
    assert "Up to a drift of 0.10 they never" in tables.breaking_point(table[:1])


def test_lengths_stand_together_once_two_are_recorded(monkeypatch):
    cost = {"networks": 3, "seeds": 3, "hours": 1.0, "kilowatt_hours": None}
    made = {**cost, "devices": ["cpu"], "commit": "0123456789ab"}
    rows = pd.DataFrame([{"approach": "baseline", "measure": "drift", "number": 0, "value": 0.5}])
    found = {one.name: Recorded(one, "networks", made, rows) for one in LENGTHS["digits"][:2]}
    monkeypatch.setattr(tables, "recorded", lambda part, name, profiles: (found, ["One is not shown."]))
    table, origin = tables.lengths(PART, LENGTHS["digits"])
    assert table["steps"].tolist() == [400, 1600] and table["value"].tolist() == [0.5, 0.5]
    assert origin.endswith("One is not shown.") and "lsnotebook record digits-1600 networks --seeds 3" in origin
    del found["digits"]
    assert tables.lengths(PART, LENGTHS["digits"])[0].empty
    more = table.assign(value=[0.5, 0.75])
    once = more[:1].assign(approach="layershuffle")
    told = tables.longer(pd.concat([more, once]), {"drift": "distance", "merged": "merged models"})
    assert told.endswith(
        "From 400 to 1,600 steps, mean over the networks:\n\n- **ViT**: distance 50.0\u00a0% → 75.0\u00a0%"
    )


def test_the_headline_tells_this_build_and_then_the_others():
    ours = paper.table1().assign(mean=lambda table: table["mean"] / 2)
    told = tables.headline({"paper, ImageNet": paper.table1(), "this build, digits": ours}).replace("\u00a0", " ")
    assert "goes from <b>41 % to 0 %</b>; trained with LayerShuffle, from <b>38 % to 31 %</b>" in told
    assert told.endswith("(this build, digits; paper, ImageNet: 83 % to 0 %, and 75 % to 63 %).")
