"""Means and intervals over networks and orders."""

import numpy as np
import pytest
from scipy import stats
from synthetic import accuracies

from lsnotebook.core.statistics import over_seeds


def test_over_seeds_takes_the_std_over_networks_and_the_interval_over_orders():
    table = accuracies(0.03, 0.1, 0.02)
    wide = table.pivot(index="draw", columns="seed", values="top1").to_numpy()
    row = over_seeds(table).iloc[0]
    assert row["mean"] == pytest.approx(wide.mean())
    assert row["std"] == pytest.approx(wide.mean(0).std(ddof=1))
    half = stats.t.ppf(0.975, 29) * wide.mean(1).std(ddof=1) / np.sqrt(30)
    assert (row["low"], row["high"]) == pytest.approx((wide.mean() - half, wide.mean() + half))
    assert (row["seeds"], row["orders"]) == (6, 30)


def test_one_order_has_no_interval():
    assert over_seeds(accuracies(0.1, orders=1))[["low", "high"]].isna().all(axis=None)
