"""A claim's verdict follows from those of its statements, and stands beside recorded ones."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from lsnotebook.pages import scoreboard, tables
from lsnotebook.pages.statements import FAILS, HOLDS, UNTOLD

COMMON = {
    "id": "C1",
    "claim": "It holds.",
    "bound": "“some words”",
    "over": "5 networks, 100 orders",
    "otherwise": "the whole interval at most 5",
    "page": "02_execution_order",
    "figure": "table-1",
    "above": 5.0,
    "below": None,
}


def statements(*verdicts):
    rows = [
        {**COMMON, "rule": f"rule {k}", "paper": None, "build": 1.0, "low": 0.0, "high": 2.0, "verdict": verdict}
        for k, verdict in enumerate(verdicts)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("parts", "together", "deciding"),
    [
        ((HOLDS, HOLDS), HOLDS, "rule 0"),
        ((HOLDS, FAILS, UNTOLD), FAILS, "rule 1"),
        ((HOLDS, UNTOLD), UNTOLD, "rule 1"),
    ],
)
def test_a_claim_holds_if_all_of_its_statements_do(parts, together, deciding):
    (claim,) = scoreboard.records(statements(*parts))
    assert claim["verdict"] == together and claim["rule"] == deciding and len(claim["statements"]) == len(parts)
    (row,) = scoreboard.board(statements(*parts)).to_dict("records")
    assert f'<div class="verdict {together.replace(" ", "-")}">{scoreboard.marked(together)}</div>' in row["claim"]


def test_the_statement_that_decides_is_the_one_nearest_to_its_bound():
    table = statements(HOLDS, HOLDS, HOLDS, UNTOLD)
    table["low"], table["high"] = [8.0, 5.2, np.nan, 4.0], [10.0, 7.2, np.nan, 9.0]
    (claim,) = scoreboard.records(table[:3])
    assert claim["rule"] == "rule 1"
    (claim,) = scoreboard.records(table)
    assert claim["rule"] == "rule 3", "the verdict comes first"
    below = table[:2].assign(above=None, below=11.0)
    assert scoreboard.records(below)[0]["rule"] == "rule 0"


def test_a_sentence_counts_the_verdicts_and_names_what_does_not_hold():
    several = [statements(verdict).assign(id=f"C{k}") for k, verdict in enumerate((HOLDS, FAILS, HOLDS, FAILS, UNTOLD))]
    found = scoreboard.summary(pd.concat(several))
    expected = "Of 5 claims, <b>2</b> hold, <b>2</b> do not (C1, C3), and <b>1</b> is undecided (C4)."
    assert found == expected
    alone = "Of 1 claims, <b>1</b> holds, <b>0</b> do not, and <b>0</b> are undecided."
    assert scoreboard.summary(statements(HOLDS)) == alone


def test_a_sentence_says_what_a_recorded_scale_judges_otherwise():
    def several(*verdicts):
        return pd.concat([statements(verdict).assign(id=f"C{k}") for k, verdict in enumerate(verdicts)])

    ours = several(HOLDS, HOLDS, UNTOLD, FAILS)
    found = scoreboard.summary(ours, {"recorded, big": several(HOLDS, FAILS, HOLDS), "recorded, same": several(HOLDS)})
    assert found.endswith("(C2). Otherwise at big (recorded): C1 does not hold, C2 holds."), "C3 was not run there"


def measured(verdict, build, rule="points: above 5"):
    row = {**COMMON, "rule": rule, "paper": 7.0, "build": build, "low": build - 1, "high": build + 1}
    return pd.DataFrame([{**row, "verdict": verdict}])


def test_a_row_says_what_is_measured_the_rule_the_papers_number_and_ours_with_its_unit():
    table = scoreboard.board(measured(FAILS, -3.0, "points lost: between -5 and 5"))
    assert table.index.tolist() == ['<a href="02_execution_order.ipynb#table-1">C1</a>']
    (row,) = table.to_dict("records")
    assert "points lost" in row["measured as"] and "between −5 and 5\u00a0points" in row["rule"]
    assert "7.0\u00a0points" in row["paper"] and "−3.0\u00a0points [−4.0,\u00a0−2.0]" in row["ours"]
    assert "<small>5 networks, 100 orders</small>" in row["ours"]
    (share,) = scoreboard.board(measured(HOLDS, 8.0, "kept, %: above 5")).to_dict("records")
    assert (
        "8.0\u00a0% [7.0,\u00a09.0]" in share["ours"]
        and "above 5\u00a0%" in share["rule"]
        and "kept, %" not in share["measured as"]
    )


def test_how_many_times_as_much_has_a_unit_of_its_own():
    table = measured(HOLDS, 8.0, "slower, times: above 1")
    (row,) = scoreboard.board(table).to_dict("records")
    assert "8.0× [7.0,\u00a09.0]" in row["ours"] and "7.0×" in row["paper"] and "above 1×" in row["rule"]
    assert (
        ">slower<" in row["measured as"]
        and "8.0×<br><small>[7.0,\u00a09.0]</small>" in tables.table(scoreboard.board(table)).data
    )


def test_without_any_number_of_the_paper_its_column_is_left_out():
    known, unknown = measured(HOLDS, 8.0), measured(HOLDS, 8.0).assign(id="C2", paper=None)
    for show in (scoreboard.board, scoreboard.details):
        assert "paper" not in show(unknown) and "paper" in show(pd.concat([known, unknown]))


def drawn(row):
    """The places of a bar's interval, dot, shaded part and diamond."""
    svg = scoreboard.bar(
        {**COMMON, "rule": "share, %: above 5", "paper": 7.0, "low": 0.0, "high": 50.0, "build": 25.0, **row}
    )
    places = {name: re.search(pattern, svg) for name, pattern in PATTERNS.items()}
    return {name: [float(number) for number in found.groups()] for name, found in places.items() if found}


PATTERNS = {
    "interval": r'd="M([\d.]+) 8H([\d.]+)M',
    "dot": r'cx="([\d.]+)"',
    "inside": r'<rect x="([\d.]+)" width="([\d.]+)"',
    "paper": r'd="M([\d.]+) 3l',
}


def test_a_bar_has_the_interval_where_it_lies_against_the_bound():
    """A share is drawn from 0 to 100 % between 6 and 114 of 120 units."""
    at = drawn({})
    assert at == {"interval": [6, 60], "dot": [33], "inside": [11.4, 108.6], "paper": [13.6]}
    below = drawn({"above": None, "below": 50.0, "paper": None})
    assert below["inside"] == [0, 60] and "paper" not in below
    points = drawn(
        {"rule": "points: between -5 and 5", "above": -5.0, "below": 5.0, "low": -10.0, "high": 10.0, "build": 0.0}
    )
    assert points["interval"] == [6, 114] and points["dot"] == [60] and points["inside"] == [33, 54]


def test_a_bar_is_told_in_words_too():
    bar = scoreboard.bar(measured(FAILS, -3.0, "points lost: between -5 and 5").iloc[0])
    told = "−3.0\u00a0points, interval from −4.0 to −2.0; rule: between −5 and 5; paper: 7.0\u00a0points"
    assert f'role="img" aria-label="{told}"' in bar


def test_recorded_numbers_stand_beside_this_builds_where_the_rule_is_the_same():
    ours, shown = measured(FAILS, 3.0), "3.0\u00a0points [2.0,\u00a04.0]<br><small>5 networks, 100 orders</small>"
    (row,) = scoreboard.details(ours, {"recorded, cifar100": measured(HOLDS, 8.0)}).to_dict("records")
    assert "8.0\u00a0points [7.0,\u00a09.0]" in row["recorded, cifar100"] and shown in row["this build"]
    (row,) = scoreboard.details(ours, {"recorded, cifar100": measured(HOLDS, 8.0, "points: above 6")}).to_dict(
        "records"
    )
    assert row["recorded, cifar100"] == ""


def test_this_builds_numbers_come_first():
    """They are to be seen without scrolling, on a phone too."""
    shown = scoreboard.details(measured(FAILS, 3.0), {"recorded, cifar100": measured(HOLDS, 8.0)})
    assert list(shown)[:3] == ["statement", "this build", "recorded, cifar100"]
    assert scoreboard.verdict(FAILS) in shown["statement"].item()


def test_every_statement_says_where_its_bound_comes_from_and_what_another_verdict_takes():
    (row,) = scoreboard.details(measured(HOLDS, 8.0)).to_dict("records")
    assert "points: above 5" in row["statement"] and "“some words”" in row["statement"]
    assert "the whole interval at most 5" in row["another verdict takes"] and "7.0\u00a0points" in row["paper"]


def test_without_an_interval_the_number_stands_alone():
    table = measured(UNTOLD, 3.0).assign(low=np.nan, high=np.nan)
    (claim,) = scoreboard.records(table)
    assert claim["low"] is None and claim["high"] is None and "NaN" not in json.dumps(claim)
    for shown in (scoreboard.board(table)["ours"].item(), scoreboard.details(table)["this build"].item()):
        assert "3.0\u00a0points<br><small>5 networks, 100 orders</small>" in shown
    assert drawn({"low": np.nan, "high": np.nan})["interval"] == [33, 33]


def test_what_is_not_a_number_is_shown_as_nothing():
    """An accuracy that is missing must not keep the other claims from being shown."""
    table = measured(UNTOLD, np.nan)
    (claim,) = scoreboard.records(table)
    assert claim["build"] is None and "NaN" not in json.dumps(claim)
    for shown in (scoreboard.board(table)["ours"].item(), scoreboard.details(table)["this build"].item()):
        assert shown == '<div class="quantity">–<br><small>5 networks, 100 orders</small></div>'


def test_verdicts_stand_side_by_side_by_where_they_were_judged():
    boards = {
        "400 steps": pd.concat([statements(FAILS), statements(HOLDS).assign(id="C2")]),
        "1,600 steps": pd.concat([statements(HOLDS), statements(HOLDS).assign(id="C2")]),
        "6,400 steps": statements(HOLDS).assign(id="C2"),
    }
    found = scoreboard.matrix(boards)
    assert found.index.tolist() == ["C1", "C2"] and "It holds." in found.loc["C2", "claim"]
    expected = [scoreboard.verdict(FAILS), scoreboard.verdict(HOLDS), "not run"]
    assert found.loc["C1"].tolist()[1:] == expected
    differing = scoreboard.matrix(boards, differing=True)
    assert differing.index.tolist() == ["C1"], "the verdict on C2 is the same wherever it was judged"
    assert scoreboard.matrix({}).empty
