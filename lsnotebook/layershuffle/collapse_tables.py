"""The tables and sentences on why the ViT collapses, from what `measurements.collapses` gives."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lsnotebook.core.statistics import (
    POINTS,
    Estimate,
    contrast,
    crossed,
    kept,
    matrix,
    over_networks,
    rank_correlation,
    ratio,
)
from lsnotebook.layershuffle.approaches import TITLES
from lsnotebook.pages.tables import as_text, in_percent, listed, mean_and_interval, some

WAYS = "first", "last", "layer", "distance", "from", "sequential", "arbitrary"
"""What a row of `summary` is of, by its number: so many of the first or last layers held in place, a single layer held;
two layers exchanged at a distance, or of which this is the first; the answer after so many layers, in both orders."""

KEY = "approach", "way", "number"
OVER = "95 % intervals over networks and drawn orders"
"""The population of the sentences' intervals, where they say no other."""


def summary(measured: Mapping[str, pd.DataFrame], chance: float) -> pd.DataFrame:
    """One row for each approach, way and number (`WAYS`): mean, std, low, high, networks, orders as
    `statistics.over_networks` gives them; of top-1, and of the probability of the right class in the last two ways.

    All pairs of layers are there, so that swaps have an interval over the networks alone.
    """
    swaps = measured["swaps"].assign(distance=lambda pairs: pairs["second"] - pairs["first"])
    apart = swaps[swaps["distance"] > 0].assign(**{"from": swaps["first"]})
    parts = [over_networks(measured["anchored"], "top1", chance, KEY)]
    for way, pairs in (("distance", swaps), ("from", apart)):
        means = pairs.groupby(["approach", "seed", way], sort=False)["top1"].mean().reset_index()
        means = means.rename(columns={way: "number"}).assign(way=way, draw=0)
        parts.append(over_networks(means, "top1", chance, KEY))
    parts.append(over_networks(measured["lens"].rename(columns={"policy": "way"}), "probability", 0, KEY))
    return pd.concat(parts, ignore_index=True)


def anchored(found: pd.DataFrame) -> pd.DataFrame:
    """Top-1 in % with its interval: a row for each end and number of layers held there, a column an approach."""
    columns: dict[str, dict[tuple[str, int], str]] = {}
    for end in ("first", "last"):
        for row in found[found["way"] == end].sort_values("number", kind="stable").itertuples():
            columns.setdefault(TITLES[row.approach], {})[f"the {end}", row.number] = in_percent(row)
    return pd.DataFrame(columns)


def few_in_place(found: pd.DataFrame, chance: float) -> str:
    """Top-1 with none to three of the first layers in place, and from how many on nine tenths are kept of what the mean
    is above chance in sequence."""
    told = []
    for name, group in found[found["way"] == "first"].groupby("approach", sort=False):
        top1 = group.set_index("number").sort_index()
        few = [f"{in_percent(row)} with {row.Index or 'none'}" for row in top1[top1.index < 4].itertuples()]
        shares = kept(top1["mean"], top1["mean"].iloc[-1], chance)
        enough = shares.index[shares >= 0.9][0] if (shares >= 0.9).any() else "no number"
        told.append(f"**{TITLES[name]}**: {', '.join(few)}; nine tenths from {enough} on.")
    lead = (
        f"Top-1 accuracy in % with the first layers in place ({OVER}), and from how many on nine tenths are kept of "
        "what it is above chance in sequence:"
    )
    return listed(lead, told)


def held(table: pd.DataFrame, end: str) -> dict[str, dict[int, np.ndarray]]:
    """Top-1 (networks, orders) of each approach with so many of the "first" or "last" layers in place."""
    return {
        name: {number: matrix(rows).to_numpy() for number, rows in group.groupby("number")}
        for name, group in table[table["way"] == end].groupby("approach", sort=False)
    }


def collapses(top1: Mapping[int, np.ndarray], layers: int, chance: float) -> bool:
    """Whether a tenth or more of the accuracy above chance is lost with none in place."""
    return bool(ratio(top1[0], top1[layers][:, 0], chance).mean() < 0.9)


def regained(top1: Mapping[int, np.ndarray], number: int, layers: int) -> np.ndarray:
    """The share of what arbitrary orders cost that is regained with so many in place, as values for `crossed`."""
    return ratio(top1[number] - top1[0], top1[layers] - top1[0])


def verdict(table: pd.DataFrame, chance: float, layers: int) -> str:
    """How much of the collapse is that of the first quarter of the layers, from the table of `collapse.anchored`.

    Decided beforehand: nine tenths of what an order costs are "nearly all" of it, half are "most".
    """
    quarter, top1 = max(1, layers // 4), held(table, "first")
    without = {name: ratio(at[0], at[layers][:, 0], chance) for name, at in top1.items()}
    shares = {name: mean_and_interval(values, (0, 1), "\u00a0%") for name, values in without.items()}
    if not collapses(top1["baseline"], layers, chance):
        return (
            f"**Verdict.** At this scale nothing collapses: of its accuracy above chance, the ViT keeps "
            f"{shares['baseline']} with none in place ({OVER})."
        )
    undone = regained(top1["baseline"], quarter, layers)
    share, text = undone.mean(), mean_and_interval(undone, unit="\u00a0%")
    how = "nearly all" if share >= 0.9 else "most" if share >= 0.5 else "less than half"
    whose = f"the first {quarter} of {layers} layers" if quarter > 1 else f"the first of {layers} layers"
    return (
        f"**Verdict.** Of what arbitrary orders cost the ViT, {text} is regained by {whose} "
        f"in place, the others still shuffled: at this scale, {how} of the collapse is theirs. LayerShuffle, "
        f"where every layer was at times the first, keeps {shares['layershuffle']} of its accuracy above chance with "
        f"none in place ({OVER})."
    )


def first_or_last(table: pd.DataFrame, layers: int) -> str:
    """Which end matters: a quarter of the layers in place, the first or the last, paired by network and draw."""
    quarter, first, last = max(1, layers // 4), held(table, "first"), held(table, "last")
    gains = {TITLES[name]: first[name][quarter] - last[name][quarter] for name in first}
    texts = [f"{mean_and_interval(gain, POINTS)} for {title}" for title, gain in gains.items()]
    ends = {end: [title for title, gain in gains.items() if sign(crossed(gain, POINTS)) == end] for end in (1, -1)}
    return (
        f"Points of top-1 more with the first {quarter} in place than with the last {quarter} ({OVER}): "
        f"{', '.join(texts)}. The first matter more for {some(ends[1])}, the last for {some(ends[-1])}."
    )


def one_in_place(table: pd.DataFrame, chance: float) -> str:
    """Layer 0 alone in place rather than another one on average, paired by network and draw; and the best of all."""
    told, apart = [], []
    for name, group in table.groupby("approach", sort=False):
        none = matrix(group[(group["way"] == "first") & (group["number"] == 0)]).to_numpy()
        alone = [matrix(one).to_numpy() for _, one in group[group["way"] == "layer"].groupby("number")]
        others, best = np.mean(alone[1:], axis=0), int(np.argmax([values.mean() for values in alone]))
        three = [mean_and_interval(values, (chance, 1)) for values in (none, alone[0], others)]
        more = mean_and_interval(alone[0] - others, POINTS)
        told.append(
            f"**{TITLES[name]}**: {three[0]} with none, {three[1]} with layer 0, {three[2]} with another on average. "
            f"Layer 0 makes a difference of {more} points; the best is layer {best}."
        )
        apart += [TITLES[name]] if sign(crossed(alone[0] - others, POINTS)) > 0 else []
    return listed(
        f"Top-1 accuracy in % with a single layer in place ({OVER}):", told, f"Layer 0 stands out for {some(apart)}."
    )


def exchanged(table: pd.DataFrame) -> str:
    """Is it the distance of a swap, or that layer 0 takes part? Over the networks; all pairs are there."""
    told, dearer = [], []
    if table["second"].max() < 2:
        return "Of two layers there is one pair only."
    for name, group in table.groupby("approach", sort=False):
        top1 = group.pivot(index="seed", columns=["first", "second"], values="top1")
        first, second = (top1.columns.get_level_values(level).to_numpy() for level in ("first", "second"))
        distance, cost = second - first, (top1[0, 0].to_numpy()[:, None] - top1.to_numpy())
        apart = [
            cost[:, (first == 0) & (distance == far)][:, 0] - cost[:, (first > 0) & (distance == far)].mean(1)
            for far in range(1, distance.max())
        ]
        with_first = np.mean(apart, axis=0)
        others = cost[:, (first > 0) & (distance > 0)]
        far = np.broadcast_to(distance[(first > 0) & (distance > 0)], others.shape)
        loss, more = (mean_and_interval(each, POINTS) for each in (cost[:, distance > 0].mean(1), with_first))
        trend = as_text(*crossed(rank_correlation(far, others).mean(1), POINTS), decimals=2)
        told.append(
            f"**{TITLES[name]}** loses {loss} points on average. With layer 0 it loses {more} more than without at the "
            f"same distance; without it, the rank correlation of loss and distance is {trend}."
        )
        dearer += [TITLES[name]] if sign(crossed(with_first, POINTS)) > 0 else []
    costs = f"At the same distance, exchanging layer 0 costs more than exchanging others for {some(dearer)}."
    return listed("Points of top-1 lost with two layers exchanged (95 % intervals over the networks):", told, costs)


def answer_forms(found: pd.DataFrame, chance: float) -> str:
    """The probability of the right class after all layers, and after how many half of its rise was there; an answer has
    formed where the whole interval lies above twice chance."""
    told, formed = [], []
    for name, group in found.groupby("approach", sort=False):
        texts = []
        for way, where in {"sequential": "in sequence", "arbitrary": "in arbitrary order"}.items():
            after = group[group["way"] == way].set_index("number").sort_index()
            rise, (*_, last) = after["mean"] - after["mean"].iloc[0], after.itertuples()
            half = f"half of the rise after {rise.index[rise >= rise.iloc[-1] / 2][0]} of {last.Index} layers"
            how = half if last.mean >= 2 * chance else "less than twice chance"
            texts.append(f"{in_percent(last)} {where} ({how})")
        told.append(f"**{TITLES[name]}**: {', '.join(texts)}.")
        formed += [TITLES[name]] if last.low > 2 * chance else []  # in arbitrary order
    end = f"In arbitrary order an answer forms, with the whole interval above twice chance, in {some(formed)}."
    lead = f"The probability of the right class after all layers, in % ({OVER}; in sequence, over the networks):"
    return listed(lead, told, end)


def distance_or_beginning(shuffled: pd.DataFrame) -> str:
    """Of the drawn orders: does accuracy fall with their distance, or with the position of layer 0? Over networks and
    orders; the two rank correlations are paired."""
    told, ends, gaps = [], {}, {}
    table = shuffled.assign(place=shuffled["order"].str.split().map(lambda order: order.index("0")))
    for name, group in table.groupby("approach", sort=False):
        top1, distance, place = (matrix(group, measure).to_numpy() for measure in ("top1", "inversions", "place"))
        by_distance, by_place = rank_correlation(distance, top1), rank_correlation(place, top1)
        ends[name] = sign(crossed(by_distance - by_place, (-2, 2)))
        both = [as_text(*crossed(values, POINTS), decimals=2) for values in (by_distance, by_place)]
        first = place == 0
        drawn = 0 < first.mean() < 1
        gaps[name] = f"{mean_and_interval(contrast(top1, first), POINTS)} points more" if drawn else "none was drawn"
        told.append(f"**{TITLES[name]}**: {both[0]} and {both[1]}; where layer 0 runs first, {gaps[name]}.")
    which = {
        1: "the position of layer 0 goes with the accuracy more closely",
        -1: "the distance goes with the accuracy more closely",
        0: "neither goes with the accuracy more closely than the other",
    }
    lead = f"Rank correlation of accuracy with the distance, and with the position that layer 0 runs at ({OVER}):"
    return listed(
        lead,
        told,
        f"Is it the distance? For the ViT, {which[ends['baseline']]}; where layer 0 runs first, {gaps['baseline']}.",
    )


def begins_with_first(table: pd.DataFrame) -> pd.Series:
    """Whether layer 0 runs first, by the column `order`."""
    return table["order"].str.split().str[0] == "0"


def sign(estimate: Estimate) -> int:
    """1 or -1 where the whole interval lies above or below 0, else 0."""
    return int(estimate.low > 0) - int(estimate.high < 0)
