"""The sentences that end the sections of the pages, and the pages, each from a table that its page shows."""

import pandas as pd

from lsnotebook.core.statistics import POINTS, differences, matrix, over_networks
from lsnotebook.layershuffle.approaches import TITLES
from lsnotebook.layershuffle.tables import gains, variance
from lsnotebook.pages.tables import in_percent, listed, mean_and_interval, mean_and_std, over, percent, some

POLICIES = {"sequential": "in sequence", "arbitrary": "in arbitrary order"}


def apart(accuracies: pd.DataFrame, to: str = "layershuffle") -> str:
    """Which approaches are better than `to`, and which are worse, by the intervals of their paired differences."""
    found = differences(accuracies, to)
    told = []
    for policy, where in POLICIES.items():
        rows = found[found["policy"] == policy]
        better, worse = ([TITLES[name] for name in rows.loc[side, "approach"]]
                         for side in (rows["low"] > 0, rows["high"] < 0))  # fmt: skip
        told.append(f"{where}, better than {TITLES[to]}: {some(better)}; worse: {some(worse)}.")
    return listed("By these intervals,", told, "Of the others it cannot be told.")


def learned(histories: pd.DataFrame) -> str:
    """Whether longer training might help: how many networks had their lowest loss at the last check."""
    runs = histories.groupby(["approach", "seed"], sort=False)
    last = runs.apply(lambda run: run["selection_loss"].idxmin() == run["step"].idxmax(), include_groups=False)
    told = [f"{count.sum()} of {len(count)} for {TITLES[name]}" for name, count in last.groupby(level=0, sort=False)]
    return (
        "The loss was lowest at the last check, so that a longer refinement might lower it further, in "
        f"{', '.join(told)}; in the other networks it was lower before."
    )


def heaviest(contributions: pd.DataFrame) -> str:
    """The layer that contributes most by each measure, and how much, over the networks."""
    told = []
    for measure, table in contributions.groupby("measure", sort=False):
        most = []
        for name, group in table.groupby("approach", sort=False):
            wide = group.pivot(index="seed", columns="layer", values="contribution")
            layer = wide.mean().idxmax()
            most.append(f"layer {layer} of {TITLES[name]} with {mean_and_interval(wide[layer].to_numpy(), POINTS)}")
        told.append(f"{measure}: {' and '.join(most)}")
    return listed("The layer with most points of top-1 (95 % intervals over the networks):", told)


def chosen(chosen: pd.DataFrame, random: pd.DataFrame) -> str:
    """With how many layers it is worth most to choose them, and how much, over networks and draws."""
    told, found = [], gains(chosen, random)
    for name in chosen["approach"].unique():
        most = max((layers for approach, layers in found if approach == name), key=lambda n: found[name, n].mean())
        told.append(f"{mean_and_interval(found[name, most], POINTS)} points for {TITLES[name]}, where {most} are kept")
    return (
        f"Choosing the layers rather than drawing them is worth at most {'; and '.join(told)} (95 % intervals over "
        "networks and draws)."
    )


def sources(merged: pd.DataFrame) -> str:
    """What merged models of the fewest and of the most sources have, over the merged models."""
    told = []
    for name, group in merged.groupby("approach", sort=False):
        top1 = group.groupby("distinct")["top1"].agg(["mean", "std"])
        ends = (f"{mean_and_std(*top1.loc[count])} from {count}" for count in (top1.index.min(), top1.index.max()))
        told.append(f"{TITLES[name]} {' and '.join(ends)}")
    return (
        f"Accuracy in % with layers from the fewest and from the most sources: {'; '.join(told)} (mean ± standard "
        "deviation over the merged models)."
    )


def cost(measured: pd.DataFrame) -> str:
    """What an arbitrary order costs each approach, in points of top-1, paired by network."""
    told = []
    for name, both in measured.groupby("approach", sort=False):
        first, second = (matrix(both[both["policy"] == policy]).to_numpy() for policy in POLICIES)
        told.append(f"{mean_and_interval(first - second, POINTS)} points for {TITLES[name]}")
    return f"An arbitrary order costs {' and '.join(told)} ({over(told, 'networks and orders')})."


def behind(accuracies: pd.DataFrame) -> str:
    """What LayerShuffle costs in the original order, in points of top-1, paired by network."""
    found = differences(accuracies[accuracies["policy"] == "sequential"], "layershuffle")
    (vit,) = found[found["approach"] == "baseline"].itertuples()
    points = in_percent(vit, "\u00a0points")
    return f"In the original order, LayerShuffle has {points} less than the ViT"


def told_apart(accuracies: pd.DataFrame, to: str = "layershuffle") -> str:
    """How many of the paired differences to an approach have an interval that leaves out zero."""
    found = differences(accuracies, to)
    apart = ((found["low"] > 0) | (found["high"] < 0)).sum()
    return f"Of the {len(found)} paired differences to {TITLES[to]}, {apart} have an interval that leaves out zero."


def most_variance(shuffled: pd.DataFrame) -> str:
    """What has the largest share of the variance of each approach's accuracy in arbitrary order."""
    shares = variance(shuffled)
    told = [
        f"{source} for {some([f'{title} ({percent(row.max() / 100, 0)})' for title, row in those.iterrows()])}"
        for source, those in shares.groupby(shares.idxmax(axis=1), sort=False)
    ]
    return f"In arbitrary order, the largest share of the variance comes from {'; from '.join(told)}."


def left(pruned: pd.DataFrame, chance: float) -> str:
    """What each approach has in arbitrary order with the middle one of the numbers of layers kept."""
    kept = sorted(pruned["layers"].unique())
    middle = kept[(len(kept) - 1) // 2]
    rows = over_networks(pruned[(pruned["layers"] == middle) & (pruned["policy"] == "arbitrary")], chance=chance)
    told = [f"{in_percent(row)} for {TITLES[row.approach]}" for row in rows.itertuples()]
    return f"With {middle} layers left, in arbitrary order, top-1 in % is {some(told)}."


def matters(contributions: pd.DataFrame) -> str:
    """Which layer contributes most, by each measure."""
    means = contributions.groupby(["measure", "approach", "layer"], sort=False)["contribution"].mean()
    told = [
        f"by {measure}, "
        + some([f"layer {top.idxmax()[-1]} of {TITLES[name]}" for name, top in those.groupby("approach", sort=False)])
        for measure, those in means.groupby("measure", sort=False)
    ]
    return f"The layer that matters most is, {'; '.join(told)}."


def survives(drifted: pd.DataFrame) -> str:
    """Up to which drift models merged from an approach's networks keep half of their sources' accuracy."""
    told = []
    for name, group in drifted.groupby("approach", sort=False):
        lost = group.loc[group["merged"] < group["source"] / 2, "drift"]
        whole = group.loc[group["drift"] < lost.min(), "drift"] if len(lost) else group["drift"]
        furthest = f"up to a drift of {percent(whole.max(), 0)}" if len(whole) else "at no drift here"
        told.append(f"{TITLES[name]} {furthest}" + ("" if len(lost) else ", the furthest here"))
    return f"Merged models keep half of their sources' accuracy or more: {'; '.join(told)}."
