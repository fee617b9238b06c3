"""Variance is attributed to networks and orders as a two-way analysis of variance does."""

import numpy as np
import pytest
from synthetic import accuracies

from lsnotebook.core.variance import variance_shares


@pytest.mark.parametrize("source", ["seed", "order", "seed and order together"])
def test_the_variance_is_traced_to_where_it_comes_from(source):
    effects = dict(zip(("seed", "order", "seed and order together"), ("by_seed", "by_order", "rest"), strict=True))
    shares = variance_shares(accuracies(**{**dict.fromkeys(effects.values(), 0.001), effects[source]: 0.1}))
    assert shares[source] > 0.95
    assert shares.sum() == pytest.approx(1)


def test_the_shares_are_those_of_the_mean_squares():
    table = accuracies(0.05, 0.07, 0.03)
    wide = table.pivot(index="draw", columns="seed", values="top1").to_numpy()  # (30, 6)
    by_order, by_seed = wide.mean(1, keepdims=True), wide.mean(0, keepdims=True)
    rest = ((wide - by_order - by_seed + wide.mean()) ** 2).sum() / (29 * 5)
    parts = np.array([by_seed.var(ddof=1) - rest / 30, by_order.var(ddof=1) - rest / 6, rest])
    assert variance_shares(table).tolist() == pytest.approx((parts / parts.sum()).tolist())
