"""The tables and sentences about ways of training, from `comparisons` and `grids`."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lsnotebook.core.statistics import crossed, matrix
from lsnotebook.pages.tables import as_text, percent, signed
from lsnotebook.sortednet import paper
from lsnotebook.sortednet.approaches import BOTH, LARGEST, MOVING
from lsnotebook.sortednet.comparisons import WAYS
from lsnotebook.sortednet.grid_figures import KINDS
from lsnotebook.sortednet.grid_tables import interval
from lsnotebook.sortednet.grids import by_seed


def beside(table: pd.DataFrame, titles: Mapping[str, str], to: str, layers: int, heads: int) -> pd.DataFrame:
    """One row for each approach: the whole network, its smallest sub-model in the table, the mean of all of these, and
    by how many points that differs from the approach `to`, paired by seed."""
    whole = f"layers == {layers} and heads == {heads}"
    least = f"layers == 1 and heads == {table['heads'].min()}"
    reference = by_seed(table, to)
    rows = {}
    for name, title in titles.items():
        mean = by_seed(table, name)
        cells = {"whole": by_seed(table, name, "top1", whole), "smallest": by_seed(table, name, "top1", least)}
        rows[title] = {what: interval(values) for what, values in (cells | {"mean": mean}).items()}
        rows[title][f"points, less {titles[to]}"] = "" if name == to else as_text(*crossed(mean - reference))
    return pd.DataFrame(rows).T


def momentum(table: pd.DataFrame) -> str:
    """What it changes when momentum moves what was not drawn."""
    change = by_seed(table, MOVING.name) - by_seed(table, BOTH.name)
    return (
        "**Momentum everywhere**, as a plain optimizer has it, changes the mean of all sub-models by "
        f"{as_text(*crossed(change))} points against the update of Algorithm 1: {told(change)}."
    )


def told(change: np.ndarray) -> str:
    """Which way a difference goes, by its interval over the networks."""
    _, low, high = crossed(change)
    if low > 0 or high < 0:
        return "more" if low > 0 else "less"
    return f"{len(change)} networks cannot tell which is more"


def retrained(table: pd.DataFrame) -> pd.DataFrame:
    """At each of the largest sizes: the network that was sorted in all sizes, and that of these sizes alone."""
    rows = {}
    for layers, heads in largest(table):
        where = f"layers == {layers} and heads == {heads}"
        every, few = (by_seed(table, approach.name, "top1", where) for approach in (BOTH, LARGEST))
        rows[f"{layers} × {heads}"] = {
            "all sizes drawn": interval(every),
            "these alone": interval(few),
            "points of difference": as_text(*crossed(few - every)),
        }
    return pd.DataFrame(rows).T.rename_axis("layers × heads")


def largest(table: pd.DataFrame) -> list[tuple[int, int]]:
    """The sizes that `sizes.Largest` draws."""
    layers, heads = table["layers"].max(), table["heads"].max()
    return [(a, b) for a in range(3 * layers // 4 + 1, layers + 1) for b in range(heads // 2 + 1, heads + 1)]


def retraining(table: pd.DataFrame) -> str:
    """What the largest sub-models gain where they alone are trained, and what the others lose."""
    few = pd.MultiIndex.from_tuples(largest(table))
    inside = pd.MultiIndex.from_frame(table[["layers", "heads"]]).isin(few)
    gain, loss = (by_seed(part, LARGEST.name) - by_seed(part, BOTH.name) for part in (table[inside], table[~inside]))
    return (
        f"**We got** {as_text(*crossed(gain))} points of difference for these {len(few)} sub-models on average; in the "
        f"paper's Figure 3, {signed(f'{paper.gained3():.1f}')} for its 20. The sizes that are no longer drawn change "
        f"by {as_text(*crossed(loss))} points."
    )


def chosen(size: tuple[int, int], share: float, shared: np.ndarray, alone: np.ndarray) -> str:
    """The best sub-model under a cost, in the sorted network and retrained alone; accuracies in %, paired by seed."""
    return (
        f"Of the sub-models that cost at most {percent(share, 0)} of the whole network's operations, the one of size "
        f"{size[0]} × {size[1]} (layers × heads) is the best on the selection images. On the validation images it "
        f"reaches {interval(shared)} in the sorted network, and {interval(alone)} retrained alone: "
        f"{as_text(*crossed(alone - shared))} points of difference."
    )


def mean_of(table: pd.DataFrame, way: str, count: int, where: str = "layers > 0") -> np.ndarray:
    """(I,): the mean over some sub-models, in %, of each network with so many accumulated batches."""
    there = table[(table["way"] == way) & (table["accumulation"] == count)].query(where)
    return 100 * there.groupby("seed")["top1"].mean().to_numpy()


def accumulation(table: pd.DataFrame, way: str) -> pd.DataFrame:
    """By the number of accumulated batches: updates, the mean over all depths at each width, the average of all, and
    the points that it is more than with one batch; and the paper's average, with its points more."""
    published, heads = paper.accumulated(way)["average"], table["heads"].max()
    rows = {}
    for count, there in table[table["way"] == way].groupby("accumulation"):
        average = mean_of(table, way, count)
        more = signed(f" ({published[count] - published[1]:+.1f})") if count > 1 else ""
        rows[count] = {
            "updates": str(there["updates"].iloc[0]),
            **{
                f"{100 * width // heads}": f"{mean_of(table, way, count, f'heads == {width}').mean():.1f}"
                for width in range(heads, 0, -1)
            },
            "average": as_text(*crossed(average, (0, 100))),
            "more": "" if count == 1 else as_text(*crossed(average - mean_of(table, way, 1))),
            "paper": f"{published[count]:.1f}{more}",
        }
    return pd.DataFrame(rows).T.rename_axis("batches an update")


def accumulating(table: pd.DataFrame) -> str:
    """From one batch an update to the most, with as many updates and with as many images, ours and the paper's."""
    most, parts = table["accumulation"].max(), []
    for way, name in WAYS.items():
        change = mean_of(table, way, most) - mean_of(table, way, 1)
        published = paper.accumulated(way)["average"]
        theirs = signed(f"{published[most] - published[1]:+.1f}")
        parts.append(f"*{name}*: {as_text(*crossed(change))} points, {told(change)} (paper {theirs})")
    return f"**We got**, with {most} batches an update in place of one: " + "; ".join(parts) + "."


def half(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Accuracy with half of the layers for each way to keep them, and with all, with intervals over networks and
    draws."""
    whole = table["layers"].max()
    ways = {f"{whole // 2}: {name}": (whole // 2, kind) for kind, name in KINDS.items()}
    ways |= {f"all {whole}, in sequence": (whole, "first"), f"all {whole}, in any order": (whole, "shuffled")}
    rows = {}
    for approach, title in titles.items():
        there = table[table["approach"] == approach]
        cells = {name: there[(there["layers"] == n) & (there["kind"] == kind)] for name, (n, kind) in ways.items()}
        rows[title] = {name: interval(100 * matrix(cell).to_numpy()) for name, cell in cells.items()}
    return pd.DataFrame(rows).T
