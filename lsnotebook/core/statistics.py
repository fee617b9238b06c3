"""Means and intervals of tables with a row for each network (seed) and order (draw)."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy import stats

Sample: TypeAlias = Sequence[float] | pd.Series | np.ndarray


def interval(sample: Sample) -> tuple[float, float]:
    """A 95 % interval of the mean by Student's t; empty (NaN) where there is one value only."""
    mean, error = float(np.mean(sample)), stats.sem(sample) if len(sample) > 1 else np.nan
    low, high = stats.t.interval(0.95, len(sample) - 1, mean, error) if error else (mean, mean)
    return float(low), float(high)


def over_seeds(accuracies: pd.DataFrame, measure: str = "top1") -> pd.DataFrame:
    """One row for each (approach, policy): mean and standard deviation over the seeds (as in Table 1), each seed's
    accuracy being its mean over the orders, and a 95 % interval of the mean over the orders.

    The interval takes the drawn orders as the sample: t-distributed around the mean of the order means. It is
    empty where a policy has one order only.
    """
    rows = []
    for (approach, policy), group in accuracies.groupby(["approach", "policy"], sort=False):
        seeds = group.groupby("seed")[measure].mean()
        means = group.groupby("draw")[measure].mean()
        rows.append((approach, policy, seeds.mean(), seeds.std(), *interval(means), len(seeds), len(means)))
    return pd.DataFrame(rows, columns=["approach", "policy", "mean", "std", "low", "high", "seeds", "orders"])
