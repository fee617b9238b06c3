"""A verdict follows from the interval alone."""

import numpy as np
import pytest

from lsnotebook.core.statistics import crossed
from lsnotebook.pages.statements import FAILS, HOLDS, UNTOLD, Bounds, Claim, Statement, judged


@pytest.mark.parametrize(
    ("mean", "bounds", "verdict", "otherwise"),
    [
        (10, {"above": 0}, HOLDS, "at most 0"),
        (-10, {"above": 0}, FAILS, "above 0"),
        (0.1, {"above": 0}, UNTOLD, "above 0, or at most 0"),
        (0, {"above": -5, "below": 5}, HOLDS, "below -5, or above 5"),
        (8, {"above": -5, "below": 5}, FAILS, "between -5 and 5"),
        (5, {"above": -5, "below": 5}, UNTOLD, "between -5 and 5, or below -5, or above 5"),
        (10, {"below": 0}, FAILS, "below 0"),
    ],
)
def test_the_interval_decides(mean, bounds, verdict, otherwise):
    statement = Statement("points", mean + np.array([-1.0, 0, 1, -0.5, 0.5]), Bounds("so it says", **bounds))
    _, low, high = statement.estimate
    assert low < mean < high and statement.verdict == verdict
    assert statement.otherwise == f"the whole interval {otherwise}"


@pytest.mark.parametrize(
    "values",
    [np.zeros(5), np.full(2, 30.0), np.array([30.0]), np.full((5, 20), 30.0), np.array([[30.0]]), np.full(5, -3.0)],
    ids=["five zeros", "two equal networks", "one network", "equal throughout", "one of one", "equal and below"],
)
def test_equal_values_and_single_ones_decide_nothing(values):
    for bounds in ({"above": 0}, {"below": 0}, {"above": -5, "below": 5}):
        statement = Statement("points", values, Bounds("so it says", **bounds))
        assert statement.verdict == UNTOLD and np.isnan(statement.estimate[1:]).all()


def test_the_interval_is_over_rows_and_columns_and_within_the_limits():
    values = np.random.default_rng(0).uniform(0, 100, (3, 4))
    statement = Statement("share, %", values, Bounds("so it says", above=1), limits=(0, 100))
    assert statement.estimate == crossed(values, (0, 100)) and statement.population == "3 networks, 4 orders"
    assert Statement("points", values[:, :1], Bounds("", above=1)).population == "3 networks"
    assert Statement("points", values[:1], Bounds("", above=1)).population == "4 orders"
    assert Statement("points", values[:1, :1], Bounds("", above=1)).population == "a single value"
    merged = Statement("points", values[0], Bounds("", above=1), over=("merged models",))
    assert merged.population == "4 merged models"


def test_a_judged_statement_says_where_its_bound_comes_from_and_what_was_resampled():
    statement = Statement("points", np.array([[1.0, 2], [2, 4], [3, 3]]), Bounds("“more”", above=0), 2.0)
    (row,) = judged({"C1": (Claim("It is more.", "page", "table-1"), [statement])}).to_dict("records")
    assert (row["id"], row["claim"], row["page"], row["paper"]) == ("C1", "It is more.", "page", 2.0)
    assert (row["figure"], row["above"], row["below"]) == ("table-1", 0, None)
    assert (row["rule"], row["bound"], row["over"]) == ("points: above 0", "“more”", "3 networks, 2 orders")
    assert (row["build"], row["low"], row["high"]) == pytest.approx(crossed(statement.values))
    assert (row["verdict"], row["otherwise"]) == (statement.verdict, statement.otherwise)


def test_where_nothing_was_measured_the_reason_stands_in_place_of_a_population():
    missing = Statement("saved, %", np.array([np.nan]), Bounds("", above=0), unmeasured="it takes a solver")
    assert missing.population == "it takes a solver" and missing.verdict == UNTOLD
    there = Statement("saved, %", np.array([1.0, 2.0]), Bounds("", above=0), unmeasured="it takes a solver")
    assert there.population == "2 networks"
