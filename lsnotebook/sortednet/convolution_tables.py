"""The tables, sentences and figures of sorted convolutions, from `convolution_runs.accumulated` and the paper's
numbers."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lsnotebook.core.statistics import crossed
from lsnotebook.pages.style import INK, new, styled, text_on
from lsnotebook.pages.tables import as_text, percent
from lsnotebook.sortednet import paper
from lsnotebook.sortednet.convolution_profiles import SEEDS, ConvolutionStudy, MobileNetStudy
from lsnotebook.sortednet.convolution_runs import runs_of, scored

WAYS = {"updates": "as many updates (Table 5)", "data": "as much data (Table 6)"}
WIDTHS = ("100", "75", "50", "25")
EPOCHS = 200
"""Of the paper's shortest training (Tables 5 and 6)."""


def of_setting(rows: pd.DataFrame, study: ConvolutionStudy, count: int, way: str) -> pd.DataFrame:
    """Top-1 in %: a network (seed) in each row, a width in each column; empty where nothing was run."""
    if rows.empty:
        return pd.DataFrame(columns=[int(width) for width in WIDTHS], dtype=float)
    there = rows[(rows["accumulation"] == count) & (rows["updates"] == study.setting(count, way).updates)]
    return 100 * there.pivot(index="seed", columns="width", values="top1")


def gain(rows: pd.DataFrame, study: ConvolutionStudy, way: str) -> np.ndarray:
    """(I,): for each seed, the points that the most accumulated batches gain against one, mean of the widths."""
    first, *_, last = study.accumulations
    most, one = (of_setting(rows, study, count, way).mean(axis=1) for count in (last, first))
    return (most - one).to_numpy()


def beside(rows: pd.DataFrame, study: ConvolutionStudy, way: str) -> pd.DataFrame:
    """Table 5 (as many "updates") or 6 (as much "data"), and ours: a row for each number of batches an update, by width
    and on average, ours with their interval over the networks."""
    theirs, shown = paper.accumulated(way), {}
    for count in study.accumulations:
        cells = {f"{width} %": f"{theirs.loc[count, width]:.1f}" for width in WIDTHS}
        shown[f"{count}, paper"] = cells | {"mean": f"{theirs.loc[count, 'average']:.1f}"}
    for count in study.accumulations:
        values = of_setting(rows, study, count, way)
        cells = {f"{width} %": interval(values[int(width)]) for width in WIDTHS}
        what = f"{count}, ours ({study.setting(count, way).updates:,} updates)"
        shown[what] = cells | {"mean": interval(values.mean(axis=1))}
    return pd.DataFrame(shown).T


def interval(values: pd.Series) -> str:
    return as_text(*crossed(values.to_numpy(), (0, 100)), " %") if len(values) else "not run"


def gains(rows: pd.DataFrame, study: ConvolutionStudy) -> str:
    """What accumulation gave, both ways, beside the paper's tables, and how much these networks have learned."""
    if rows.empty:
        return f"**Not run:** nothing is recorded of {study.name}; `lsnotebook sortednet accumulate {study.name}` does."
    (first, *_, last), parts = study.accumulations, []
    for way, title in WAYS.items():
        published, points = paper.accumulated(way)["average"], as_text(*crossed(gain(rows, study, way)))
        paper_says = as_text(published[last] - published[first], None, None)
        parts.append(f"with {title}, {points} points (the paper: {paper_says})")
    best = rows.groupby(["accumulation", "updates"])["top1"].mean().max()
    theirs, chance = paper.accumulated("data")["average"].mean() / 100, 1 / study.images.classes
    return (
        f"**We got**, for {last} accumulated batches against {first}: {'; '.join(parts)}. The best of these settings "
        f"reaches {percent(best)} on average over the widths, where guessing gives "
        f"{percent(chance, 0)} and the paper's networks {percent(theirs)}: "
        "this is the beginning of a training, and says little about its end."
    )


def live(study: ConvolutionStudy, seeds: int = len(SEEDS)) -> pd.DataFrame:
    """`convolution_runs.scored` of networks that accumulate nothing, trained where they are missing."""
    wanted = replace(study, seeds=seeds)
    return pd.concat([scored(run) for run in runs_of(wanted) if run.setting == study.setting(1, "data")])


def shared(rows: pd.DataFrame) -> pd.DataFrame:
    """By width, the mean over all settings with running statistics of its own and with shared ones, and how they
    differ."""
    if rows.empty:
        return pd.DataFrame()
    own, common = (100 * rows.groupby(["seed", "width"])[name].mean().unstack() for name in ("top1", "shared"))
    return pd.DataFrame(
        {
            f"{width} %": {
                "statistics of its own": interval(own[width]),
                "shared statistics": interval(common[width]),
                "points of difference": as_text(*crossed((own[width] - common[width]).to_numpy())),
            }
            for width in sorted(own, reverse=True)
        }
    ).T.rename_axis("width")


def not_run(full: ConvolutionStudy, mobile: MobileNetStudy) -> pd.DataFrame:
    """The paper's own settings, which are declared and were not run."""
    longest = max(setting.batches for setting in full.settings) // full.batches
    rows = {
        full.name: ["Tables 5 and 6", "cPreResNet20", full.widths, f"{EPOCHS} to {longest * EPOCHS}"],
        mobile.name: ["Figure 2", mobile.checkpoint, mobile.sub_models, f"{mobile.epochs:,}"],
    }
    columns = ["of the paper", "network", "sub-models", "epochs of a training"]
    return pd.DataFrame(rows, index=columns)


@styled
def published_grid(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Top-1 in % by blocks (rows) and width in % (columns), one map for each of the `tables`; a single
    column is that of all channels."""
    figure, [row] = new(
        4.8, 4.6, columns=len(tables), sharey=True, width_ratios=[max(2, t.shape[1]) for t in tables.values()]
    )
    for panel, (title, wide) in zip(row, tables.items(), strict=True):
        image = panel.imshow(wide, cmap="viridis", vmin=10, vmax=100, origin="lower", aspect="auto")
        for y, x in np.ndindex(wide.shape):
            colour = text_on(image.cmap(image.norm(wide.iat[y, x])))
            panel.text(x, y, f"{wide.iat[y, x]:.0f}", ha="center", va="center", fontsize=6, color=colour)
        panel.set_title(title, fontsize=8)
        panel.set(xticks=range(wide.shape[1]), yticks=range(len(wide)))
        panel.set_xticklabels(wide.columns if wide.shape[1] > 1 else ["100"], fontsize=7)
        panel.set_yticklabels(wide.index, fontsize=7)
    row[0].set(ylabel="blocks", xlabel="width, %")
    bar = figure.colorbar(image, ax=row, orientation="horizontal", fraction=0.05, aspect=40)
    bar.set_label("top-1 accuracy, % (chance: 10)", color=INK)
    bar.outline.set_visible(False)
    return figure
