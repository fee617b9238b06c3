"""Means with 95 % intervals over crossed random factors: networks in rows, orders or images in columns."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit, logit

POINTS = (-1.0, 1.0)
"""The limits of a difference of two shares."""


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

    A share between `limits` gets its interval on the logit scale between them, so that it is asymmetric and stays
    inside. That of a difference, whose lower limit is negative, is symmetric, and cut at its limits: beyond them the
    truth cannot lie. Two networks, or two orders, give no interval of what has limits: with one degree of freedom it
    would reach 12.7 standard errors to either side, and say next to nothing. A single value has no interval, nor have
    values that are all equal: equality is no certainty. Networks that agree under each of several orders are copies,
    and no sample of networks. With a NaN nothing is told.
    """
    values = np.asarray(values, dtype=float)
    values = values[:, None] if values.ndim == 1 else values
    error, freedom = standard_error(values)
    mean, rounding = float(values.mean()), 1e-12 * (1 + np.abs(values).max())  # which is no spread
    copies = min(values.shape) > 1 and not np.ptp(values, axis=0).max() > rounding
    if copies or not error > rounding:
        return Estimate(mean, np.nan, np.nan)
    half = float(stats.t.ppf(0.975, freedom)) * error
    if limits is None or not limits[0] < mean < limits[1]:
        return Estimate(mean, mean - half, mean + half)
    low, high = limits
    if 2 in values.shape:
        return Estimate(mean, np.nan, np.nan)
    if low < 0:
        return Estimate(mean, max(low, mean - half), min(high, mean + half))
    share = (mean - low) / (high - low)
    spread = half / (high - low) / (share * (1 - share))
    bounds = low + (high - low) * expit(logit(share) + np.array([-spread, spread]))
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
    """The ratio of the means above chance of `values` (I, J) and `reference` (I,) or (I, J), as values (I, J) for
    `crossed`.

    Their mean is this ratio; their deviations are those of the ratio to first order (the delta method), paired by
    network. Where the interval of the reference is not above chance, a ratio means nothing (Fieller 1954), and the
    values are all equal, so that they have no interval.
    """
    above, reference = values - chance, np.asarray(reference).reshape(len(reference), -1) - chance
    estimate = crossed(reference)
    if not estimate.mean > 0:
        return np.full(above.shape, np.nan)
    share = above.mean() / estimate.mean
    return np.full(above.shape, share) if estimate.low <= 0 else share + (above - share * reference) / estimate.mean


def kept(accuracy: Any, of: float, chance: float) -> Any:
    """The share of the accuracy above chance that is kept: what is left of `of` in `accuracy`, one or an array."""
    return (accuracy - chance) / (of - chance)


def contrast(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The mean of `values` (I, J) `where` (I, J) is true less that elsewhere, as values (I, J) for `crossed`.

    Their mean over a row is its difference; their deviations are those of the two means.
    """
    first, second = ((values - values[side].mean()) * side / side.mean(1, keepdims=True) for side in (where, ~where))
    return values[where].mean() - values[~where].mean() + first - second


def rank_correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Spearman's correlation within each row of two (I, J), as values (I, J) for `crossed`.

    Their mean over a row is its correlation, 0 where a row is constant; their deviations are those of a correlation to
    first order (its influence function).
    """
    ranks = [
        rank - rank.mean(1, keepdims=True) for rank in (stats.rankdata(values, axis=1) for values in (first, second))
    ]
    x, y = (rank / np.maximum(rank.std(1, keepdims=True), 1e-9) for rank in ranks)
    correlation = (x * y).mean(1, keepdims=True)
    return correlation + x * y - correlation * (x**2 + y**2) / 2


def matched(*samples: np.ndarray) -> list[np.ndarray]:
    """Samples (..., J) of different size, cut to as many columns as the smallest has: column k is the mean of every
    such column from k on, so that the first columns stay side by side. A single column stands for all."""
    count = min((values.shape[-1] for values in samples if values.shape[-1] > 1), default=1)
    return [
        np.repeat(values, count, axis=-1)
        if values.shape[-1] == 1
        else np.stack([values[..., k::count].mean(-1) for k in range(count)], axis=-1)
        for values in samples
    ]


def matrix(table: pd.DataFrame, measure: str = "top1") -> pd.DataFrame:
    """A measure of one approach under one policy: networks (seeds) in rows, orders (draws) in columns.

    Raises `ValueError` where a network has two values under one order.
    """
    return table.pivot(index="seed", columns="draw", values=measure)


def over_networks(
    accuracies: pd.DataFrame, measure: str = "top1", chance: float = 0.0, by: tuple[str, ...] = ("approach", "policy")
) -> pd.DataFrame:
    """One row for each group `by` these columns: mean and standard deviation over the networks (as in Table 1), the
    accuracy of each being its mean over the orders, and the interval of the mean over networks and orders (`crossed`).

    Columns: those, mean, std, low, high, networks, orders.
    """
    rows = []
    for key, group in accuracies.groupby(list(by), sort=False):
        values = matrix(group, measure).to_numpy()
        estimate = crossed(values, (chance, 1))
        std = values.mean(1).std(ddof=1) if len(values) > 1 else np.nan
        rows.append((*key, estimate.mean, std, *estimate[1:], *values.shape))
    return pd.DataFrame(rows, columns=[*by, "mean", "std", "low", "high", "networks", "orders"])


def differences(accuracies: pd.DataFrame, to: str, measure: str = "top1") -> pd.DataFrame:
    """Each approach less `to`, paired by network (seed) and order (draw), of which both have: approach, policy, mean,
    low, high."""
    rows = []
    for policy, group in accuracies.groupby("policy", sort=False):
        values = {name: matrix(one, measure) for name, one in group.groupby("approach", sort=False)}
        for name, those in values.items():
            if name != to:
                ours, theirs = those.align(values[to], join="inner")
                rows.append((name, policy, *crossed((ours - theirs).to_numpy(), POINTS)))
    return pd.DataFrame(rows, columns=["approach", "policy", "mean", "low", "high"])
