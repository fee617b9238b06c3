"""What the figures of accuracies share: curves with their spread, and the line of chance."""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lsnotebook.layershuffle.approaches import COLOURS, MARKERS, TITLES
from lsnotebook.layershuffle.collapse_tables import begins_with_first
from lsnotebook.pages.style import INK


def lines(axes: Axes, table: pd.DataFrame, x: str, measure: str, approach: str, label: str = "", **style) -> None:
    """The mean over the seeds of a measure in % against `x`, with a band of one standard deviation."""
    label = label or TITLES[approach]
    curves = 100 * table.groupby([x, "seed"])[measure].mean().unstack()
    mean, std = curves.mean(axis=1), curves.std(axis=1)
    axes.fill_between(mean.index, mean - std, mean + std, color=COLOURS[approach], alpha=0.2, linewidth=0)
    axes.plot(mean, color=COLOURS[approach], marker=MARKERS[approach], markersize=5.5, label=label, **style)


def beside(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each approach, moved a little sideways, so that equal accuracies stand beside one another."""
    groups = list(table.groupby("approach", sort=False))
    gap = 0.18 * min(np.diff(sorted(table["layers"].unique())), default=1)
    for place, (approach, group) in enumerate(groups):
        yield approach, group.assign(layers=group["layers"] + gap * (place - (len(groups) - 1) / 2))


def chance_line(axes: Axes, chance: float, named: bool = True) -> None:
    """The accuracy of guessing, dashed; its name stands in the margin, where it hides no dot."""
    axes.axhline(100 * chance, color=INK, linewidth=0.8, linestyle="--", alpha=0.6)
    if named:
        axes.annotate("chance", (1, 100 * chance), (3, 0), ("axes fraction", "data"), "offset points", va="center",
                      fontsize=8.5)  # fmt: skip


def legend(figure: Figure, panels: Iterable[Axes], columns: int | None = None) -> None:
    """One for all panels, above them: each label once, in as many columns as there are labels by default."""
    pairs = (pair for panel in panels for pair in zip(*panel.get_legend_handles_labels(), strict=True))
    handles = {text: handle for handle, text in pairs}
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=columns or len(handles))


def rings(panel: Axes, x: pd.Series, accuracies: pd.DataFrame, size: float, named: bool = True) -> None:
    """Around the dots of orders that begin with layer 0."""
    first, label = begins_with_first(accuracies), "layer 0 runs first" if named else None
    panel.plot(x[first], 100 * accuracies["top1"][first], "o", color=INK, markersize=size, fillstyle="none",
               markeredgewidth=0.8, label=label)  # fmt: skip
