"""The page's tables, claims and figures, and the command."""

import re

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from lsnotebook.pages import scoreboard
from lsnotebook.roam import authors, claims, execute, figures, tables
from lsnotebook.roam.commands import roam
from lsnotebook.roam.layout import blocks, extent
from lsnotebook.roam.networks import NetworkError
from lsnotebook.roam.plans import LEAST, MIB, in_mib, planned


@pytest.fixture(scope="module")
def plans(steps):
    return {"ViT": planned(steps["sdpa"], limit=100), "GPT-2": planned(steps["gpt2"], limit=1)}


def test_the_abstract_is_the_mean_of_the_authors_tables():
    found = tables.abstract()["mean of the tables"].tolist()
    assert found == ["35.7\u00a0%", "16.0\u00a0%", "13.3\u00a0%", "27.2\u00a0%", "53.7×", "25.1×"]
    assert "55\u00a0% of the saving" in tables.abstract_told()


def test_sizes_have_three_digits_and_no_exponent():
    assert [in_mib(size) for size in (0.1912, 9.994, 99.96, 330.9, 1762.6)] == ["0.191", "9.99", "100", "331", "1,763"]


def test_the_published_tables_are_whole():
    assert authors.saved("PyTorch").shape == (7, 2) and not authors.saved("PyTorch").isna().any(axis=None)
    assert set(authors.NETWORKS) < set(authors.saved("PyTorch").index)


def test_tables_show_what_is_planned(plans):
    shown = tables.orders(plans)
    for name, plan in plans.items():
        assert shown.loc["program", name].endswith("(100\u00a0%)")
        assert shown.loc[LEAST, name].startswith(f"{plan.mib(LEAST):.3g} (")
    assert "**ViT**" in tables.found(plans) and "not proven: after" in tables.found(plans)

    peaks = tables.peaks({1: plans["ViT"], 2: plans["ViT"]})
    assert np.allclose(peaks[list(figures.KINDS)].sum(axis=1), peaks["mib"])
    plan = plans["ViT"]
    saved = 100 * (1 - plan.mib(LEAST) / plan.mib("program"))
    assert f"{saved:.1f}\u00a0% at batch size 1, {saved:.1f}\u00a0% at batch size 2" in tables.by_batch(peaks)

    laid = tables.laid_out(plan)
    them = blocks(plan.step.graph, plan.orders[LEAST])
    assert laid[LEAST].min() == laid[LEAST].iloc[-1] <= extent(them, figures.placed(plan, LEAST, "first fit")[1]) / MIB


def test_figures_show_what_is_planned(plans):
    plan = plans["ViT"]
    shown = figures.over_time(plan)
    lines = figures.memory(shown).axes[0].lines
    assert [max(line.get_ydata()) for line in lines] == pytest.approx([plan.mib(name) for name in figures.SHOWN])
    figure = figures.by_batch(tables.peaks({1: plan, 4: plan}))
    tops = {round(bar.get_y() + bar.get_height(), 6) for bar in figure.axes[1].patches}
    assert {round(plan.mib("program"), 6), round(plan.mib(LEAST), 6)} <= tops
    panel = figures.arena({"one": figures.placed(plan, LEAST, "largest first")}).axes[0]
    drawn = sum(len(collection.get_paths()) for collection in panel.collections)
    assert drawn == sum(size > 0 for size in plan.step.graph.sizes)


def measured(least=60.0):
    rows = {
        (name, batch): {"proven": True, "program": 100.0 + place, "program_fit": 110.0 + 2 * place, "LESCEA": 70.0,
                        "heuristics": 75.0 + place, "least": least, "best": 62.0 - place + batch / 32}
        for place, name in enumerate(authors.NETWORKS) for batch in authors.BATCHES
    }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index=["network", "batch"])


def test_claims_are_judged_by_the_tables():
    statements = claims.check(measured())
    assert scoreboard.verdicts(statements)[["R4", "R5"]].tolist() == ["cannot tell"] * 2, "MODeL was not run"
    ours = statements[statements["rule"].str.contains("this build|ours")].set_index("id")
    assert ours.loc["R3", "verdict"] == "holds" and ours.loc["R4", "build"] != ours.loc["R4", "build"]
    table = measured()
    assert ours.loc["R1", "build"] == pytest.approx((100 * (1 - table["best"] / table["program_fit"])).mean())
    assert ours.loc["R2", "build"] == pytest.approx((100 * (1 - table["best"] / table["program"])).mean())
    assert statements.query("id == 'R1'")["paper"].iloc[0] == 35.7 == pytest.approx(statements["build"][0], abs=0.05)
    board = scoreboard.board(statements)
    numbers = [re.search(r"[\d.]+(\u00a0%|×)|$", text).group() for text in board["paper"]]
    assert numbers == ["35.7\u00a0%", "", "13.3\u00a0%", "27.2\u00a0%", "53.7×"], "R2 is a question of ours"
    assert board["ours"].str.contains("cannot be checked here: MODeL takes Gurobi").tolist() == [False] * 3 + [True] * 2


def test_how_many_times_as_fast_has_an_interval_that_no_ratio_can_leave():
    """On the log scale, so that it is the same whichever time is divided by the other."""
    found = claims.check(measured()).query('rule.str.startswith("MODeL\'s planning time over ROAM")').iloc[0]
    times = authors.quicker().prod(axis=1) ** 0.5
    assert found["build"] == pytest.approx(np.exp(np.log(times).mean())) and found["verdict"] == "holds"
    assert 1 < found["low"] and found["low"] * found["high"] == pytest.approx(found["build"] ** 2)


def test_what_is_below_a_proven_optimum_is_named():
    told = tables.beside_told(measured(least=2000.0))
    assert "mobilenet at batch size 32 (1,670\u00a0MiB, ours at least 2,000)" in told
    assert "12 of the 12 orders are proven" in told and "no network" in tables.beside_told(measured(least=1.0))
    shown = tables.beside(measured())
    assert shown.loc[("vit", 1), ("best", "theirs")] == "483.0" and len(shown) == 12
    assert shown.loc[("vgg", 1), ("as written", "theirs")] == "1,762.6", "with a separator, as elsewhere"
    shown = tables.beside(measured().assign(proven=[False] + [True] * 11))["best", "ours"]
    assert shown.str.endswith("*").tolist() == [True] + [False] * 11


def test_what_has_no_room_is_not_run_and_said_so(plans, monkeypatch):
    plan = plans["ViT"]
    assert execute.fitting(plan, figures.SHOWN) == list(figures.SHOWN)
    assert tables.measured_told(plan, {}) == "The large network was not run."
    monkeypatch.setattr(execute, "room", lambda: execute.needed(plan, figures.SHOWN) - 1)
    assert execute.fitting(plan, figures.SHOWN) == []
    assert "GiB, more than half of this machine's memory" in tables.measured_told(plan, {})
    assert execute.needed(plan, ["program"]) == plan.step.fixed + plan.mib("program") * MIB


def test_how_far_a_prediction_is_off_is_told_with_its_sign_and_size(plans):
    plan = plans["ViT"]
    peaks = {"program": 1.1, LEAST: 0.9, "LESCEA": 1.005}
    ran = {name: execute.Outcome(None, [], round(by * plan.mib(name) * MIB)) for name, by in peaks.items()}
    said = tables.measured_told(plan, ran)
    assert said.startswith("Within 1\u00a0% of the prediction: LESCEA; not: program (10.0\u00a0% more, ")
    assert f"{LEAST} (10.0\u00a0% less, {0.1 * plan.mib(LEAST):.3g}\u00a0MiB)" in said


def test_the_answers_at_the_end_are_those_of_the_tables(plans):
    plan = plans["ViT"]
    said = tables.to_take_away({1: plan, 2: plan}, measured())
    best = f"{100 * plan.mib(LEAST) / plan.mib('program'):.0f}\u00a0%"
    assert f"takes {best} at batch size 1 and {best} at batch size 2" in said
    assert "to 0.1\u00a0%, in 0 of 12 steps" in said and "In 12 of these 12 steps" in said


def test_the_command_prints_every_order_and_what_fits(tmp_path, monkeypatch):
    from transformers import ViTConfig

    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}
    ViTConfig(**sizes, image_size=8, patch_size=4, num_labels=3).save_pretrained(tmp_path)
    monkeypatch.setattr("lsnotebook.roam.planning.MOST", 4)
    run = CliRunner().invoke(roam, [str(tmp_path), "--batch", "2", "--memory", "1"])
    assert run.exit_code == 0, run.output
    assert run.output.startswith("vit, batch 2: ") and "program  " in run.output and "one arena" in run.output
    assert f"{LEAST:16}batches of 4 or more" in run.output and "       0.0 MiB" not in run.output
    run = CliRunner().invoke(roam, [str(tmp_path), "--memory", "0.00004"])
    assert f"{LEAST:16}batches of up to " in run.output
    for wrong in (["--memory", "nan"], ["--memory", "1e400"], ["--batch", str(10**20)]):
        run = CliRunner().invoke(roam, [str(tmp_path), *wrong])
        assert run.exit_code == 2 and "Error: Invalid value" in run.output, run.output
    run = CliRunner().invoke(roam, [str(tmp_path), "--length", "5"])
    assert isinstance(run.exception, NetworkError) and "images, which have no length" in str(run.exception)
    run = CliRunner().invoke(roam, [str(tmp_path), "--memory", "0.00001"])
    assert f"{LEAST:16}not even a batch of 1" in run.output
