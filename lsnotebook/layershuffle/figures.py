"""The figures of accuracies (§4.1, §4.2, §4.4), each from a data frame; no computation."""

from collections.abc import Mapping

import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lsnotebook.layershuffle.approaches import COLOURS, MARKERS, TITLES
from lsnotebook.layershuffle.collapse_tables import begins_with_first
from lsnotebook.pages.style import INK, new, styled


@styled
def dumbbells(tables: Mapping[str, pd.DataFrame], chance: Mapping[str, float]) -> Figure:
    """Top-1 in sequence (filled) and in arbitrary order (ring), one panel a source; a dashed line marks chance."""
    figure, panels = new(2.4 * len(tables), 2.2, columns=len(tables), sharey=True)
    for panel, (source, table) in zip(panels[0], tables.items(), strict=True):
        panel.axvline(100 * chance[source], color=INK, linewidth=0.8, linestyle="--", alpha=0.6)
        means = table.pivot(index="approach", columns="policy", values="mean").mul(100)
        stds = table.pivot(index="approach", columns="policy", values="std").mul(100)
        for row, approach in enumerate(table["approach"].unique()):
            colour, (there, here) = COLOURS[approach], means.loc[approach, ["sequential", "arbitrary"]]
            panel.plot([here, there], [row, row], color=colour, linewidth=1.5, alpha=0.5)
            panel.errorbar([here, there], [row, row], xerr=stds.loc[approach, ["arbitrary", "sequential"]],
                           fmt="none", color=colour, linewidth=1.5)  # fmt: skip
            panel.plot(there, row, "o", color=colour, markersize=7)
            panel.plot(here, row, "o", color=colour, markersize=7, fillstyle="none", markeredgewidth=2)
        panel.set(title=source, xlim=(-3, 103), xticks=range(0, 101, 25), xlabel="top-1 accuracy, %")
        panel.title.set_fontsize(9.5)
        panel.set_yticks(range(len(means)), [TITLES[name] for name in table["approach"].unique()])
        panel.spines["left"].set_visible(False)
        panel.tick_params(left=False)
    panels[0][0].set_ylim(len(means) - 0.5, -0.5)
    return figure


@styled
def by_order(accuracies: pd.DataFrame, chance: float) -> Figure:
    """Top-1 of every drawn order: a dot for each (order, seed), a bar at the mean, one column an approach."""
    figure, [[axes]] = new()
    chance_line(axes, chance)
    approaches = accuracies["approach"].unique()
    axes.text(len(approaches) - 0.55, 100 * chance + 1.5, "chance", fontsize=8.5, ha="right")
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
def learning_curves(histories: pd.DataFrame) -> Figure:
    """Selection top-1 and loss against the training step: a thin line a seed, a thick one their mean."""
    figure, [panels] = new(columns=2)
    measures = {"selection_top1": (100, "top-1 accuracy, %"), "selection_loss": (1, "loss, nats")}
    for panel, (measure, (scale, label)) in zip(panels, measures.items(), strict=True):
        for approach, group in histories.groupby("approach", sort=False):
            curves = scale * group.pivot(index="step", columns="seed", values=measure)
            panel.plot(curves, color=COLOURS[approach], linewidth=0.8, alpha=0.4)
            panel.plot(curves.mean(axis=1), color=COLOURS[approach], linewidth=2.2, label=TITLES[approach])
        panel.set(xlabel="training step", ylabel=label)
        panel.set_ylim(bottom=0)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


@styled
def by_distance(accuracies: pd.DataFrame, chance: float) -> Figure:
    """Top-1 (mean over the seeds) of each order against its Kendall tau distance from the original order."""
    figure, [[axes]] = new()
    chance_line(axes, chance)
    means = accuracies.groupby(["approach", "order"], sort=False, as_index=False)[["inversions", "top1"]].mean()
    for approach, group in means.groupby("approach", sort=False):
        axes.plot(group["inversions"], 100 * group["top1"], "o", color=COLOURS[approach], markersize=5, alpha=0.75,
                  label=TITLES[approach], markeredgewidth=0)  # fmt: skip
    rings(axes, means["inversions"], means, 6)
    axes.set(xlabel="pairs of layers out of order (Kendall tau distance)", ylabel="top-1 accuracy, %", ylim=(0, 102))
    figure.legend(loc="outside upper center", ncols=2)
    return figure


@styled
def few_orders(accuracies: pd.DataFrame) -> Figure:
    """Top-1 in % of some approaches (columns) under some orders (rows), as bars side by side."""
    figure, [[axes]] = new(4.8, 2.4)
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
    """Figures 1b and 1c: top-1 against the layers kept, in both orders; crosses are the paper's text."""
    figure, [panels] = new(height=3.3, columns=2, sharey=True)
    for panel, policy in zip(panels, ("sequential", "arbitrary"), strict=True):
        chance_line(panel, chance)
        for approach, group in pruned.query("policy == @policy").groupby("approach", sort=False):
            lines(panel, group, "layers", "top1", approach, linestyle=":" if approach == "refined" else "-")
        for point in published.query("policy == @policy").itertuples():
            panel.plot(point.layers, 100 * point.top1, "x", color=COLOURS[point.approach], markeredgewidth=2, zorder=5)
        panel.set(title=f"in {policy} order" if policy == "arbitrary" else "in sequence", xlabel="layers kept")
        panel.set(xticks=sorted(pruned["layers"].unique()), ylim=(0, 102))
    panels[0].set_ylabel("top-1 accuracy, %")
    handles, labels = panels[0].get_legend_handles_labels()
    if len(published):
        handles.append(panels[0].plot([], [], "x", color=INK, markeredgewidth=2)[0])
        labels.append("the paper's text")
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
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
    for approach in chosen["approach"].unique():
        lines(axes, chosen.query("approach == @approach"), "layers", "top1", approach)
        lines(axes, random.query("approach == @approach"), "layers", "top1", approach, linestyle="--", fillstyle="none")
    axes.set(xlabel="layers kept", ylabel="top-1 accuracy, %", ylim=(0, 102), xticks=sorted(chosen["layers"].unique()))
    handles, _ = axes.get_legend_handles_labels()
    labels = [f"{TITLES[approach]}, {how}" for approach in chosen["approach"].unique() for how in ("chosen", "random")]
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure


@styled
def beeswarm(models: pd.DataFrame, chance: float) -> Figure:
    """Figure 5: top-1 of every model, one column for each (approach, model)."""
    figure, [[axes]] = new(4.8, 3.4)
    chance_line(axes, chance)
    names = models["approach"].map(TITLES) + ",\n" + models["model"].str.replace(" of", "\nof")
    table = models.assign(top1=100 * models["top1"], names=names)
    # Where all models agree, the column is too narrow for their dots side by side: they may overlap.
    style = {"hue": "approach", "palette": COLOURS, "size": 2.2, "legend": False, "warn_thresh": 1}
    seaborn.swarmplot(table, x="names", y="top1", ax=axes, **style)
    axes.tick_params(axis="x", labelsize=8.5, bottom=False)
    axes.set(xlabel="", ylabel="top-1 accuracy, %", ylim=(0, 102))
    return figure


@styled
def by_sources(merged: pd.DataFrame, chance: float) -> Figure:
    """Top-1 of merged models (mean, and a band of one standard deviation) against the number of their sources."""
    figure, [[axes]] = new()
    chance_line(axes, chance)
    for (approach, policy), group in merged.groupby(["approach", "policy"], sort=False):
        at = 100 * group.groupby("distinct")["top1"].agg(["mean", "std"])
        colour, mean, std = COLOURS[approach], at["mean"], at["std"].fillna(0)
        axes.fill_between(at.index, mean - std, mean + std, color=colour, alpha=0.2, linewidth=0)
        label = f"{TITLES[approach]}, {policy}"
        axes.plot(mean, color=colour, marker=MARKERS[approach], markersize=5.5, label=label)
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
        axes.plot(group["drift"], 100 * group["source"], "--", color=colour, marker=marker, fillstyle="none",
                  label=f"{TITLES[approach]}, sources")  # fmt: skip
        axes.errorbar(group["drift"], 100 * group["merged"], 100 * group["std"], color=colour, marker=marker,
                      capsize=2, label=f"{TITLES[approach]}, merged")  # fmt: skip
    axes.set(xlabel="distance of the layers from the base, relative to its norm", ylabel="top-1 accuracy, %")
    axes.set(ylim=(0, 102), xlim=(0, None))
    figure.legend(loc="outside upper center", ncols=2)
    return figure


@styled
def by_length(lengths: pd.DataFrame, panels: Mapping[str, tuple[str, Mapping[str, str]]]) -> Figure:
    """Measures of `records.lengths` against the steps of the refinement: mean, and a band of one standard deviation.

    `panels` gives for each its axis label and its measures, each with its line style.
    """
    figure, [drawn] = new(3.4 * len(panels), 3.1, columns=len(panels))
    for panel, (title, (label, measures)) in zip(drawn, panels.items(), strict=True):
        for (approach, measure), group in lengths.groupby(["approach", "measure"], sort=False):
            if measure in measures:
                table = group.rename(columns={"number": "seed"})
                lines(panel, table, "steps", "value", approach, linestyle=measures[measure])
        panel.set(title=title, ylabel=label, xlabel="steps of the refinement", xscale="log", ylim=(0, None))
        steps = sorted(lengths["steps"].unique())
        panel.set_xticks(steps, [f"{count:,}" for count in steps], fontsize=8)
        panel.minorticks_off()
    handles = {text: handle for panel in drawn for handle, text in zip(*panel.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=2)
    return figure


def lines(axes: Axes, table: pd.DataFrame, x: str, measure: str, approach: str, **style) -> None:
    """The mean over the seeds of a measure in % against `x`, with a band of one standard deviation."""
    curves = 100 * table.groupby([x, "seed"])[measure].mean().unstack()
    mean, std = curves.mean(axis=1), curves.std(axis=1)
    axes.fill_between(mean.index, mean - std, mean + std, color=COLOURS[approach], alpha=0.2, linewidth=0)
    axes.plot(mean, color=COLOURS[approach], marker=MARKERS[approach], markersize=5.5, label=TITLES[approach], **style)


def rings(axes: Axes, x: pd.Series, accuracies: pd.DataFrame, size: float, named: bool = True) -> None:
    """Around the dots of orders that begin with layer 0."""
    first, label = begins_with_first(accuracies), "layer 0 runs first" if named else None
    axes.plot(x[first], 100 * accuracies["top1"][first], "o", color=INK, markersize=size, fillstyle="none",
              markeredgewidth=0.8, label=label)  # fmt: skip


def chance_line(axes: Axes, chance: float) -> None:
    axes.axhline(100 * chance, color=INK, linewidth=0.8, linestyle="--", alpha=0.6)
