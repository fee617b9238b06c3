"""A verdict follows from the interval alone, and every claim gets one."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from lsnotebook import claims, paper, scoreboard
from lsnotebook.claims import FAILS, HOLDS, UNTOLD, Statement
from lsnotebook.cli import main


@pytest.mark.parametrize(
    ("mean", "bounds", "verdict"),
    [
        (10, {"above": 0}, HOLDS),
        (-10, {"above": 0}, FAILS),
        (0.1, {"above": 0}, UNTOLD),
        (0, {"above": -5, "below": 5}, HOLDS),
        (8, {"above": -5, "below": 5}, FAILS),
        (5, {"above": -5, "below": 5}, UNTOLD),
    ],
)
def test_the_interval_decides(mean, bounds, verdict):
    statement = Statement("points", mean + np.array([-1.0, 0, 1, -0.5, 0.5]), **bounds)
    low, high = statement.interval
    assert low < mean < high and statement.verdict == verdict


def test_a_sample_without_spread_is_its_own_interval():
    assert Statement("points", np.full(5, 3.0), above=0).interval == (3, 3)


def test_one_network_decides_nothing():
    assert Statement("points", np.array([30.0]), above=0).verdict == UNTOLD


def statements(*verdicts):
    rows = [
        {"id": "C1", "claim": "It holds.", "rule": f"rule {k}", "paper": None, "build": 1.0, "low": 0.0, "high": 2.0,
         "verdict": verdict, "chapter": "02_execution_order"}
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


def test_the_papers_own_numbers_meet_the_papers_claims():
    """The rules say what the paper's words mean: its own numbers must pass them."""

    class Published(claims.Build):
        def top1(self, approach, policy):
            return np.full(5, 100 * paper.table1().set_index(["approach", "policy"])["mean"][approach, policy])

        chance = claims.IMAGENET_CHANCE

    from lsnotebook.profiles import PROFILES

    build = Published(PROFILES["imagenet"])
    for name in ("C1", "C2", "C3", "C4", "C5", "C7"):
        for statement in claims.CLAIMS[name].statements(build):
            assert statement.verdict == HOLDS, (name, statement.rule)
            assert statement.value == pytest.approx(statement.paper)


@pytest.mark.slow
def test_every_claim_is_judged_on_the_command_line(trained):
    result = CliRunner().invoke(main, ["claims", "smoke", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [claim["id"] for claim in found] == [f"C{k}" for k in range(1, 15)]
    for claim in found:
        assert {"id", "claim", "paper", "build", "interval", "verdict"} <= set(claim)
        assert claim["verdict"] in claims.VERDICTS
        low, high = claim["interval"]
        assert low <= claim["build"] <= high
    said = CliRunner().invoke(main, ["claims", "smoke"])
    assert all(f"{claim['id']:4}{claim['verdict'].upper()}" in said.output for claim in found)
