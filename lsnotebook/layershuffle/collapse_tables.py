"""The tables and sentences on why the ViT collapses, from what `measurements.collapses` gives."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from lsnotebook.core.statistics import Estimate, contrast, crossed, matrix, over_networks, rank_correlation
from lsnotebook.layershuffle.approaches import TITLES
from lsnotebook.pages.tables import as_text, mean_and_interval, percent

WAYS = "first", "last", "layer", "distance", "from", "sequential", "arbitrary"
"""What a row of `summary` is of, by its number: so many of the first or last layers held in place, a single layer held;
two layers exchanged at a distance, or of which this is the first; the answer after so many layers, in both orders."""


def summary(measured: Mapping[str, pd.DataFrame], chance: float) -> pd.DataFrame:
    """One row for each approach, way and number (`WAYS`): mean, std, low, high, networks, orders as
    `statistics.over_networks` gives them; of top-1, and of the probability of the right class in the last two ways.

    All pairs of layers are there, so that swaps have an interval over the networks alone.
    """
    swaps = measured["swaps"].assign(distance=lambda pairs: pairs["second"] - pairs["first"])
    apart = swaps[swaps["distance"] > 0].assign(**{"from": swaps["first"]})
    parts = [over_ways(measured["anchored"], "top1", chance)]
    for way, pairs in (("distance", swaps), ("from", apart)):
        means = pairs.groupby(["approach", "seed", way], sort=False)["top1"].mean().reset_index()
        parts.append(over_ways(means.rename(columns={way: "number"}).assign(way=way, draw=0), "top1", chance))
    parts.append(over_ways(measured["lens"].rename(columns={"policy": "way"}), "probability", 0))
    return pd.concat(parts, ignore_index=True)


def over_ways(table: pd.DataFrame, measure: str, chance: float) -> pd.DataFrame:
    """`statistics.over_networks` of each way and number."""
    found = [
        over_networks(group.assign(policy=way), measure, chance).assign(number=number)
        for (way, number), group in table.groupby(["way", "number"], sort=False)
    ]
    return pd.concat(found, ignore_index=True).rename(columns={"policy": "way"})


def means(found: pd.DataFrame, way: str) -> dict[str, pd.Series]:
    """The mean by the number, for each approach of a `summary`."""
    groups = found[found["way"] == way].groupby("approach", sort=False)
    return {name: group.set_index("number")["mean"].sort_index() for name, group in groups}


def anchored(found: pd.DataFrame) -> pd.DataFrame:
    """Top-1 in % with its interval: a row for each end and approach, a column for each number of layers held there."""
    rows: dict[tuple[str, str], dict[int, str]] = {}
    for row in found[found["way"].isin(["first", "last"])].itertuples():
        text = as_text(100 * row.mean, 100 * row.low, 100 * row.high)
        rows.setdefault((f"the {row.way}", TITLES[row.approach]), {})[row.number] = text
    return pd.DataFrame.from_dict(rows, orient="index").sort_index(axis=1).add_suffix(" in place")


def kept(found: pd.DataFrame, chance: float) -> dict[str, pd.Series]:
    """The share of the accuracy above chance in sequence that is kept with so many of the first layers in place."""
    return {name: (top1 - chance) / (top1.iloc[-1] - chance) for name, top1 in means(found, "first").items()}


def few_in_place(found: pd.DataFrame, chance: float) -> str:
    """What is kept with none to three of the first layers in place, and from how many on nine tenths are."""
    told = []
    for name, shares in kept(found, chance).items():
        few = ", ".join(
            f"{percent(share, 0)} with {number or 'none'}" for number, share in shares[shares.index < 4].items()
        )
        enough = shares.index[shares >= 0.9][0] if (shares >= 0.9).any() else "no number"
        told.append(f"**{TITLES[name]}**: {few}; at least nine tenths from {enough} on.")
    return listed("Of the accuracy above chance in sequence, kept with the first layers in place:", told)


def verdict(found: pd.DataFrame, chance: float, layers: int) -> str:
    """How much of the collapse is that of the first quarter of the layers. Decided beforehand: nine tenths of what an
    order costs are "nearly all" of it, half are "most"."""
    quarter, shares = max(1, layers // 4), kept(found, chance)["baseline"]
    if not shares[0] < 0.9:
        return (
            f"**Verdict.** At this scale nothing collapses: the ViT keeps {percent(shares[0], 0)} with none in place."
        )
    regained = (shares[quarter] - shares[0]) / (1 - shares[0])
    how = "nearly all" if regained >= 0.9 else "most" if regained >= 0.5 else "less than half"
    whose = f"the first {quarter} of {layers} layers" if quarter > 1 else f"the first of {layers} layers"
    return (
        f"**Verdict.** Of what arbitrary orders cost the ViT, {percent(regained, 0)} is regained by {whose} in place, "
        f"the others still shuffled: at this scale, {how} of the collapse is theirs. LayerShuffle, where every layer "
        f"was at times the first, keeps {percent(kept(found, chance)['layershuffle'][0], 0)} with none in place."
    )


def first_or_last(table: pd.DataFrame, layers: int) -> str:
    """Which end matters: a quarter of the layers in place, the first or the last, paired by network and draw."""
    quarter = max(1, layers // 4)
    rows = table[table["number"] == quarter]
    gains = {
        name: matrix(group[group["way"] == "first"]) - matrix(group[group["way"] == "last"])
        for name, group in rows.groupby("approach", sort=False)
    }
    texts = [f"{mean_and_interval(gain.to_numpy())} for {TITLES[name]}" for name, gain in gains.items()]
    ends = {
        end: [TITLES[name] for name, gain in gains.items() if sign(crossed(gain.to_numpy())) == end] for end in (1, -1)
    }
    return (
        f"Points of top-1 more with the first {quarter} in place than with the last {quarter}: {', '.join(texts)}. "
        f"The first matter more for {some(ends[1])}, the last for {some(ends[-1])}."
    )


def one_in_place(table: pd.DataFrame) -> str:
    """Layer 0 alone in place rather than another one on average, paired by network and draw; and the best of all."""
    none = table[(table["way"] == "first") & (table["number"] == 0)].groupby("approach")["top1"].mean()
    told, apart = [], []
    for name, group in table[table["way"] == "layer"].groupby("approach", sort=False):
        alone = [matrix(one).to_numpy() for _, one in group.groupby("number")]
        others, best = np.mean(alone[1:], axis=0), int(np.argmax([values.mean() for values in alone]))
        told.append(
            f"**{TITLES[name]}**: {percent(none[name], 0)} with none, {percent(alone[0].mean(), 0)} with layer 0, "
            f"{percent(others.mean(), 0)} with another one on average. Layer 0 makes a difference of "
            f"{mean_and_interval(alone[0] - others)} points; the best is layer {best}."
        )
        apart += [TITLES[name]] if sign(crossed(alone[0] - others)) > 0 else []
    return listed("Top-1 accuracy with a single layer in place:", told, f"Layer 0 stands out for {some(apart)}.")


def exchanged(table: pd.DataFrame) -> str:
    """Is it the distance of a swap, or that layer 0 takes part? Over the networks; all pairs are there."""
    told, dearer = [], []
    if table["second"].max() < 2:
        return "Of two layers there is one pair only."
    for name, group in table.groupby("approach", sort=False):
        top1 = group.pivot(index="seed", columns=["first", "second"], values="top1")
        first, second = (top1.columns.get_level_values(level).to_numpy() for level in ("first", "second"))
        distance, cost = second - first, (top1[0, 0].to_numpy()[:, None] - top1.to_numpy())
        with_first = [
            cost[:, (first == 0) & (distance == far)][:, 0] - cost[:, (first > 0) & (distance == far)].mean(1)
            for far in range(1, distance.max())
        ]
        others = cost[:, (first > 0) & (distance > 0)]
        far = np.broadcast_to(distance[(first > 0) & (distance > 0)], others.shape)
        loss, more = 100 * cost[:, distance > 0].mean(), mean_and_interval(np.mean(with_first, axis=0))
        trend = as_text(*crossed(rank_correlation(far, others).mean(1)), decimals=2)
        told.append(
            f"**{TITLES[name]}** loses {loss:.1f} points on average. With layer 0 it loses {more} more than without at "
            f"the same distance; without it, the rank correlation of loss and distance is {trend}."
        )
        dearer += [TITLES[name]] if sign(crossed(np.mean(with_first, axis=0))) > 0 else []
    costs = f"At the same distance, exchanging layer 0 costs more than exchanging others for {some(dearer)}."
    return listed("Two layers exchanged:", told, costs)


def answer_forms(found: pd.DataFrame, chance: float) -> str:
    """The probability of the right class after all layers, and after how many half of its rise was there; where it ends
    below twice chance, no answer has formed."""
    told, formed = [], []
    for name in found["approach"].unique():
        texts = []
        for way, where in {"sequential": "in sequence", "arbitrary": "in arbitrary order"}.items():
            after = means(found, way)[name]
            rise, last = after - after.iloc[0], after.iloc[-1]
            half = f"half of the rise after {rise.index[rise >= rise.iloc[-1] / 2][0]} of {after.index[-1]} layers"
            texts.append(f"{percent(last, 0)} {where} ({half if last >= 2 * chance else 'less than twice chance'})")
        told.append(f"**{TITLES[name]}**: {', '.join(texts)}.")
        formed += [TITLES[name]] if last >= 2 * chance else []  # in arbitrary order
    end = f"In arbitrary order an answer forms in {some(formed)}."
    return listed("The probability of the right class after all layers:", told, end)


def distance_or_beginning(shuffled: pd.DataFrame) -> str:
    """Of the drawn orders: does accuracy fall with their distance, or with the position of layer 0? Over networks and
    orders; the two rank correlations are paired."""
    told, ends, gaps = [], {}, {}
    table = shuffled.assign(place=shuffled["order"].str.split().map(lambda order: order.index("0")))
    for name, group in table.groupby("approach", sort=False):
        top1, distance, place = (matrix(group, measure).to_numpy() for measure in ("top1", "inversions", "place"))
        by_distance, by_place = rank_correlation(distance, top1), rank_correlation(place, top1)
        ends[name] = sign(crossed(by_distance - by_place))
        both = [as_text(*crossed(values), decimals=2) for values in (by_distance, by_place)]
        first = place == 0
        drawn = 0 < first.mean() < 1
        gaps[name] = f"{mean_and_interval(contrast(top1, first))} points more" if drawn else "none was drawn"
        told.append(f"**{TITLES[name]}**: {both[0]} and {both[1]}; where layer 0 runs first, {gaps[name]}.")
    which = {
        1: "the position of layer 0 goes with the accuracy more closely",
        -1: "the distance goes with the accuracy more closely",
        0: "neither goes with the accuracy more closely than the other",
    }
    lead = "Rank correlation of accuracy with the distance, and with the position that layer 0 runs at:"
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


def some(titles: Sequence[str]) -> str:
    return " and ".join([", ".join(titles[:-1]), titles[-1]] if titles[1:] else titles) or "none of them"


def listed(lead: str, items: Iterable[str], end: str = "") -> str:
    """A sentence, a list below it, and a sentence below that, as Markdown."""
    return "\n".join([lead, "", *(f"- {item}" for item in items), "", end])
