"""The sentences that end the sections of the pages, each from the table that its section shows."""

import pandas as pd

from lsnotebook.core.statistics import differences, matrix
from lsnotebook.layershuffle.approaches import TITLES
from lsnotebook.layershuffle.tables import gains
from lsnotebook.pages.tables import listed, mean_and_interval, mean_and_std, some

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
            most.append(f"layer {layer} of {TITLES[name]} with {mean_and_interval(wide[layer].to_numpy())}")
        told.append(f"{measure}: {' and '.join(most)}")
    return listed("The layer with most points of top-1 (95 % intervals over the networks):", told)


def chosen(chosen: pd.DataFrame, random: pd.DataFrame) -> str:
    """With how many layers it is worth most to choose them, and how much, over networks and draws."""
    told, found = [], gains(chosen, random)
    for name in chosen["approach"].unique():
        most = max((layers for approach, layers in found if approach == name), key=lambda n: found[name, n].mean())
        told.append(f"{mean_and_interval(found[name, most])} points for {TITLES[name]}, where {most} are kept")
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
        told.append(f"{mean_and_interval(first - second)} points for {TITLES[name]}")
    return f"An arbitrary order costs {' and '.join(told)} (95 % intervals over networks and orders)."
