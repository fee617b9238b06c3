"""The tables and sentences of sub-models, from `grids.grids` and `grids.trained_alone`."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lsnotebook.pages.tables import percent, signed
from lsnotebook.sortednet import paper
from lsnotebook.sortednet.grids import by_seed
from lsnotebook.sortednet.intervals import accuracy, mean

NEEDS_DEPTH = 5
"""Points that one layer alone must be worse than the whole network for images to need depth."""


def by(layers: float, heads: float) -> str:
    """A size in words, on one line: "3 × 2"."""
    return f"{layers:.0f}\u00a0×\u00a0{heads:.0f}"


def at(layers: int, heads: int) -> str:
    """The query for one size."""
    return f"layers == {layers} and heads == {heads}"


def summary(table: pd.DataFrame, titles: Mapping[str, str], layers: int, heads: int) -> pd.DataFrame:
    """One row for each approach: the whole network, some sub-models, the mean of all, and that with the classifier
    retuned."""
    columns = {
        "whole": ("top1", at(layers, heads)),
        "half of both": ("top1", at(layers // 2, heads // 2)),
        "the smallest": ("top1", at(1, 1)),
        "mean of all": ("top1",),
        "mean, retuned": ("retuned",),
    }
    rows = {
        title: {what: accuracy(by_seed(table, name, *of)) for what, of in columns.items()}
        for name, title in titles.items()
    }
    return pd.DataFrame(rows).T


def together_or_alone(table: pd.DataFrame, single: pd.DataFrame, approach: str, name: str) -> pd.DataFrame:
    """At each size that was trained alone: that network, the sub-model of an approach, and their difference, paired by
    seed."""
    rows = {}
    for (layers, heads), there in single.groupby(["layers", "heads"]):
        alone = 100 * there.sort_values("seed")["top1"].to_numpy()
        ours = by_seed(table, approach, "top1", at(layers, heads))
        cells = {"alone": accuracy(alone), name: accuracy(ours), "points of difference": mean(ours - alone)}
        rows[by(layers, heads)] = cells
    return pd.DataFrame(rows).T.rename_axis("layers × heads")


def found(table: pd.DataFrame, pairs: Sequence[tuple[str, str, str]]) -> str:
    """The mean of all sub-models of each (title, approach, measure)."""
    means = [(title, by_seed(table, *rest).mean()) for title, *rest in pairs]
    return "**We got**, as the mean of all sub-models: " + "; ".join(f"{t} {percent(m / 100)}" for t, m in means) + "."


def retuning(table: pd.DataFrame, approach: str) -> str:
    """What a classifier of its own gains for the sub-models of an approach, beside the paper's Figure 8."""
    gain = mean(by_seed(table, approach, "retuned") - by_seed(table, approach))
    return (
        f"A classifier of its own gains a sub-model {gain} points on average over all sizes; in the paper's Figure 8, "
        f"{signed(f'{paper.gained(8):.1f}')} points."
    )


def above_bar(table: pd.DataFrame, costs: pd.DataFrame, approach: str, bar: float) -> str:
    """How many sub-models reach a bar, and the cheapest of them."""
    means = table[table["approach"] == approach].groupby(["layers", "heads"], as_index=False)["top1"].mean()
    means = means.merge(costs)
    reaching = means[means["top1"] >= bar]
    if reaching.empty:
        return f"Of its {len(means)} sub-models none reaches the bar."
    cheapest = reaching.loc[reaching["flops"].idxmin()]
    return (
        f"Of its {len(means)} sub-models {len(reaching)} reach the bar of {percent(bar)}. The cheapest of these has "
        f"the size {by(*cheapest[['layers', 'heads']])} (layers × heads) and takes "
        f"{percent(cheapest['flops'] / means['flops'].max())} of the operations of the whole network."
    )


def caveat(single: pd.DataFrame, whole: np.ndarray) -> str:
    """Whether these images need depth at all; empty where no layer was trained alone with all heads."""
    shallow = single[single["heads"] == single["heads"].max()].query("layers == 1")["top1"].mean()
    if pd.isna(shallow):
        return ""
    needed = "do not need depth" if 100 * shallow > whole.mean() - NEEDS_DEPTH else "need depth"
    return (
        f"**Mind the images.** One layer alone, trained as the only one, reaches {percent(shallow)} here, the whole "
        f"ordinary network {percent(whole.mean() / 100)}: by a bound of {NEEDS_DEPTH} points, these images {needed}. "
        "Where they do not, a result about depth says less than it would on natural images."
    )
