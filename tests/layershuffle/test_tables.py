"""Tables of the pages: the paper's numbers beside this build's, and what sentences take from them."""

import pandas as pd
import pytest
from synthetic import accuracies

from lsnotebook.layershuffle import tables


def test_table_1_has_a_row_an_approach_and_order_and_a_column_a_source():
    paper = pd.DataFrame(
        {"approach": ["baseline", "layershuffle"], "policy": "sequential", "mean": [0.8261, 0.7522], "std": 0.0028}
    )
    build = paper.assign(mean=0.9, std=0.01, low=0.88, high=0.92)
    table = tables.table_1({"paper": paper, "build": build})
    assert list(table.index) == [("ViT", "sequential"), ("LayerShuffle", "sequential")]
    assert table.loc[("ViT", "sequential"), "paper"] == "82.61 ± 0.28"
    assert table.loc[("LayerShuffle", "sequential"), "build"] == "90.00 ± 1.00 [88.0, 92.0]"


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
