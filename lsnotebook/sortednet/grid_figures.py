"""The figures of sub-models, each from a data frame; no computation. Accuracies in %."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from lsnotebook.pages.style import INK, new, styled, text_on

COLOURS = {
    "sortednet-ordinary": "#8a8a8a",
    "sortednet-depth": "#d07c00",
    "sortednet-width": "#009e73",
    "sortednet-both": "#1a85cf",
    "sortednet-summation": "#b5519f",
    "sortednet-mixed": "#6c3d91",
    "alone": "#c8553d",
    "layerdrop": "#009e73",
    "layershuffle": "#1a85cf",
}
ABREAST = 3
"""Maps side by side, so that a phone shows their numbers."""
MARKERS = dict(zip(COLOURS, "Dsvo^PXph", strict=True))
KINDS = {"first": "the first", "random": "some, in sequence", "shuffled": "some, in any order"}


def dashed(axes: Axes, level: float, label: str | None = None) -> None:
    """A level to compare with, such as chance."""
    axes.axhline(level, color=INK, linewidth=0.8, linestyle="--", alpha=0.6, label=label)


def heat_map(panel: Axes, title: str, wide: pd.DataFrame, chance: float, size: float) -> AxesImage:
    """Top-1 as colours, whose dark end is chance, and as numbers, by layers (rows) and width (columns)."""
    image = panel.imshow(wide, cmap="viridis", vmin=100 * chance, vmax=100, origin="lower", aspect="auto")
    for y, x in np.ndindex(wide.shape):
        value = wide.iat[y, x]
        colour = text_on(image.cmap(image.norm(value)))
        panel.text(x, y, f"{value:.0f}", ha="center", va="center", fontsize=size, color=colour)
    panel.set_title(title, fontsize=max(size, 8))
    panel.set_xticks(range(wide.shape[1]), wide.columns, fontsize=size)
    panel.set_yticks(range(len(wide)), wide.index, fontsize=size)
    return image


def colour_bar(figure: Figure, image: AxesImage, chance: float, fraction: float) -> None:
    bar = figure.colorbar(image, ax=figure.axes, orientation="horizontal", fraction=fraction, aspect=40)
    bar.set_label(f"top-1 accuracy, % (chance: {100 * chance:.0f})", color=INK)
    bar.outline.set_visible(False)


@styled
def maps(panels: Mapping[str, pd.DataFrame], chance: float) -> Figure:
    """Top-1 of every sub-model, the mean over the networks: a map for each of the `panels`, whose tables have layers,
    heads and top1."""
    rows = -(-len(panels) // ABREAST)
    figure, grid = new(4.8, 0.7 + 2.7 * rows, rows, ABREAST, sharey=True)
    for unused in grid.flat[len(panels) :]:
        unused.remove()
    for panel, (title, table) in zip(grid.flat, panels.items(), strict=False):
        wide = 100 * table.pivot_table(index="layers", columns="heads", values="top1")
        image = heat_map(panel, title, wide, chance, 9)
        panel.set_xlabel("heads")
    for first in grid[:, 0]:
        first.set_ylabel("layers")
    colour_bar(figure, image, chance, 0.03)
    return figure


@styled
def by_cost(points: Mapping[str, tuple[str, pd.DataFrame]], bar: float, chance: float) -> Figure:
    """Top-1 against the cost of an image, one dot a size: for each label an approach (its colour) and a table with
    flops and top1. Dashed: chance, and the `bar`."""
    figure, [[axes]] = new(4.8, 3.2)
    for label, (approach, table) in points.items():
        means = table.groupby("flops")["top1"].mean() * 100
        axes.plot(means, MARKERS[approach], color=COLOURS[approach], markersize=4, alpha=0.8, label=label)
    for level, name in ((100 * chance, "chance"), (100 * bar, "the bar")):
        dashed(axes, level)
        axes.annotate(name, (1, level), (3, 0), ("axes fraction", "data"), "offset points", va="center", fontsize=8.5)
    axes.set(xscale="log", xlabel="floating-point operations an image", ylabel="top-1 accuracy, %", ylim=(0, 102))
    figure.legend(loc="outside upper center", ncols=2)
    return figure


@styled
def by_layers_kept(table: pd.DataFrame, titles: Mapping[str, str], chance: float) -> Figure:
    """Top-1 with so many layers, the mean over networks and draws: a panel for each way to keep them."""
    figure, [panels] = new(4.8, 2.9, columns=len(KINDS), sharey=True)
    for panel, (kind, name) in zip(panels, KINDS.items(), strict=True):
        for approach, title in titles.items():
            there = table[(table["approach"] == approach) & (table["kind"] == kind)]
            means = 100 * there.groupby("layers")["top1"].mean()
            panel.plot(means, color=COLOURS[approach], marker=MARKERS[approach], markersize=4, label=title)
        dashed(panel, 100 * chance, "chance")
        panel.set_title(name, fontsize=8)
        panel.set(xlabel="layers that run", ylim=(0, 102))
    panels[0].set_ylabel("top-1 accuracy, %")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


@styled
def by_depth(tables: Mapping[str, tuple[str, pd.DataFrame]], chance: float) -> Figure:
    """Top-1 of the first layers at full width: the mean over the networks, a band of one standard deviation."""
    figure, [[axes]] = new(4.8, 2.9)
    for label, (approach, table) in tables.items():
        values = 100 * table.pivot_table(index="layers", columns="seed", values="top1")
        middle, std = values.mean(axis=1), values.std(axis=1)
        axes.fill_between(middle.index, middle - std, middle + std, color=COLOURS[approach], alpha=0.2, linewidth=0)
        style = "--" if "retuned" in label else "-"
        axes.plot(middle, style, color=COLOURS[approach], marker=MARKERS[approach], markersize=4.5, label=label)
    dashed(axes, 100 * chance, "chance")
    axes.set(xlabel="layers that run", ylabel="top-1 accuracy, %", ylim=(0, 102))
    figure.legend(loc="outside upper center", ncols=2)
    return figure
