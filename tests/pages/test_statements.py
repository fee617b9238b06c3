"""A verdict follows from the interval alone."""

import numpy as np
import pytest

from lsnotebook.pages.statements import FAILS, HOLDS, UNTOLD, Statement


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
