"""The figures of why the ViT collapses, each from a data frame; no computation."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from lsnotebook.layershuffle.approaches import COLOURS, MARKERS, TITLES
from lsnotebook.layershuffle.curves import chance_line, legend
from lsnotebook.pages.style import INK, new, styled


@styled
def curves(
    tables: Mapping[str, pd.DataFrame], ways: Mapping[str, tuple[str, str]], label: str, chance: Mapping[str, float]
) -> Figure:
    """The means of `collapse_tables.summary` in % against the number, with a band for the interval: a row of panels for
    each source, a column for each of the `ways`, which give a title and the axis label of the number."""
    figure, rows = new(4.8, 0.6 + 2.5 * len(tables), len(tables), len(ways), sharey=True, sharex="row")
    for row, (source, table) in zip(rows, tables.items(), strict=True):
        for panel, (way, (title, along)) in zip(row, ways.items(), strict=True):
            chance_line(panel, chance[source], named=panel is row[-1])
            there = table[table["way"] == way]
            for approach, group in there.groupby("approach", sort=False):
                at = group.set_index("number")[["mean", "low", "high"]].sort_index() * 100
                panel.fill_between(at.index, at["low"], at["high"], color=COLOURS[approach], alpha=0.2, linewidth=0)
                panel.plot(at["mean"], color=COLOURS[approach], marker=MARKERS[approach], markersize=5,
                           label=TITLES[approach])  # fmt: skip
            ticks = sorted(there["number"].unique())
            panel.set(title=title, xlabel=along, ylim=(0, 102), xticks=ticks if len(ticks) < 8 else ticks[::3])
        row[0].set_ylabel(label if len(tables) == 1 else f"{source}\n{label}")
    legend(figure, rows.flat)
    return figure


@styled
def pairs(swaps: pd.DataFrame, chance: float) -> Figure:
    """Top-1 in % with each pair of layers exchanged, the mean over the networks: a map an approach; the dark end of the
    colours is chance."""
    approaches = swaps["approach"].unique()
    figure, [panels] = new(4.8, 2.9, columns=len(approaches), sharey=True)
    for panel, approach in zip(panels, approaches, strict=True):
        group = swaps[swaps["approach"] == approach]
        wide = 100 * group.pivot_table(index="first", columns="second", values="top1")
        image = panel.imshow(wide, cmap="viridis", vmin=100 * chance, vmax=100, origin="lower")
        ticks = range(0, len(wide), 3)
        panel.set(title=TITLES[approach], xlabel="and layer", xticks=ticks, yticks=ticks)
    panels[0].set_ylabel("exchanged: layer")
    bar = figure.colorbar(image, ax=panels, orientation="horizontal", fraction=0.06, aspect=40)
    bar.set_label(f"top-1 accuracy, % (chance: {100 * chance:.0f})", color=INK)
    bar.outline.set_visible(False)
    return figure
