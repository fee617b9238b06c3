"""The figures of the page on operators, each from plans or a data frame; no planning."""

import numpy as np
import pandas as pd
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lsnotebook.pages.strokes import strokes
from lsnotebook.pages.style import new, styled
from lsnotebook.roam.graph import KINDS, live
from lsnotebook.roam.layout import LAYOUTS, Block, Layout, blocks, extent
from lsnotebook.roam.orders import CHOICES
from lsnotebook.roam.plans import LEAST, MIB, Plan, in_mib

COLOURS = dict(zip([*CHOICES, LEAST], ("#8a8a8a", "#c8553d", "#b98900", "#7a5195", "#2a9d8f", "#1a85cf"), strict=True))
MARKERS = dict(zip(COLOURS, "sv^D*o", strict=True))
FILLS = dict(zip(KINDS, ("#c8553d", "#1a85cf", "#8a8a8a"), strict=True))
SHOWN = "program", "update at once", LEAST
"""The orders that figures over time show."""


def over_time(plan: Plan) -> pd.DataFrame:
    """What `memory` draws: order, step, mib."""
    graph = plan.step.graph
    memory = {name: np.array(live(graph, plan.orders[name])) / MIB for name in SHOWN}
    wide = pd.DataFrame(memory).rename_axis("step").reset_index()
    return wide.melt("step", var_name="order", value_name="mib")


@styled
def memory(table: pd.DataFrame) -> Figure:
    """The dynamic memory while each operator runs, in three orders."""
    figure, [[panel]] = new(4.8, 3.0)
    for (name, group), style in zip(table.groupby("order", sort=False), strokes(len(SHOWN)), strict=True):
        panel.plot(group["step"], group["mib"], color=COLOURS[name], label=name, **style)
    panel.set(xlabel="operators that have run", ylabel="dynamic memory, MiB", ylim=(0, None), xlim=(0, None))
    figure.legend(loc="outside upper center", ncols=3)
    return figure


@styled
def by_batch(table: pd.DataFrame) -> Figure:
    """Against the batch size: the peak of dynamic memory in every order, in % of the program's; and what it is made of
    in the program's order and in the best, a pair of bars for each size."""
    figure, [[lines, bars]] = new(4.8, 3.6, columns=2)
    program = table[table["order"] == "program"].set_index("batch")["mib"]
    sizes = sorted(program.index)
    orders = table.groupby("order", sort=False)
    for (name, group), style in zip(orders, strokes(len(orders)), strict=True):
        shares = 100 * group.set_index("batch")["mib"].loc[sizes] / program.loc[sizes]
        lines.plot(range(len(sizes)), shares, color=COLOURS[name], marker=MARKERS[name], label=name, **style)
    lines.set(ylabel="peak, % of the program's", ylim=(0, None))
    for side, name in ((-0.2, "program"), (0.2, LEAST)):
        group, bottom = table[table["order"] == name].set_index("batch").loc[sizes], 0
        for kind in KINDS:
            label = kind if side < 0 else None
            bars.bar(np.arange(len(sizes)) + side, group[kind], 0.36, bottom=bottom, color=FILLS[kind], label=label)
            bottom = bottom + group[kind]
    bars.set(ylabel="peak, MiB")
    for panel in (lines, bars):
        panel.set_xticks(range(len(sizes)), map(str, sizes))
        panel.set_xlabel("batch size")
        panel.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize=9)
    return figure


@styled
def arena(panels: dict[str, tuple[list[Block], Layout, list[str]]]) -> Figure:
    """Each block as a rectangle in the plane of time and address, coloured by its kind: a panel for each title, from
    its blocks, their layout and their kinds."""
    figure, [row] = new(4.8, 3.2, columns=len(panels), sharey=True)
    for panel, (title, (them, layout, kinds)) in zip(row, panels.items(), strict=True):
        for kind in KINDS:
            rectangles = [
                Rectangle((block.first, address / MIB), block.last + 1 - block.first, block.size / MIB)
                for block, address, its in zip(them, layout, kinds, strict=True)
                if its == kind and block.size
            ]
            panel.add_collection(
                PatchCollection(rectangles, facecolor=FILLS[kind], edgecolor="white", linewidth=0.1, rasterized=True)
            )
            panel.plot([], [], "s", color=FILLS[kind], label=kind)
        top, end = extent(them, layout) / MIB, max(block.last for block in them) + 1
        panel.set(
            title=f"{title}: {in_mib(top)} MiB",
            xlabel="operators that have run",
            xlim=(0, end),
        )
        panel.autoscale(axis="y")
        panel.set_ylim(bottom=0)
    row[0].set_ylabel("address, MiB")
    figure.legend(*row[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=9,
                  handlelength=0.8, handletextpad=0.4, columnspacing=1)  # fmt: skip
    return figure


def placed(plan: Plan, order: str, layout: str) -> tuple[list[Block], Layout, list[str]]:
    """What `arena` draws of a plan, in an order and a layout by their names."""
    graph = plan.step.graph
    them = blocks(graph, plan.orders[order])
    return them, LAYOUTS[layout](them), [graph.kind(block) for block in range(len(them))]
