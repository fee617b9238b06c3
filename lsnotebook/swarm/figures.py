"""The figures of the swarm, each from a data frame; no computation."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from lsnotebook.layershuffle.approaches import COLOURS, MARKERS, TITLES
from lsnotebook.layershuffle.curves import chance_line, legend
from lsnotebook.pages.strokes import strokes
from lsnotebook.pages.style import INK, new, styled, tile_colours
from lsnotebook.swarm.driver import Fault
from lsnotebook.swarm.hops import Node
from lsnotebook.swarm.timeline import deaths, hops

WIDE = 20
"""Times that the largest value is the smallest, where a logarithmic axis shows more."""


@styled
def against(
    found: pd.DataFrame,
    measures: Mapping[str, str],
    label: str,
    chance: float | None = None,
    log: bool = False,
    real: pd.DataFrame | None = None,
) -> Figure:
    """One panel a measure (a column, its label) against the number that `policy` stands for, one line an approach; two
    panels beside one another, so that they can be read on a phone.

    The band reaches from the lowest to the highest network; measures that all networks share have none. Fractions are
    shown in %. `real` has runs on real nodes (approach, at, and the measures), which are drawn as stars.
    """
    rows = -(-len(measures) // 2)
    figure, grid = new(4.8, 0.3 + 2.3 * rows, rows, 2)
    panels, spare = grid.flat[: len(measures)], grid.flat[len(measures) :]
    for panel, (measure, name) in zip(panels, measures.items(), strict=True):
        scale = 100 if measure == "top1" else 1
        approaches = found.groupby("approach", sort=False)
        for (approach, group), style in zip(approaches, strokes(len(approaches)), strict=True):
            group = group.assign(at=group["policy"].astype(float))
            values = scale * group.groupby(["seed", "at"])[measure].mean().unstack()
            panel.plot(values.columns, values.mean(), color=COLOURS[approach], marker=MARKERS[approach],
                       label=TITLES[approach], **style)  # fmt: skip
            panel.fill_between(values.columns, values.min(), values.max(), color=COLOURS[approach], alpha=0.2,
                               linewidth=0)  # fmt: skip
        for run in () if real is None else real.to_dict("records"):
            panel.plot(run["at"], scale * run[measure], "*", color=COLOURS[run["approach"]], markersize=11,
                       markeredgecolor=INK, markeredgewidth=0.7)  # fmt: skip
        if scale == 100 and chance is not None:
            chance_line(panel, chance, named=False)
            panel.annotate("chance", (1, 100 * chance), (-2, 2), ("axes fraction", "data"), "offset points",
                           fontsize=9, ha="right")  # fmt: skip
        panel.set(xlabel=label, ylabel=name, xscale="log" if log else "linear")
        seen = found[measure]
        if log and seen.max() > WIDE * seen.min() > 0:
            panel.set_yscale("log")
        else:
            panel.set_ylim(bottom=0)
    for panel in spare:  # the place for the legend
        panel.legend(*panels[0].get_legend_handles_labels(), loc="center").set_in_layout(False)
        panel.set_axis_off()
    if not len(spare):
        legend(figure, panels, columns=3)
    return figure


@styled
def timeline(rows: pd.DataFrame, nodes: Sequence[Node], faults: Sequence[Fault], layers: int, until: float) -> Figure:
    """What ran where and when, up to a time: a row for each node, a bar for each hop that counted, in the colour of its
    layer, with the number of its request; a cross where the node died."""
    figure, [[axes]] = new(4.8, 0.9 + 0.21 * len(nodes))
    place = {node: row for row, node in enumerate(nodes)}
    colours = tile_colours(layers)
    for hop in hops(rows).query("start < @until").itertuples():
        fill, ink = colours[hop.layer]
        axes.barh(place[hop.node], hop.end - hop.start, left=hop.start, color=fill, height=0.8, edgecolor="none")
        axes.text((hop.start + hop.end) / 2, place[hop.node], str(hop.request), color=ink, fontsize=9, ha="center",
                  va="center_baseline", clip_on=True)  # fmt: skip
    for death in deaths(faults, until).itertuples():
        axes.plot(death.time, place[death.node], "X", color=INK, markersize=7, clip_on=False)
    axes.set_yticks(range(len(nodes)), [str(node) for node in nodes], fontsize=9)
    axes.set(xlabel="time, hops", ylabel="node", ylim=(len(nodes) - 0.4, -0.6), xlim=(0, until))
    return figure


@styled
def coverage(found: pd.DataFrame) -> Figure:
    """How likely it is that all layers are held, against the number of nodes that each drew some: `tables.coverage`."""
    figure, [[axes]] = new(4.8, 2.2)
    for (holds, group), style in zip(found.groupby("holds"), ("-", "--", ":"), strict=False):
        label = "one layer a node" if holds == 1 else f"{holds} layers a node"
        axes.plot(group["nodes"], 100 * group["covered"], style, marker="o", markersize=4, label=label,
                  color=COLOURS["layershuffle"])  # fmt: skip
    axes.set(xlabel="nodes", ylabel="all layers are held, %", ylim=(-2, 102))
    axes.legend()
    return figure
