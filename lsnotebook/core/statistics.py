"""Means with 95 % intervals over crossed random factors: networks in rows, orders or images in columns."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats


class Estimate(NamedTuple):
    """A mean and its 95 % interval, NaN where there is none."""

    mean: float
    low: float
    high: float


def crossed(values: np.ndarray, limits: tuple[float, float] | None = None) -> Estimate:
    """The mean of `values` (I networks, J orders) and its interval over both; each network has run each order.

    Both are random: a two-way random-effects analysis of variance without replication gives the variance of the mean,
    (MS_networks + MS_orders - MS_rest) / (I J), and Satterthwaite's degrees of freedom those of Student's t (Searle,
    Casella & McCulloch, Variance Components, 1992). A vector (I,) is a sample of networks alone. The mean square of two
    networks, or orders, is too uncertain for Satterthwaite; there one degree of freedom is taken.

    A quantity between `limits` gets its interval on the logit scale between them, so that it is asymmetric and stays
    inside. A single value has no interval, nor have values that are all equal: equality is no certainty.
    """
    values = np.asarray(values, dtype=float)
    values = values[:, None] if values.ndim == 1 else values
    error, freedom = standard_error(values)
    mean = float(values.mean())
    if not error > 1e-12 * (1 + np.abs(values).max()):  # rounding is no spread
        return Estimate(mean, np.nan, np.nan)
    half = float(stats.t.ppf(0.975, freedom)) * error
    if limits is None or not limits[0] < mean < limits[1]:
        return Estimate(mean, mean - half, mean + half)
    low, high = limits
    share = (mean - low) / (high - low)
    logit, spread = np.log(share / (1 - share)), half / (high - low) / (share * (1 - share))
    bounds = low + (high - low) / (1 + np.exp(-np.array([logit - spread, logit + spread])))
    return Estimate(mean, *bounds.tolist())


def standard_error(values: np.ndarray) -> tuple[float, float]:
    """Of the mean of (I, J) values, with its degrees of freedom; NaN of a single value."""
    rows, columns = values.shape
    if min(rows, columns) == 1:
        sample = values.ravel()
        return (float(stats.sem(sample)) if len(sample) > 1 else np.nan), max(rows, columns) - 1
    by_row, by_column = values.mean(1, keepdims=True), values.mean(0, keepdims=True)
    rest = ((values - by_row - by_column + values.mean()) ** 2).sum() / ((rows - 1) * (columns - 1))
    squares = np.array([columns * by_row.var(ddof=1), rows * by_column.var(ddof=1), rest])  # mean squares
    freedom = np.array([rows - 1, columns - 1, (rows - 1) * (columns - 1)])
    variance = squares @ [1, 1, -1]
    if variance < rest:  # the estimated variances of networks and orders have a negative sum
        variance, degrees = rest, freedom[2]
    else:
        degrees = variance**2 / (squares**2 / freedom).sum() if variance else 1
    if min(rows, columns) == 2:
        degrees = 1
    return float(np.sqrt(variance / (rows * columns))), float(max(1, degrees))


def ratio(values: np.ndarray, reference: np.ndarray, chance: float = 0.0) -> np.ndarray:
    """The ratio of the means above chance of `values` (I, J) and `reference` (I,), as values (I, J) for `crossed`.

    Their mean is this ratio; their deviations are those of the ratio to first order (the delta method), paired by
    network.
    """
    scale = np.mean(reference) - chance
    share = (np.mean(values) - chance) / scale
    return share + ((values - chance) - share * (np.asarray(reference)[:, None] - chance)) / scale


def matrix(table: pd.DataFrame, measure: str = "top1") -> np.ndarray:
    """A measure of one approach under one policy as (networks, orders)."""
    return table.pivot_table(index="seed", columns="draw", values=measure, sort=True).to_numpy()


def over_networks(accuracies: pd.DataFrame, measure: str = "top1", chance: float = 0.0) -> pd.DataFrame:
    """One row for each (approach, policy): mean and standard deviation over the networks (as in Table 1), the accuracy
    of each being its mean over the orders, and the interval of the mean over networks and orders (`crossed`).

    Columns: approach, policy, mean, std, low, high, networks, orders.
    """
    rows = []
    for (approach, policy), group in accuracies.groupby(["approach", "policy"], sort=False):
        values = matrix(group, measure)
        estimate = crossed(values, (chance, 1)) if values.size else Estimate(np.nan, np.nan, np.nan)
        std = values.mean(1).std(ddof=1) if len(values) > 1 else np.nan
        rows.append((approach, policy, estimate.mean, std, *estimate[1:], *values.shape))
    return pd.DataFrame(rows, columns=["approach", "policy", "mean", "std", "low", "high", "networks", "orders"])


def differences(accuracies: pd.DataFrame, to: str, measure: str = "top1") -> pd.DataFrame:
    """Each approach less `to`, paired by network (seed) and order: approach, policy, mean, low, high."""
    rows = []
    for policy, group in accuracies.groupby("policy", sort=False):
        values = {name: matrix(one, measure) for name, one in group.groupby("approach", sort=False)}
        rows += [(name, policy, *crossed(those - values[to])) for name, those in values.items() if name != to]
    return pd.DataFrame(rows, columns=["approach", "policy", "mean", "low", "high"])
