"""The figures of accuracies (§4.1, §4.2, §4.4), each from a data frame; no computation."""

from collections.abc import Mapping
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lsnotebook.layershuffle.approaches import COLOURS, MARKERS, TITLES
from lsnotebook.layershuffle.curves import beside, chance_line, legend, lines, rings
from lsnotebook.pages.style import INK, new, styled


@styled
def dumbbells(tables: Mapping[str, pd.DataFrame], chance: Mapping[str, float]) -> Figure:
    """Top-1 in sequence (filled) and in arbitrary order (ring), one panel a source, three side by side. The names stand
    above the lines, not beside them: that leaves the panels their width, also on a phone."""
    columns, approaches = min(3, len(tables)), list(next(iter(tables.values()))["approach"].unique())
    count = -(-len(tables) // columns)
    figure, rows = new(4.8, 0.4 + (0.5 + 0.38 * len(approaches)) * count, count, columns, sharex=True, sharey=True)
    for panel in rows.flat[len(tables) :]:
        panel.set_visible(False)
    for panel, (source, table) in zip(rows.flat, tables.items(), strict=False):
        panel.axvline(100 * chance[source], color=INK, linewidth=0.8, linestyle="--", alpha=0.6)
        means = table.pivot(index="approach", columns="policy", values="mean").mul(100)
        stds = table.pivot(index="approach", columns="policy", values="std").mul(100)
        for row, approach in enumerate(approaches):
            colour, (there, here) = COLOURS[approach], means.loc[approach, ["sequential", "arbitrary"]]
            panel.plot([here, there], [row, row], color=colour, linewidth=1.5, alpha=0.5)
            panel.errorbar([here, there], [row, row], xerr=stds.loc[approach, ["arbitrary", "sequential"]],
                           fmt="none", color=colour, linewidth=1.5)  # fmt: skip
            panel.plot(there, row, "o", color=colour, markersize=7)
            panel.plot(here, row, "o", color=colour, markersize=7, fillstyle="none", markeredgewidth=2)
        panel.set(title=source.replace(", ", ",\n"), xlim=(-6, 106), xticks=(0, 50, 100), yticks=())
        panel.title.set_fontsize(9.5)
        panel.spines["left"].set_visible(False)
    for panel in rows[:, 0]:
        for row, approach in enumerate(approaches):
            panel.annotate(TITLES[approach], (0, row), (3, 6), textcoords="offset points", fontsize=8.5)
    first = rows[0, 0]
    first.annotate("chance", (100 * next(iter(chance.values())), len(approaches) - 0.5), (3, 0),
                   textcoords="offset points", fontsize=8.5)  # fmt: skip
    first.set_ylim(len(approaches) - 0.35, -0.65)
    figure.supxlabel("top-1 accuracy, %", fontsize=9.5)
    return figure


@styled
def by_order(accuracies: pd.DataFrame, chance: float) -> Figure:
    """Top-1 of every drawn order: a dot for each (order, seed), a bar at the mean, one column an approach."""
    figure, [[axes]] = new()
    chance_line(axes, chance)
    approaches = accuracies["approach"].unique()
    for place, approach in enumerate(approaches):
        group = accuracies[accuracies["approach"] == approach]
        seeds = group["seed"].nunique()
        across = place + (group["seed"] - (seeds - 1) / 2) * 0.5 / seeds  # one thin column a seed
        axes.plot(across, 100 * group["top1"], "o", color=COLOURS[approach], markersize=3, alpha=0.55,
                  markeredgewidth=0)  # fmt: skip
        rings(axes, across, group, 4, named=place == 0)
        axes.hlines(100 * group["top1"].mean(), place - 0.36, place + 0.36, color=INK, linewidth=2)
    axes.set_xticks(range(len(approaches)), [TITLES[name].replace("-", "-\n") for name in approaches])
    axes.set(ylabel="top-1 accuracy, %", ylim=(0, 102), xlim=(-0.5, len(approaches) - 0.5))
    axes.tick_params(bottom=False)
    figure.legend(loc="outside upper center")
    return figure


@styled
def learning_curves(histories: Mapping[str, pd.DataFrame], chance: Mapping[str, float]) -> Figure:
    """Selection top-1 and loss against the training step, a row of panels a scale: a thin line a seed, a thick one
    their mean."""
    figure, rows = new(4.8, 0.4 + 2.4 * len(histories), len(histories), 2)
    measures = {"selection_top1": (100, "top-1 accuracy, %"), "selection_loss": (1, "loss, nats")}
    approaches = pd.concat(histories)["approach"].unique()
    dashes = dict(
        zip(approaches, cycle(("-", "--", "-.", ":")), strict=False)
    )  # curves that meet show through the gaps
    for (title, history), panels in zip(histories.items(), rows, strict=True):
        for panel, (measure, (scale, label)) in zip(panels, measures.items(), strict=True):
            for approach, group in history.groupby("approach", sort=False):
                curves, colour = scale * group.pivot(index="step", columns="seed", values=measure), COLOURS[approach]
                panel.plot(curves, color=colour, linewidth=0.8, alpha=0.4)
                panel.plot(curves.mean(axis=1), dashes[approach], color=colour, linewidth=2.2, label=TITLES[approach])
            panel.set(xlabel="training step", ylabel=label)
            panel.set_ylim(bottom=0)
        chance_line(panels[0], chance[title])
        if len(histories) > 1:
            panels[0].set_title(title, loc="left", fontsize=9.5)
    legend(figure, rows[:, 0], columns=2)
    return figure


@styled
def by_distance(accuracies: pd.DataFrame, chance: float) -> Figure:
    """Top-1 (mean over the seeds) of each order against its Kendall tau distance from the original order, one panel an
    approach."""
    groups = accuracies.groupby("approach", sort=False)
    figure, panels = new(4.8, 0.6 + 1.5 * ((len(groups) + 1) // 2), (len(groups) + 1) // 2, 2, sharex=True, sharey=True)
    for panel, (approach, group) in zip(panels.flat, groups, strict=False):
        chance_line(panel, chance, named=panel in panels[:, -1])
        means = group.groupby("order", as_index=False)[["inversions", "top1"]].mean()
        panel.plot(means["inversions"], 100 * means["top1"], "o", color=COLOURS[approach], markersize=4, alpha=0.75,
                   markeredgewidth=0)  # fmt: skip
        rings(panel, means["inversions"], means, 5, named=panel is panels[0, 0])
        panel.set_title(TITLES[approach], fontsize=9.5)
    panels[0, 0].set_ylim(0, 102)
    figure.legend(loc="outside upper center")
    figure.supxlabel("pairs of layers out of order (Kendall tau distance)", fontsize=9.5)
    figure.supylabel("top-1 accuracy, %", fontsize=9.5)
    return figure


@styled
def few_orders(accuracies: pd.DataFrame, chance: float) -> Figure:
    """Top-1 in % of some approaches (columns) under some orders (rows), as bars side by side."""
    figure, [[axes]] = new(4.8, 2.4)
    chance_line(axes, chance)
    for place, name in enumerate(accuracies):
        left = [row + 0.4 * (place - 0.5) for row in range(len(accuracies))]
        axes.bar(left, accuracies[name], 0.38, color=COLOURS[name], label=TITLES[name])
    axes.set(ylabel="top-1 accuracy, %", ylim=(0, 102))
    axes.set_xticks(range(len(accuracies)), accuracies.index)
    axes.tick_params(bottom=False)
    figure.legend(loc="outside upper center", ncols=2)
    return figure


@styled
def by_depth(pruned: pd.DataFrame, chance: float, published: pd.DataFrame) -> Figure:
    """Figures 1b and 1c: top-1 against the layers kept, a panel for each order; and what the paper's text gives of
    ImageNet-2012, where it does, in sequence filled, in arbitrary order as a ring."""
    figure, [panels] = new(4.8, 3.5, columns=3 if len(published) else 2, sharex=True, sharey=True)
    titles = {"sequential": "in sequence", "arbitrary": "in arbitrary\norder"}
    for panel, (policy, title) in zip(panels, titles.items(), strict=False):
        chance_line(panel, chance, named=panel is panels[-1])
        for approach, group in beside(pruned[pruned["policy"] == policy]):
            lines(panel, group, "layers", "top1", approach, linestyle=":" if approach == "refined" else "-")
        panel.set_title(title)
    for point in published.itertuples():
        filled = "full" if point.policy == "sequential" else "none"
        panels[-1].plot(point.layers, 100 * point.top1, MARKERS[point.approach], color=COLOURS[point.approach],
                        fillstyle=filled, markeredgewidth=1.5)  # fmt: skip
    if len(published):
        chance_line(panels[-1], 1 / 1000)
        panels[-1].set_title("the paper’s text,\nImageNet")
    for panel in panels:
        panel.set(xlabel="layers kept", xticks=sorted(pruned["layers"].unique()), ylim=(-2, 102))
        panel.title.set_fontsize(9.5)
    panels[0].set_ylabel("top-1 accuracy, %")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


@styled
def by_layer(contributions: pd.DataFrame) -> Figure:
    """What each layer contributes to top-1 in sequence: the mean over the networks and their standard deviation, to
    which the error of an estimate is added in quadrature."""
    measures = contributions["measure"].unique()
    figure, panels = new(4.8, 4.6, rows=len(measures), sharex=True)
    for panel, measure in zip(panels[:, 0], measures, strict=True):
        panel.axhline(0, color=INK, linewidth=0.8)
        chosen = contributions.query("measure == @measure")
        for place, (approach, group) in enumerate(chosen.groupby("approach", sort=False)):
            per_seed = 100 * group.groupby(["layer", "seed"])["contribution"].mean().unstack()
            error = 100 * (group.groupby("layer")["error"].apply(lambda each: (each**2).mean()) ** 0.5)
            mean, left = per_seed.mean(axis=1), per_seed.index + 0.4 * (place - 0.5)
            std = (per_seed.var(axis=1) + error**2) ** 0.5
            panel.bar(left, mean, 0.38, color=COLOURS[approach], label=TITLES[approach])
            panel.errorbar(left, mean, std, fmt="none", ecolor=INK, linewidth=1)
        panel.set(title=measure, ylabel="points of top-1")
    panels[-1, 0].set(xlabel="layer", xticks=sorted(contributions["layer"].unique()))
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


@styled
def chosen_or_random(chosen: pd.DataFrame, random: pd.DataFrame, chance: float) -> Figure:
    """Top-1 in sequence against the layers kept, chosen by the training images (filled) or at random (open)."""
    figure, [[axes]] = new()
    chance_line(axes, chance)
    for how, table, style in (("chosen", chosen, {}), ("random", random, {"linestyle": "--", "fillstyle": "none"})):
        for approach, group in beside(table):
            lines(axes, group, "layers", "top1", approach, f"{TITLES[approach]}, {how}", **style)
    axes.set(xlabel="layers kept", ylabel="top-1 accuracy, %", ylim=(0, 102), xticks=sorted(chosen["layers"].unique()))
    figure.legend(loc="outside upper center", ncols=2)
    return figure


@styled
def by_model(models: pd.DataFrame, chance: float) -> Figure:
    """Figure 5: how many models have which top-1, a column for each (approach, model), which is as wide as its largest
    group is; bars of two points each, and a line at the mean. Where most models agree, dots would hide one another."""
    figure, [[axes]] = new(4.8, 3.4)
    chance_line(axes, chance)
    edges, columns = np.arange(0, 104, 2), models.groupby(["approach", "model"], sort=False)["top1"]
    for place, ((approach, _), top1) in enumerate(columns):
        counts, _ = np.histogram(100 * top1, edges)
        width = 0.8 * counts / counts.max()
        axes.barh(edges[:-1] + 1, width, 1.8, place - width / 2, color=COLOURS[approach])
        axes.hlines(100 * top1.mean(), place - 0.45, place + 0.45, color=INK, linewidth=1.2)
    for approach in models["approach"].unique():
        axes.barh(0, 0, color=COLOURS[approach], label=TITLES[approach])
    names = [f"{model}\n({len(top1)})".replace(" of", "\nof") for (_, model), top1 in columns]
    axes.set_xticks(range(len(names)), names)
    axes.tick_params(axis="x", bottom=False)
    figure.legend(loc="outside upper center", ncols=2)
    axes.set(ylabel="top-1 accuracy, %", ylim=(0, 102))
    return figure


@styled
def by_sources(merged: pd.DataFrame, chance: float) -> Figure:
    """Top-1 of merged models (mean, and a band of one standard deviation) against the number of their sources."""
    figure, [[axes]] = new()
    chance_line(axes, chance)
    for (approach, policy), group in merged.groupby(["approach", "policy"], sort=False):
        models = group.assign(seed=group.groupby("distinct").cumcount())
        lines(axes, models, "distinct", "top1", approach, f"{TITLES[approach]}, {policy}")
    axes.set(xlabel="sources that the layers come from", ylabel="top-1 accuracy, %", ylim=(0, 102))
    axes.set_xticks(sorted(merged["distinct"].unique()))
    figure.legend(loc="outside upper center", ncols=2)
    return figure


@styled
def by_drift(drifted: pd.DataFrame, chance: float) -> Figure:
    """Top-1 of the sources (open) and of models merged from them (filled) against how far the sources drifted."""
    figure, [[axes]] = new()
    chance_line(axes, chance)
    for approach, group in drifted.groupby("approach", sort=False):
        colour, marker = COLOURS[approach], MARKERS[approach]
        at = 100 * group.set_index("drift")[["source", "merged", "std"]].rename(index=lambda drift: 100 * drift)
        axes.plot(at["source"], "--", color=colour, marker=marker, fillstyle="none",
                  label=f"{TITLES[approach]}, sources")  # fmt: skip
        axes.errorbar(at.index, at["merged"], at["std"], color=colour, marker=marker, capsize=2,
                      label=f"{TITLES[approach]}, merged")  # fmt: skip
    axes.set(xlabel="distance of the layers from the base, % of its norm", ylabel="top-1 accuracy, %")
    axes.set(ylim=(0, 102), xlim=(0, None))
    figure.legend(loc="outside upper center", ncols=2)
    return figure
