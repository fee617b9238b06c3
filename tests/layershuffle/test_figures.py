"""Figures show what the frames hold."""

import numpy as np
import pandas as pd
import pytest

from lsnotebook.layershuffle import figures
from lsnotebook.layershuffle.approaches import APPROACHES, COLOURS, DRIFTED, MARKERS, REFINED, TABLE_1, TITLES


@pytest.fixture
def accuracies():
    rng = np.random.default_rng(0)
    rows = [
        {"approach": a, "seed": s, "policy": "arbitrary", "draw": d, "order": str(d), "inversions": 3 * d,
         "top1": rng.uniform(0.1, 0.9)}
        for a in ("baseline", "layershuffle") for s in range(3) for d in range(4)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_dumbbells_stand_three_side_by_side_however_many_scales_are_recorded():
    one = pd.DataFrame({"approach": "baseline", "policy": ["sequential", "arbitrary"], "mean": [0.9, 0.2], "std": 0.01})
    sources = ["paper", "recorded, large", "recorded, small", "build"]
    for count, places in ((3, 3), (4, 6)):
        figure = figures.dumbbells(dict.fromkeys(sources[:count], one), dict.fromkeys(sources[:count], 0.1))
        shown = [panel for panel in figure.axes if panel.get_visible()]
        assert [panel.get_title().replace("\n", " ") for panel in shown] == sources[:count]
        assert len(figure.axes) == places and figure.get_figwidth() < 5, "read on a phone"
        assert len({panel.get_subplotspec().rowspan.start for panel in shown}) == places // 3


def test_by_order_draws_every_network_under_every_order(accuracies):
    figure = figures.by_order(accuracies, chance=0.1)
    for marks, expected in (("full", accuracies), ("none", accuracies[accuracies["order"] == "0"])):
        lines = [line for line in figure.axes[0].lines if (line.get_marker(), line.get_fillstyle()) == ("o", marks)]
        drawn = np.concatenate([line.get_ydata() for line in lines])
        assert np.allclose(np.sort(drawn), np.sort(100 * expected["top1"])), "rings mark what begins with layer 0"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["layer 0 runs first"]


def test_by_distance_draws_the_mean_over_the_seeds(accuracies):
    figure = figures.by_distance(accuracies, chance=0.1)
    panels = {panel.get_title(): panel for panel in figure.axes}
    shuffled = accuracies.query("approach == 'layershuffle'")
    for marks, expected in (("full", shuffled), ("none", shuffled[shuffled["order"] == "0"])):
        lines = panels["LayerShuffle"].lines
        (drawn,) = (line.get_ydata() for line in lines if (line.get_marker(), line.get_fillstyle()) == ("o", marks))
        assert np.allclose(np.sort(drawn), np.sort(100 * expected.groupby("draw")["top1"].mean()))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["layer 0 runs first"]


def test_every_approach_that_is_shown_has_a_title_a_colour_and_a_marker_of_its_own():
    grouped = {approach.name for approach in (*REFINED.values(), *DRIFTED)}  # shown as one approach each
    assert set(TITLES) - grouped == set(COLOURS) >= {*(one.name for one in TABLE_1), "layerdrop", "refined"}
    assert set(TITLES) == {*APPROACHES, "refined"}
    assert len(set(COLOURS.values())) == len(COLOURS)
    assert set(MARKERS) == set(COLOURS) - {"base"} and len(set(MARKERS.values())) == len(MARKERS)


def test_by_depth_draws_the_mean_of_each_depth_in_each_order_and_the_paper_in_a_panel_of_its_own():
    rows = [
        {"approach": a, "policy": policy, "layers": layers, "seed": seed, "top1": 0.01 * layers + 0.1 * seed}
        for a in ("layershuffle", "layerdrop") for policy in ("sequential", "arbitrary") for layers in (3, 6)
        for seed in (0, 1)
    ]  # fmt: skip
    published = pd.DataFrame({"approach": ["layershuffle"], "policy": "sequential", "layers": 3, "top1": 0.18})
    *panels, paper = figures.by_depth(pd.DataFrame(rows), 0.1, published).axes
    for panel in panels:
        first, second = (line for line in panel.lines if line.get_label() in ("LayerShuffle", "LayerDrop"))
        assert first.get_ydata().tolist() == second.get_ydata().tolist() == pytest.approx([8, 11])
        between = second.get_xdata() - first.get_xdata()
        assert between.min() > 0.3 and between.max() < 1.5, "side by side, nearer to each other than to another depth"
    assert [line.get_ydata()[0] for line in paper.lines] == [18, pytest.approx(0.1)], "the point, and its chance"
    assert len(figures.by_depth(pd.DataFrame(rows), 0.1, published[:0]).axes) == 2


@pytest.mark.parametrize("error", [0.0, 0.03])
def test_by_layer_adds_the_error_of_an_estimate_to_the_spread_over_the_networks(error):
    rows = [
        {"approach": a, "seed": seed, "layer": layer, "contribution": 0.1 * layer + 0.04 * seed, "error": error,
         "measure": measure}
        for a in ("layershuffle", "baseline") for seed in (0, 1) for layer in (0, 1, 2)
        for measure in ("leave one out", "Shapley value")
    ]  # fmt: skip
    spread = 100 * np.hypot(0.04 / np.sqrt(2), error)
    for panel in figures.by_layer(pd.DataFrame(rows)).axes:
        assert sorted(bar.get_height() for bar in panel.patches) == pytest.approx([2, 2, 12, 12, 22, 22])
        whiskers = [segment for lines in panel.collections for segment in lines.get_segments()]
        assert [abs(end[1] - start[1]) / 2 for start, end in whiskers] == pytest.approx([spread] * 6)


def test_no_model_is_hidden_where_all_agree():
    models = pd.DataFrame({"approach": "baseline", "model": ["merged"] * 30 + ["source"] * 3, "top1": 0.951})
    models.loc[:9, "top1"] = 1.0
    bars = [bar for bar in figures.by_model(models, 0.1).axes[0].patches if bar.get_width()]
    assert [round(bar.get_width(), 3) for bar in bars] == [0.8, 0.4, 0.8], "20 and 10 merged models; 3 sources"
    assert [bar.get_y() + bar.get_height() / 2 for bar in bars] == pytest.approx([95, 101, 95])
    assert [bar.get_x() + bar.get_width() / 2 for bar in bars] == pytest.approx([0, 0, 1], abs=1e-9)


def test_learning_curves_of_several_scales_stand_in_rows_with_their_own_chance():
    rows = [("baseline", seed, step, 0.5, 1.0) for seed in (0, 1) for step in (10, 20)]
    history = pd.DataFrame(rows, columns=["approach", "seed", "step", "selection_top1", "selection_loss"])
    figure = figures.learning_curves({"one": history, "two": history}, {"one": 0.1, "two": 0.01})
    assert [panel.get_title("left") for panel in figure.axes] == ["one", "", "two", ""]
    assert [panel.lines[-1].get_ydata()[0] for panel in figure.axes[::2]] == [10, 1], "chance"
    assert len(figure.legends[0].get_texts()) == 1, "an approach is named once"
