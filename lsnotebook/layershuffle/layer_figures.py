"""The figures of what layers do (§4.3, §5), each from a data frame or an array; no computation."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lsnotebook.layershuffle.approaches import COLOURS, TITLES
from lsnotebook.pages.style import INK, new, styled


@styled
def maps(points: Mapping[str, pd.DataFrame], colours: str, most: int) -> Figure:
    """One map a panel (columns x, y): dots in the colour of the column `colours`, whole numbers from 0 to `most`."""
    figure, panels = new(4.8, 2.9, columns=len(points))
    for panel, (title, table) in zip(panels[0], points.items(), strict=True):
        style = {"cmap": "viridis", "vmin": 0, "vmax": most, "linewidths": 0, "rasterized": True}
        dots = panel.scatter(table["x"], table["y"], 7, table[colours], **style)
        panel.set(title=title, xticks=[], yticks=[], xlabel="UMAP 1")
        panel.set_aspect("equal", adjustable="datalim")
    panels[0][0].set_ylabel("UMAP 2")
    bar = figure.colorbar(dots, ax=panels, orientation="horizontal", fraction=0.06, aspect=40, label=colours)
    bar.outline.set_visible(False)
    return figure


@styled
def by_place(norms: pd.DataFrame, measures: Mapping[str, str]) -> Figure:
    """Norms (in units of the layer's mean) against the layer's position minus its original index, one row a measure.

    The line is the median, the bands hold half and nine tenths of the values.
    """
    approaches = norms["approach"].unique()
    figure, rows = new(4.8, 0.8 + 1.9 * len(measures), len(measures), len(approaches), sharex=True, sharey=True)
    for row, (measure, label) in zip(rows, measures.items(), strict=True):
        row[0].set_ylabel(label)
        for panel, approach in zip(row, approaches, strict=True):
            values = norms.query("approach == @approach").groupby("distance")[measure]
            at = values.quantile([0.05, 0.25, 0.5, 0.75, 0.95]).unstack()
            panel.axhline(1, color=INK, linewidth=0.8, linestyle="--", alpha=0.6)
            panel.axvline(0, color=INK, linewidth=0.8, linestyle=":", alpha=0.6)
            for low, high in ((0.05, 0.95), (0.25, 0.75)):
                panel.fill_between(at.index, at[low], at[high], color=COLOURS[approach], alpha=0.22, linewidth=0)
            panel.plot(at[0.5], color=COLOURS[approach], linewidth=2)
            panel.set_ylim(bottom=0)
    for panel, approach in zip(rows[0], approaches, strict=True):
        panel.set_title(TITLES[approach])
    for panel in rows[-1]:
        panel.set_xlabel("position minus original index")
    return figure


@styled
def by_cell(cells: Mapping[str, pd.DataFrame], label: str) -> Figure:
    """One heat map a panel: a value for each layer (row) at each position (column); 1 is the middle of the colours."""
    figure, panels = new(4.8, 3.0, columns=len(cells), sharey=True)
    far = max(abs(table.to_numpy() - 1).max() for table in cells.values())
    for panel, (title, table) in zip(panels[0], cells.items(), strict=True):
        image = panel.imshow(table, cmap="PuOr_r", vmin=1 - far, vmax=1 + far, origin="lower")
        panel.set(title=title, xlabel="position", xticks=range(0, len(table), 3), yticks=range(0, len(table), 3))
    panels[0][0].set_ylabel("layer")
    bar = figure.colorbar(image, ax=panels, orientation="horizontal", fraction=0.06, aspect=40, label=label)
    bar.outline.set_visible(False)
    return figure


@styled
def attention(images: np.ndarray, weights: np.ndarray, positions: Sequence[int]) -> Figure:
    """Attention maps: a row for each image (rows, columns), then the attention of the class token at some positions.

    `weights` (B, P, rows, columns) are the mean over the heads, of the patches only; each map runs from none (dark) to
    its own largest weight (bright).
    """
    figure, rows = new(4.8, 0.3 + 0.4 * len(images), len(images), 1 + len(positions))
    for row, image, maps_of_image in zip(rows, images, weights, strict=True):
        row[0].imshow(image, cmap="gray")
        for panel, position in zip(row[1:], positions, strict=True):
            panel.imshow(maps_of_image[position], cmap="viridis", vmin=0)
    for panel, title in zip(rows[0], ["image", *map(str, positions)], strict=True):
        panel.set_title(title, fontsize=8.5)
    for panel in rows.flat:
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set_visible(False)
    return figure
