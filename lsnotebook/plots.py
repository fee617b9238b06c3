"""Figures from data frames; no computation.

A figure is shown as inline SVG whose ink is the colour of the page's text, so that it reads in light and dark.
"""

import functools
import html
import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from IPython.display import HTML
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#010203"
"""Stands for the colour of the page's text while matplotlib draws."""
COLOURS = {
    "base": "#7f7f7f",
    "baseline": "#8a8a8a",
    "layershuffle": "#1a85cf",
    "layershuffle-position": "#d07c00",
    "layershuffle-predict": "#b5519f",
    "layershuffle-predict-sum": "#6c3d91",
}
"""Told apart by readers with any colour vision (after Okabe and Ito), on light and on dark."""
NAMES = {
    "base": "Base",
    "baseline": "ViT",
    "layershuffle": "LayerShuffle",
    "layershuffle-position": "LayerShuffle-position",
    "layershuffle-predict": "LayerShuffle-predict",
    "layershuffle-predict-sum": "LayerShuffle-predict, summed",
}
STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 9.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "lsnotebook",
    "axes.spines.top": False,
    "axes.spines.right": False,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
    "legend.frameon": False,
}


def styled(draw: Callable) -> Callable:
    """Run a function that draws under the book's style."""

    @functools.wraps(draw)
    def in_style(*arguments, **keywords):
        import matplotlib as mpl

        with mpl.rc_context(STYLE):
            return draw(*arguments, **keywords)

    return in_style


@styled
def new(width: float = 4.8, height: float = 2.8, columns: int = 1, **options) -> "tuple[Figure, Axes]":
    """A figure of `width` x `height` inches and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns, **options)


@styled
def themed(figure: "Figure", alt: str, made: str = "") -> "HTML":
    """The figure as inline SVG for both themes; `alt` says in a sentence what it shows, `made` how it was made."""
    from IPython.display import HTML

    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    label = f'class="themed" role="img" aria-label="{html.escape(alt)}"'
    return HTML(svg.replace("<svg", f"<svg {label}", 1) + footnote(made))


def table(frame: pd.DataFrame, made: str = "", decimals: int = 2) -> "HTML":
    """A data frame as the book's tables look, scrollable on a phone; `made` says how it was made."""
    from IPython.display import HTML

    body = frame.rename(index=NAMES).to_html(
        border=0, float_format=f"%.{decimals}f", na_rep="–", index_names=False, escape=False
    )
    return HTML(f'<div class="themed scroll">{body}</div>{footnote(made)}')


def footnote(made: str) -> str:
    return f'<p class="themed made">{html.escape(made)}</p>' if made else ""


def side_by_side(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row for each (approach, order) of Table 1, one column a source, "mean ± std [interval]" in %.

    `tables` gives for each source (the paper, this build) rows of approach, policy, mean, std and, where there is
    one, the interval low ... high, as fractions.
    """
    columns = {}
    for source, table in tables.items():
        for row in table.sort_values("policy", ascending=False, kind="stable").itertuples():
            text = f"{100 * row.mean:.2f} ± {100 * row.std:.2f}"
            if pd.notna(getattr(row, "low", None)):
                text += f"<br><small>[{100 * row.low:.1f}, {100 * row.high:.1f}]</small>"
            columns.setdefault(source, {})[NAMES[row.approach], row.policy] = text
    wide = pd.DataFrame(columns)
    return wide.loc[sorted(wide.index, key=lambda index: list(NAMES.values()).index(index[0]))]


@styled
def dumbbells(tables: Mapping[str, pd.DataFrame], chance: Mapping[str, float]) -> "Figure":
    """Top-1 in sequence (filled) and in arbitrary order (ring), one panel a source; a dashed line marks chance."""
    figure, panels = new(4.8, 2.2, len(tables), sharey=True, squeeze=False)
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
        panel.set_yticks(range(len(means)), [NAMES[name] for name in table["approach"].unique()])
        panel.spines["left"].set_visible(False)
        panel.tick_params(left=False)
    panels[0][0].set_ylim(len(means) - 0.5, -0.5)
    return figure


@styled
def by_order(accuracies: pd.DataFrame, chance: float) -> "Figure":
    """Top-1 of every drawn order: a dot for each (order, seed), a bar at the mean, one column an approach."""
    figure, axes = new()
    axes.axhline(100 * chance, color=INK, linewidth=0.8, linestyle="--", alpha=0.6)
    approaches = accuracies["approach"].unique()
    axes.text(len(approaches) - 0.55, 100 * chance + 1.5, "chance", fontsize=8.5, ha="right")
    for place, approach in enumerate(approaches):
        group = accuracies[accuracies["approach"] == approach]
        seeds = group["seed"].nunique()
        across = place + (group["seed"] - (seeds - 1) / 2) * 0.5 / seeds  # one thin column a seed
        axes.plot(across, 100 * group["top1"], "o", color=COLOURS[approach], markersize=3, alpha=0.55,
                  markeredgewidth=0)  # fmt: skip
        axes.hlines(100 * group["top1"].mean(), place - 0.36, place + 0.36, color=INK, linewidth=2)
    axes.set_xticks(range(len(approaches)), [NAMES[name].replace("-", "-\n") for name in approaches])
    axes.set(ylabel="top-1 accuracy, %", ylim=(0, 102), xlim=(-0.5, len(approaches) - 0.5))
    axes.tick_params(bottom=False)
    return figure


@styled
def learning_curves(histories: pd.DataFrame) -> "Figure":
    """Selection top-1 and cross-entropy against the training step: a thin line a seed, a thick one their mean."""
    figure, panels = new(columns=2)
    measures = {"selection_top1": (100, "top-1 accuracy, %"), "selection_loss": (1, "cross-entropy, nats")}
    for panel, (measure, (scale, label)) in zip(panels, measures.items(), strict=True):
        for approach, group in histories.groupby("approach", sort=False):
            curves = scale * group.pivot(index="step", columns="seed", values=measure)
            panel.plot(curves, color=COLOURS[approach], linewidth=0.8, alpha=0.4)
            panel.plot(curves.mean(axis=1), color=COLOURS[approach], linewidth=2.2, label=NAMES[approach])
        panel.set(xlabel="training step", ylabel=label)
        panel.set_ylim(bottom=0)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


@styled
def by_distance(accuracies: pd.DataFrame, chance: float) -> "Figure":
    """Top-1 (mean over the seeds) of each order against its Kendall tau distance from the original order."""
    figure, axes = new()
    axes.axhline(100 * chance, color=INK, linewidth=0.8, linestyle="--", alpha=0.6)
    for approach, group in accuracies.groupby("approach", sort=False):
        means = group.groupby("order")[["inversions", "top1"]].mean()
        axes.plot(means["inversions"], 100 * means["top1"], "o", color=COLOURS[approach], markersize=5, alpha=0.75,
                  label=NAMES[approach], markeredgewidth=0)  # fmt: skip
    axes.set(
        xlabel="pairs of layers out of order (Kendall tau distance)",
        ylabel="top-1 accuracy, %",
        ylim=(0, 102),
    )
    figure.legend(loc="outside upper center", ncols=2)
    return figure
