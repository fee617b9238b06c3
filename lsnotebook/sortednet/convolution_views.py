"""The tables, sentences and the figure of sorted convolutions, from `convolution_runs.accumulated` and the paper's
numbers."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lsnotebook.pages.style import new, styled
from lsnotebook.pages.tables import percent, signed
from lsnotebook.sortednet import paper
from lsnotebook.sortednet.convolution_profiles import SEEDS, ConvolutionStudy, MobileNetStudy
from lsnotebook.sortednet.convolution_runs import SortedRun, scored
from lsnotebook.sortednet.grid_figures import colour_bar, heat_map
from lsnotebook.sortednet.intervals import accuracy, mean

WAYS = {"updates": "as many updates (Table 5)", "data": "as much data (Table 6)"}
WIDTHS = ("100", "75", "50", "25")
EPOCHS = 200
"""Of the paper's shortest training (Tables 5 and 6)."""


def of_setting(rows: pd.DataFrame, study: ConvolutionStudy, count: int, way: str) -> pd.DataFrame:
    """Top-1 in %: a network (seed) in each row, a width in each column; empty where nothing was run."""
    if rows.empty:
        return pd.DataFrame(columns=[*map(int, WIDTHS)], dtype=float)
    there = rows[(rows["accumulation"] == count) & (rows["updates"] == study.setting(count, way).updates)]
    return 100 * there.pivot(index="seed", columns="width", values="top1")


def gain(rows: pd.DataFrame, study: ConvolutionStudy, way: str) -> np.ndarray:
    """(I,): for each seed, the points that the most accumulated batches gain against one, mean of the widths."""
    first, *_, last = study.accumulations
    most, one = (of_setting(rows, study, count, way).mean(axis=1) for count in (last, first))
    return (most - one).to_numpy()


def beside(rows: pd.DataFrame, study: ConvolutionStudy, way: str) -> pd.DataFrame:
    """Table 5 (as many "updates") or 6 (as much "data"), and ours: a row for each number of batches an update, by width
    and on average."""
    published, theirs, ours = paper.accumulated(way), {}, {}
    for count in study.accumulations:
        theirs[f"{count}, paper"] = [f"{published.loc[count, name]:.1f}" for name in (*WIDTHS, "average")]
        values, updates = of_setting(rows, study, count, way), study.setting(count, way).updates
        cells = [*(values[int(width)] for width in WIDTHS), values.mean(axis=1)]
        ours[f"{count}, ours ({updates:,} updates)"] = [*map(accuracy, cells)]
    return pd.DataFrame(theirs | ours, index=[*(f"{width} %" for width in WIDTHS), "mean"]).T


def gains(rows: pd.DataFrame, study: ConvolutionStudy) -> str:
    """What accumulation gave, both ways, beside the paper's tables, and how much these networks have learned."""
    if rows.empty:
        return f"**Not run:** nothing is recorded of {study.name}; `lsnotebook sortednet accumulate {study.name}` does."
    (first, *_, last), parts = study.accumulations, []
    for way, title in WAYS.items():
        theirs = paper.accumulated(way)["average"]
        paper_says = signed(f"{theirs[last] - theirs[first]:.1f}")
        parts.append(f"with {title}, {mean(gain(rows, study, way))} points (the paper: {paper_says})")
    best = rows.groupby(["accumulation", "updates"])["top1"].mean().max()
    return (
        f"**We got**, for {last} accumulated batches against {first}: {'; '.join(parts)}. The best of these settings "
        f"reaches {percent(best)} on average over the widths, where guessing gives "
        f"{percent(1 / study.images.classes, 0)} and the paper's networks "
        f"{percent(paper.accumulated('data')['average'].mean() / 100)}: this is the beginning of a training, and says "
        "little about its end."
    )


def live(study: ConvolutionStudy) -> pd.DataFrame:
    """`convolution_runs.scored` of networks that accumulate nothing, one of each seed, trained where they are
    missing."""
    return pd.concat([scored(SortedRun(study, study.setting(1, "data"), seed)) for seed in SEEDS])


def shared(rows: pd.DataFrame) -> pd.DataFrame:
    """By width, the mean over all settings with running statistics of its own and with shared ones, and how they
    differ."""
    if rows.empty:
        return pd.DataFrame()
    own, common = (100 * rows.groupby(["seed", "width"])[name].mean().unstack() for name in ("top1", "shared"))
    shown = {
        f"{width} %": {
            "statistics of its own": accuracy(own[width]),
            "shared statistics": accuracy(common[width]),
            "points of difference": mean(own[width] - common[width]),
        }
        for width in sorted(own, reverse=True)
    }
    return pd.DataFrame(shown).T.rename_axis("width")


def not_run(full: ConvolutionStudy, mobile: MobileNetStudy) -> pd.DataFrame:
    """The paper's own settings, which are declared and were not run."""
    longest = max(count * updates for count, updates in full.settings) // full.batches
    rows = {
        full.name: ["Tables 5 and 6", "cPreResNet20", full.widths, f"{EPOCHS} to {longest * EPOCHS}"],
        mobile.name: ["Figure 2", mobile.checkpoint, mobile.sub_models, f"{mobile.epochs:,}"],
    }
    return pd.DataFrame(rows, index=["of the paper", "network", "sub-models", "epochs of a training"])


@styled
def published_grid(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Top-1 in % by blocks (rows) and width in % (columns), one map for each of the `tables`; a single column is that
    of all channels."""
    wide = [max(2, table.shape[1]) for table in tables.values()]
    figure, [row] = new(4.8, 4.6, columns=len(tables), sharey=True, width_ratios=wide)
    for panel, (title, table) in zip(row, tables.items(), strict=True):
        image = heat_map(panel, title, table if table.shape[1] > 1 else table.set_axis(["100"], axis=1), 0.1, 7)
    row[0].set(ylabel="blocks", xlabel="width, %")
    colour_bar(figure, image, 0.1, 0.05)
    return figure
