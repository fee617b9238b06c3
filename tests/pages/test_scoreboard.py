"""A claim's verdict follows from those of its statements, and stands beside recorded ones."""

import json

import numpy as np
import pandas as pd
import pytest

from lsnotebook.pages import scoreboard
from lsnotebook.pages.statements import FAILS, HOLDS, UNTOLD

COMMON = {
    "id": "C1",
    "claim": "It holds.",
    "bound": "“some words”",
    "over": "5 networks, 100 orders",
    "otherwise": "the whole interval at most 5",
    "page": "02_execution_order",
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
    assert together in scoreboard.board(statements(*parts)).to_string()
    assert scoreboard.names(statements(*parts), together) == "C1"


def measured(verdict, build, rule="points: above 5"):
    row = {**COMMON, "rule": rule, "paper": 7.0, "build": build, "low": build - 1, "high": build + 1}
    return pd.DataFrame([{**row, "verdict": verdict}])


def test_a_recorded_verdict_stands_beside_this_builds_and_its_number_where_the_rule_is_the_same():
    ours, shown = measured(FAILS, 3.0), '3.0 [2.0, 4.0]<div class="over"><small>5 networks, 100 orders</small></div>'
    (row,) = scoreboard.board(ours, {"recorded, cifar100": measured(HOLDS, 8.0)}).to_dict("records")
    assert "holds" in row["recorded, cifar100"] and "8.0 [7.0, 9.0]" in row["recorded, cifar100"]
    assert "does not hold" in row["verdict"] and row["this build"] == shown
    (row,) = scoreboard.board(ours, {"recorded, cifar100": measured(HOLDS, 8.0, "another")}).to_dict("records")
    assert "holds" in row["recorded, cifar100"] and "8.0" not in row["recorded, cifar100"]
    assert "<small>another</small>" in row["recorded, cifar100"]
    (row,) = scoreboard.details(ours, {"recorded, cifar100": measured(HOLDS, 8.0)}).to_dict("records")
    assert row["recorded, cifar100"].startswith("8.0 [7.0, 9.0]<div") and row["this build"] == shown


def test_every_statement_says_where_its_bound_comes_from_and_what_another_verdict_takes():
    (row,) = scoreboard.details(measured(HOLDS, 8.0)).to_dict("records")
    assert "points: above 5" in row["statement"] and "“some words”" in row["statement"]
    assert "the whole interval at most 5" in row["another verdict takes"] and row["paper"] == "7.0"


def test_without_an_interval_the_number_stands_alone():
    table = measured(UNTOLD, 3.0).assign(low=np.nan, high=np.nan)
    (claim,) = scoreboard.records(table)
    assert claim["low"] is None and claim["high"] is None and "NaN" not in json.dumps(claim)
    for shown in (scoreboard.board(table), scoreboard.details(table)):
        assert shown["this build"].tolist() == ['3.0<div class="over"><small>5 networks, 100 orders</small></div>']


def test_what_is_not_a_number_is_shown_as_nothing():
    """An accuracy that is missing must not keep the other claims from being shown."""
    table = measured(UNTOLD, np.nan)
    (claim,) = scoreboard.records(table)
    assert claim["build"] is None and "NaN" not in json.dumps(claim)
    for shown in (scoreboard.board(table), scoreboard.details(table)):
        assert shown["this build"].tolist() == ['–<div class="over"><small>5 networks, 100 orders</small></div>']


def test_claims_whose_verdict_differs_are_listed_by_where_they_were_judged():
    boards = {
        "400 steps": pd.concat([statements(FAILS), statements(HOLDS).assign(id="C2")]),
        "1,600 steps": pd.concat([statements(HOLDS), statements(HOLDS).assign(id="C2")]),
        "6,400 steps": statements(HOLDS).assign(id="C2"),
    }
    found = scoreboard.differing(boards)
    assert found.index.tolist() == ["C1"], "the verdict on C2 is the same wherever it was judged"
    assert found.loc["C1"].tolist() == [scoreboard.marked(FAILS), scoreboard.marked(HOLDS), "not run"]
    assert scoreboard.differing({}).empty
