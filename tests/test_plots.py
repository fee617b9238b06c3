"""Figures show what the frames hold, in the page's own ink."""

import base64
import io
import re

import numpy as np
import pandas as pd
import pytest

from lsnotebook import figures, plots

APPROACHES = ("baseline", "layershuffle")


@pytest.fixture
def accuracies():
    rng = np.random.default_rng(0)
    rows = [
        {"approach": a, "seed": s, "policy": "arbitrary", "draw": d, "order": str(d), "inversions": 3 * d,
         "top1": rng.uniform(0.1, 0.9)}
        for a in APPROACHES for s in range(3) for d in range(4)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_side_by_side_has_a_row_an_approach_and_order_and_a_column_a_source():
    paper = pd.DataFrame({"approach": APPROACHES, "policy": "sequential", "mean": [0.8261, 0.7522], "std": 0.0028})
    build = paper.assign(mean=0.9, std=0.01, low=0.88, high=0.92)
    table = plots.side_by_side({"paper": paper, "build": build})
    assert list(table.index) == [("ViT", "sequential"), ("LayerShuffle", "sequential")]
    assert table.loc[("ViT", "sequential"), "paper"] == "82.61 ± 0.28"
    assert table.loc[("LayerShuffle", "sequential"), "build"] == "90.00 ± 1.00 [88.0, 92.0]"


def test_by_order_draws_every_network_under_every_order(accuracies):
    figure = figures.by_order(accuracies, chance=0.1)
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    drawn = np.concatenate([line.get_ydata() for line in dots])
    assert np.allclose(np.sort(drawn), np.sort(100 * accuracies["top1"]))


def test_by_distance_draws_the_mean_over_the_seeds(accuracies):
    figure = figures.by_distance(accuracies, chance=0.1)
    line = next(line for line in figure.axes[0].lines if line.get_label() == "LayerShuffle")
    expected = accuracies.query("approach == 'layershuffle'").groupby("draw")["top1"].mean()
    assert np.allclose(np.sort(line.get_ydata()), np.sort(100 * expected))


def test_themed_svg_has_the_pages_ink_and_a_text_for_those_who_cannot_see_it(accuracies):
    html = plots.themed(figures.by_order(accuracies, 0.1), 'Accuracy of "two"', "Again: papermill").data
    assert plots.INK not in html
    assert "currentColor" in html
    assert 'aria-label="Accuracy of &quot;two&quot;"' in html
    assert re.search(r'<p class="themed made">Again: papermill</p>$', html)


def test_data_are_one_click_away_and_need_no_server():
    table = pd.DataFrame({"approach": ["baseline"], "top1": [0.125]})
    link = re.search(r'href="data:text/csv;base64,([^"]*)"', plots.footnote("made", table))[1]
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(base64.b64decode(link))), table)
    several = re.search(r'base64,([^"]*)"', plots.footnote("made", {"paper": table, "build": table}))[1]
    assert pd.read_csv(io.BytesIO(base64.b64decode(several)))["source"].tolist() == ["paper", "build"]


def test_intervals_stand_below_their_means():
    assert "14.3<br><small>[14.0, 14.6]</small>" in plots.table(pd.DataFrame({"share": ["14.3 [14.0, 14.6]"]})).data


def test_every_approach_that_is_shown_has_a_name_and_a_colour_of_its_own():
    from lsnotebook.profiles import TABLE_1

    assert set(plots.NAMES) == set(plots.COLOURS) >= {*TABLE_1, "layerdrop", "refined"}
    assert len(set(plots.COLOURS.values())) == len(plots.COLOURS)


def test_by_depth_draws_the_mean_of_each_depth_in_each_order():
    rows = [
        {"approach": a, "policy": policy, "layers": layers, "seed": seed, "top1": 0.01 * layers + 0.1 * seed}
        for a in ("layershuffle", "layerdrop") for policy in ("sequential", "arbitrary") for layers in (3, 6)
        for seed in (0, 1)
    ]  # fmt: skip
    published = pd.DataFrame({"approach": ["layershuffle"], "policy": "sequential", "layers": 3, "top1": 0.18})
    for panel in figures.by_depth(pd.DataFrame(rows), 0.1, published).axes:
        lines = [line for line in panel.lines if line.get_label() in ("LayerShuffle", "LayerDrop")]
        assert [line.get_ydata().tolist() for line in lines] == [pytest.approx([8, 11])] * 2


def test_the_swarm_has_a_dot_for_every_model():
    models = pd.DataFrame({"approach": "baseline", "model": ["merged"] * 30 + ["source"] * 3, "top1": 0.9})
    figure = figures.swarm(models, 0.1)
    assert sum(len(dots.get_offsets()) for dots in figure.axes[0].collections) == 33
