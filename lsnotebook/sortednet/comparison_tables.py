"""The tables and sentences about ways of training, from `comparisons` and `grids`."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lsnotebook.core.statistics import matrix
from lsnotebook.pages.tables import percent, signed
from lsnotebook.sortednet import paper
from lsnotebook.sortednet.approaches import BOTH, LARGEST, MOVING
from lsnotebook.sortednet.comparisons import WAYS
from lsnotebook.sortednet.grid_figures import KINDS
from lsnotebook.sortednet.grid_tables import at, by
from lsnotebook.sortednet.grids import by_seed
from lsnotebook.sortednet.intervals import accuracy, mean, told


def beside(table: pd.DataFrame, titles: Mapping[str, str], to: str, layers: int, heads: int) -> pd.DataFrame:
    """One row for each approach: the whole network, its smallest sub-model in the table, the mean of all of these, and
    by how many points that differs from the approach `to`, paired by seed."""
    rows = {}
    for name, title in titles.items():
        every = by_seed(table, name)
        rows[title] = {
            "whole": accuracy(by_seed(table, name, "top1", at(layers, heads))),
            "smallest": accuracy(by_seed(table, name, "top1", at(1, table["heads"].min()))),
            "mean": accuracy(every),
            f"points, less {titles[to]}": "" if name == to else mean(every - by_seed(table, to)),
        }
    return pd.DataFrame(rows).T


def momentum(table: pd.DataFrame) -> str:
    """What it changes when momentum moves what was not drawn."""
    change = by_seed(table, MOVING.name) - by_seed(table, BOTH.name)
    return (
        "**Momentum everywhere**, as a plain optimizer has it, changes the mean of all sub-models by "
        f"{mean(change)} points against the update of Algorithm 1: {told(change)}."
    )


def largest(table: pd.DataFrame) -> list[tuple[int, int]]:
    """The sizes that `sizes.Largest` draws."""
    layers, heads = table["layers"].max(), table["heads"].max()
    return [(a, b) for a in range(3 * layers // 4 + 1, layers + 1) for b in range(heads // 2 + 1, heads + 1)]


def retrained(table: pd.DataFrame) -> pd.DataFrame:
    """At each of the largest sizes: the network that was sorted in all sizes, and that of these sizes alone."""
    rows = {}
    for size in largest(table):
        every, few = (by_seed(table, approach.name, "top1", at(*size)) for approach in (BOTH, LARGEST))
        cells = {"all sizes drawn": accuracy(every), "these alone": accuracy(few)}
        rows[by(*size)] = cells | {"points of difference": mean(few - every)}
    return pd.DataFrame(rows).T.rename_axis("layers × heads")


def retraining(table: pd.DataFrame) -> str:
    """What the largest sub-models gain where they alone are trained, and what the others lose."""
    few = pd.MultiIndex.from_tuples(largest(table))
    inside = pd.MultiIndex.from_frame(table[["layers", "heads"]]).isin(few)
    gain, loss = (by_seed(part, LARGEST.name) - by_seed(part, BOTH.name) for part in (table[inside], table[~inside]))
    return (
        f"**We got** {mean(gain)} points of difference for these {len(few)} sub-models on average; in the paper's "
        f"Figure 3, {signed(f'{paper.gained(3):.1f}')} for its 20. The sizes that are no longer drawn change by "
        f"{mean(loss)} points."
    )


def chosen(size: tuple[int, int], share: float, shared: np.ndarray, alone: np.ndarray) -> str:
    """The best sub-model under a cost, in the sorted network and retrained alone; accuracies in %, paired by seed."""
    return (
        f"Of the sub-models that cost at most {percent(share, 0)} of the whole network's operations, the one of size "
        f"{by(*size)} (layers × heads) is the best on the selection images. On the validation images it "
        f"reaches {accuracy(shared)} in the sorted network, and {accuracy(alone)} retrained alone: "
        f"{mean(alone - shared)} points of difference."
    )


def mean_of(table: pd.DataFrame, way: str, count: int, where: str = "layers > 0") -> np.ndarray:
    """(I,): the mean over some sub-models, in %, of each network with so many accumulated batches."""
    there = table[(table["way"] == way) & (table["accumulation"] == count)].query(where)
    return 100 * there.groupby("seed")["top1"].mean().to_numpy()


def accumulation(table: pd.DataFrame, way: str) -> pd.DataFrame:
    """By the number of accumulated batches: updates, the mean over all depths at each width, the average of all, and
    the points that it is more than with one batch; and the paper's average, with its points more."""
    theirs, heads = paper.accumulated(way)["average"], table["heads"].max()
    rows = {}
    for count, there in table[table["way"] == way].groupby("accumulation"):
        average = mean_of(table, way, count)
        more = count > 1
        rows[count] = {
            "updates": str(there["updates"].iloc[0]),
            **{
                f"{100 * width // heads}": f"{mean_of(table, way, count, f'heads == {width}').mean():.1f}"
                for width in range(heads, 0, -1)
            },
            "average": accuracy(average, unit=""),
            "more": mean(average - mean_of(table, way, 1)) if more else "",
            "paper": signed(f"{theirs[count]:.1f}" + (f" ({theirs[count] - theirs[1]:+.1f})" if more else "")),
        }
    return pd.DataFrame(rows).T.rename_axis("batches an update")


def accumulating(table: pd.DataFrame) -> str:
    """From one batch an update to the most, with as many updates and with as many images, ours and the paper's."""
    most, parts = table["accumulation"].max(), []
    for way, name in WAYS.items():
        change, theirs = mean_of(table, way, most) - mean_of(table, way, 1), paper.accumulated(way)["average"]
        paper_says = signed(f"{theirs[most] - theirs[1]:+.1f}")
        parts.append(f"*{name}*: {mean(change)} points, {told(change)} (paper {paper_says})")
    return f"**We got**, with {most} batches an update in place of one: " + "; ".join(parts) + "."


def half(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Accuracy with half of the layers for each way to keep them, and with all, with intervals over networks and
    draws."""
    whole = table["layers"].max()
    ways = {f"{whole // 2}: {name}": (whole // 2, kind) for kind, name in KINDS.items()}
    ways |= {f"all {whole}, in sequence": (whole, "first"), f"all {whole}, in any order": (whole, "shuffled")}
    rows = {}
    for approach, title in titles.items():
        there = table[table["approach"] == approach].set_index(["layers", "kind"])
        rows[title] = {name: accuracy(100 * matrix(there.loc[[way]]).to_numpy()) for name, way in ways.items()}
    return pd.DataFrame(rows).T
