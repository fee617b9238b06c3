"""A claim's verdict follows from those of its statements, and stands beside recorded ones."""

import pandas as pd
import pytest

from lsnotebook.pages import scoreboard
from lsnotebook.pages.statements import FAILS, HOLDS, UNTOLD


def statements(*verdicts):
    rows = [
        {"id": "C1", "claim": "It holds.", "rule": f"rule {k}", "paper": None, "build": 1.0, "low": 0.0, "high": 2.0,
         "verdict": verdict, "page": "02_execution_order"}
        for k, verdict in enumerate(verdicts)
    ]  # fmt: skip
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
    row = {"id": "C1", "claim": "It holds.", "rule": rule, "paper": 7.0, "build": build, "low": build - 1}
    return pd.DataFrame([{**row, "high": build + 1, "verdict": verdict, "page": "02_execution_order"}])


def test_a_recorded_verdict_stands_beside_this_builds_and_its_number_where_the_rule_is_the_same():
    ours = measured(FAILS, 3.0)
    (row,) = scoreboard.board(ours, {"recorded, cifar100": measured(HOLDS, 8.0)}).to_dict("records")
    assert "holds" in row["recorded, cifar100"] and "8.0 [7.0, 9.0]" in row["recorded, cifar100"]
    assert "does not hold" in row["verdict"] and row["this build"] == "3.0 [2.0, 4.0]"
    (row,) = scoreboard.board(ours, {"recorded, cifar100": measured(HOLDS, 8.0, "another")}).to_dict("records")
    assert "holds" in row["recorded, cifar100"] and "8.0" not in row["recorded, cifar100"]
    (row,) = scoreboard.details(ours, {"recorded, cifar100": measured(HOLDS, 8.0)}).to_dict("records")
    assert row["recorded, cifar100"] == "8.0 [7.0, 9.0]" and row["this build"] == "3.0 [2.0, 4.0]"
