"""Verdicts, tables and sentences from made-up results; what is drawn is what the frames hold."""

from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from lsnotebook.bpta import claims, figures, tables
from lsnotebook.bpta.games import game_of
from lsnotebook.bpta.measurements import WAYS
from lsnotebook.bpta.shares import Share, wilson
from lsnotebook.pages import scoreboard
from lsnotebook.pages.statements import FAILS, HOLDS, UNTOLD, Bounds

SEEDS = 12


def ends(saves=5.0, game="climbing"):
    """Independent agents end at 6, the others at 11, with feedback some updates sooner, and one seed is late."""
    rng, rows = np.random.default_rng(0), []
    late = rng.uniform(20, 30, SEEDS)
    for way in WAYS:
        reached = late - saves * rng.uniform(0.5, 1.5, SEEDS) * (way in ("feedback", "bppo"))
        reached[0] = np.nan if way in ("plain", "independent") else reached[0]
        greedy = 6.0 if way == "independent" else 11.0
        row = {"game": game, "way": way, "seed": range(SEEDS), "greedy": greedy, "reached": reached}
        rows.append(pd.DataFrame(row).assign(optimal=greedy == 11))
    return pd.concat(rows, ignore_index=True)


def gradients(error=1e-16):
    rng = np.random.default_rng(0)
    row = {"game": "climbing", "error": error, "share": rng.uniform(0, 0.4, 50), "cosine": rng.uniform(0.5, 1, 50)}
    return pd.DataFrame(row)


def test_the_interval_of_a_share_is_wilsons_and_there_at_both_ends():
    assert wilson(np.ones(24, bool)).low == pytest.approx(100 * proportion_confint(24, 24, method="wilson")[0])
    bounds = Bounds("", above=50)
    for true, verdict in ((24, HOLDS), (0, FAILS), (12, UNTOLD)):
        share = Share("seeds, %", np.arange(24) < true, bounds, over=("seeds",))
        assert share.verdict == verdict and share.population == "24 seeds" and share.estimate.mean == 100 * true / 24


@pytest.mark.parametrize(
    ("saves", "error", "expected"),
    [
        (5, 1e-16, [HOLDS, HOLDS, FAILS, HOLDS, HOLDS]),
        (-5, 1e-3, [HOLDS, HOLDS, HOLDS, FAILS, FAILS]),
        (0, 1e-16, [HOLDS, HOLDS, FAILS, UNTOLD, UNTOLD]),
    ],
)
def test_claims_follow_the_results(saves, error, expected):
    judged = claims.check(ends(saves), gradients(error))
    assert scoreboard.verdicts(judged).tolist() == expected
    assert len(scoreboard.board(judged)) == 5 and len(scoreboard.details(judged)) == len(judged)


def test_no_interval_is_not_said_to_hold_0():
    """All seeds may save the same, or too few get there."""
    equal = ends()
    equal["reached"] = 20.0
    nobody = ends(game="penalty_30").assign(reached=np.nan)
    said = tables.told_saved(pd.concat([ends(), equal.assign(game="permutation_2"), nobody]))
    part = "in 1 all seeds are equal and in 1 too few seeds get there to tell"
    assert said.count(part) == 2 and "the interval holds 0" not in said and "saves updates in 1 of 3 games" in said
    either = ends(0)
    for way in ("feedback", "bppo"):
        either.loc[either["way"] == way, "reached"] += [1, -1] * (SEEDS // 2)
    assert tables.told_saved(either).count("in 1 the interval holds 0") == 2


def test_what_nobody_gets_to_is_not_a_single_value():
    judged = claims.check(ends().assign(reached=np.nan), gradients()).set_index("id")
    assert judged.loc[["B4", "B5"], "over"].tolist() == [claims.FEW] * 2 and judged.loc["B1", "over"] == "12 seeds"


def test_the_steps_of_ppo_are_counted():
    assert "has 1 update, 5 steps in all" in tables.settings(2, 7)
    assert "has 10 updates, 50 steps in all" in tables.settings(24, 50)


def test_savings_are_paired_by_seed_and_need_two_pairs():
    table = ends()
    before = claims.of(table, "climbing", "plain")["reached"].dropna()
    after = claims.of(table, "climbing", "feedback")["reached"][before.index]
    assert claims.saving(table, "climbing", "plain", "feedback").mean() == pytest.approx(
        100 * (1 - after.mean() / before.mean())
    )
    nobody = table.assign(reached=np.nan)
    assert np.isnan(claims.saving(nobody, "climbing", "plain", "feedback")).all()
    assert set(scoreboard.verdicts(claims.check(nobody, gradients()))["B4":]) == {UNTOLD}
    assert "–" in tables.saved(nobody).to_numpy()


def test_every_claim_leads_to_a_table_of_its_page():
    book = Path(__file__).parents[2] / "book"
    cells = nbformat.read(book / f"{claims.PAGE}.ipynb", 4).cells
    names = {cell.metadata.get("mystnb", {}).get("figure", {}).get("name") for cell in cells}
    assert set(claims.check(ends(), gradients())["figure"]) <= names


def test_tables_and_sentences_say_what_the_frames_hold():
    shown = tables.ways(ends())
    assert shown.loc[("climbing", WAYS["plain"]), "optimal seeds, %"] == "100 [76,\u00a0100]"
    assert shown.loc[("climbing", WAYS["plain"]), "seeds that get there"] == "11 of 12"
    assert shown.loc[("climbing", WAYS["independent"]), "greedy return"] == "6.0"
    assert "**not**" in tables.told_exact(gradients(1e-3)) and "**not**" not in tables.told_exact(gradients())
    assert tables.told_saved(ends()).startswith(
        "With REINFORCE the feedback saves updates in 1 of 1 games and costs some in 0"
    )
    assert tables.exact(gradients()).loc["climbing", "plain: largest relative error"] == "1 · 10⁻¹⁶"
    assert tables.payoffs(game_of("permutation_3")).shape == (3, 9)
    assert '-y \'{"seeds": 3, "updates": 5}\'' in tables.origin({"seeds": 3, "updates": 5})


def crossed():
    rows = [
        {"game": "climbing", "trained": trained, "run": run, "seed": seed, "return": 11 - 30.5 * lost - seed}
        for trained, run, lost in (("0→1", "0→1", 0), ("0→1", "1→0", 1), ("1→0", "0→1", 1), ("1→0", "1→0", 0),
                                   ("random", "0→1", 0), ("random", "1→0", 0))
        for seed in (0, 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_the_map_of_orders_shows_the_means():
    (panel,) = figures.orders(crossed(), [game_of("climbing")]).axes
    assert [text.get_text() for text in panel.texts] == ["10.5", "−20.0", "−20.0", "10.5", "10.5", "10.5"]
    assert len(panel.patches) == 2 and panel.get_images()[0].get_array().tolist()[0] == [10.5, -20.0]
    assert "10.5 [4.1,\u00a016.9] in the order of training, −20.0" in tables.told_orders(crossed())


def test_who_acts_first_is_told_apart_from_the_order_of_the_others():
    orders = ["0→1→2", "0→2→1", "1→0→2"]
    rows = [
        {"game": "p", "trained": "0→1→2", "run": run, "seed": seed, "return": value + 0.01 * seed * number}
        for number, (run, value) in enumerate(zip(orders, (1.0, 0.9, 0.2), strict=True))
        for seed in range(3)
    ]
    said = tables.told_first(pd.DataFrame(rows))
    assert "first leaves 0.9 " in said and "another agent first 0.2 " in said and "matters more than the order" in said
    assert tables.told_first(crossed()) == ""


def test_a_difference_is_what_a_reader_gets_who_subtracts():
    rows = [
        {"game": "p", "trained": "0→1→2", "run": run, "seed": seed, "return": value}
        for run, value in (("0→1→2", 1), ("0→2→1", 0.96), ("1→0→2", 0.44))
        for seed in range(2)
    ]
    said = tables.told_first(pd.DataFrame(rows))
    assert "first leaves 0.96," in said and "first 0.44." in said and "paired by seed, is 0.52." in said


def test_the_answers_at_the_end_follow_the_numbers():
    said = tables.to_take_away(ends(), crossed(), gradients())
    assert (
        "agents get less in 1 of 1 games; trained in random orders, they get less than in an order of their own in 0 ("
        in said
    )
    assert "optimum in 1 of 1 games where agents act in turn, in 0 where" in said and "Up to rounding, nothing." in said
    swapped = crossed().replace({"trained": {"0→1": "1→0", "1→0": "0→1"}})
    turned = tables.to_take_away(ends().assign(optimal=False), swapped, gradients(1e-3))
    assert "agents get less in 0 of 1 games" in turned and "optimum in 0 of 1 games" in turned
    assert "More than rounding." in turned


def test_curves_show_every_way():
    rows = [
        {"way": way, "seed": seed, "update": u, "return": u + seed} for way in WAYS for seed in (0, 2) for u in (0, 1)
    ]
    first, second = figures.curves(pd.DataFrame(rows), game_of("climbing")).axes
    assert [line.get_ydata().tolist() for line in first.lines[2:]] == [[1, 2]] * 3 and len(second.lines) == 4
    assert first.lines[1].get_ydata()[0] == pytest.approx(8.8)


def test_what_cannot_be_checked_is_said_with_its_reason():
    shown = claims.beyond()
    assert "StarCraft" in shown.loc["B7", "claim"] and "cannot tell" in shown.loc["B7", "claim"]
    assert not set(shown.index) & set(claims.check(ends(), gradients())["id"]), "numbered on from those that can"


def test_games_of_an_odd_number_leave_no_empty_panel():
    games = [game_of(name) for name in ("climbing", "penalty_1", "penalty_2")]
    frame = pd.concat([crossed().assign(game=game.name) for game in games])
    assert [panel.get_title() for panel in figures.orders(frame, games).axes] == [game.title for game in games]
