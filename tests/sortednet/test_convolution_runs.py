"""Trained sorted convolutions in the store, what is recorded of them, and the tables that show it."""

from dataclasses import replace

import pandas as pd
import pytest
import torch
from click.testing import CliRunner

from lsnotebook.cli import main
from lsnotebook.pages.statements import judged
from lsnotebook.sortednet import claims, convolution_views, paper
from lsnotebook.sortednet import convolution_runs as runs
from lsnotebook.sortednet.convolution_profiles import FULL, MINI, MOBILENET, PROFILES, SMOKE
from lsnotebook.sortednet.convolution_records import recorded

TINY = replace(SMOKE, updates=2, batches=8)


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(tmp_path))
    return tmp_path


def test_a_training_that_is_interrupted_ends_in_the_same_weights(store, monkeypatch):
    run = runs.SortedRun(TINY, TINY.setting(4, "updates"), 40)
    monkeypatch.setattr(runs, "SAVE_EVERY", 1)
    whole, took = runs.trained(run)
    run.state.unlink()
    assert len(runs.trained(run, stop=1)[1]["losses"]) == 1
    again, resumed = runs.trained(run)
    assert resumed["losses"] == took["losses"] and len(took["losses"]) == 2
    for name, one in whole.state_dict().items():
        assert torch.equal(again.state_dict()[name], one), name
    monkeypatch.setattr(runs, "fit", None)
    assert torch.equal(runs.trained(run)[0].stem.weight, whole.stem.weight), "it is there"


def test_what_is_recorded_is_what_was_measured(store, monkeypatch):
    monkeypatch.setitem(PROFILES, SMOKE.name, TINY)
    assert recorded(TINY)[0].empty and "Not recorded yet" in recorded(TINY)[1]
    found = CliRunner().invoke(main, ["sortednet", "accumulate", "convolutions-smoke"])
    assert found.exit_code == 0, found.output
    rows, made = recorded(TINY)
    pd.testing.assert_frame_equal(rows, runs.accumulated(TINY))
    assert "6 networks on one core" in made and "Again: lsnotebook sortednet accumulate convolutions-smoke" in made
    file = store / "results" / "convolutions-smoke" / "accumulation.json"
    file.write_text(file.read_text().replace('"width": 25', '"width": 26', 1))
    rows, told = recorded(TINY)
    assert rows.empty and "is not shown: its checksum" in told


def rows(study, gained):
    """Networks that gain so many points by accumulation, with as many updates and with as much data."""
    found = []
    for number, seed in enumerate((40, 42, 1010, 4242)):
        for setting in study.settings:
            accumulates = setting.accumulation > 1
            for width in (25, 50, 75, 100):
                base = 0.3 + width / 1_000 + 0.001 * number * (1 + accumulates)
                few = setting == study.setting(1, "updates")
                top1 = base - gained["updates"] / 100 * few - gained["data"] / 100 * (not few and not accumulates)
                row = (setting.accumulation, setting.updates, seed, width, top1, top1 / 2)
                found.append(row)
    return pd.DataFrame(found, columns=["accumulation", "updates", "seed", "width", "top1", "shared"])


def test_the_tables_say_what_was_measured_beside_the_paper():
    table = rows(MINI, {"updates": 5, "data": -3})
    shown = convolution_views.beside(table, MINI, "data")
    assert shown.loc["4, paper", "mean"] == "82.2" and shown.loc["1, paper", "25 %"] == "71.0"
    assert shown.loc["4, ours (60 updates)", "25 %"].startswith("32.8 % [")
    assert shown.loc["1, ours (240 updates)", "mean"].startswith("39.4 % [")
    assert convolution_views.beside(table, MINI, "updates").loc["1, ours (60 updates)", "mean"].startswith("31.4 % [")
    sentence = convolution_views.gains(table, MINI)
    assert "(Table 5), 5.1 [" in sentence and "(the paper: 3.1)" in sentence and "(Table 6), −2." in sentence
    assert convolution_views.shared(table).loc["25 %", "points of difference"].startswith("16.0 [")
    statements = judged(claims.accumulation(table, MINI)).set_index("id")
    assert statements["verdict"].to_dict() == {"S10": "holds", "S11": "does not hold"}
    assert statements.loc["S11", "paper"] == pytest.approx(82.19 - 80.85)


def test_where_nothing_is_recorded_the_page_says_so():
    empty = pd.DataFrame()
    shown = convolution_views.beside(empty, FULL, "data")
    assert shown.loc["4, ours (17,550 updates)", "mean"] == "not run" and shown.loc["4, paper", "mean"] == "82.2"
    assert "Not run" in convolution_views.gains(empty, FULL)
    assert not claims.accumulation(empty, FULL)


def test_the_papers_own_settings_are_declared():
    assert (MOBILENET.sub_models, MOBILENET.epochs) == (160, 9_600)
    assert [(one.accumulation, one.updates) for one in MINI.settings] == [(1, 60), (1, 240), (4, 60)]
    assert len(FULL.settings) == 7 and 4 * FULL.setting(4, "data").updates == FULL.batches == 200 * (45_000 // 128)
    assert list(convolution_views.not_run(FULL, MOBILENET).loc["epochs of a training"]) == ["200 to 800", "9,600"]
    assert paper.accumulated("data").loc[1, "average"] == paper.accumulated("updates").loc[1, "average"]
