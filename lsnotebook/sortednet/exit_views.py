"""The figures, tables and sentences of early exit, from `exits`."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from lsnotebook.pages.style import new, styled
from lsnotebook.pages.tables import percent
from lsnotebook.sortednet.grid_figures import COLOURS, MARKERS, dashed
from lsnotebook.sortednet.intervals import accuracy, mean


@styled
def by_layers(curves: pd.DataFrame, fixed: pd.DataFrame, titles: Mapping[str, str], chance: float) -> Figure:
    """Accuracy against the mean layers run, the mean over the networks: lines, leaving when sure; dots, as many layers
    for every image."""
    figure, [[axes]] = new(4.8, 3.3)
    for approach, title in titles.items():
        line = curves[curves["approach"] == approach].groupby("threshold")[["layers", "top1"]].mean()
        axes.plot(line["layers"], 100 * line["top1"], color=COLOURS[approach], label=title)
        dots = 100 * fixed[fixed["approach"] == approach].groupby("layers")["top1"].mean()
        axes.plot(dots, MARKERS[approach], color=COLOURS[approach], markersize=4, fillstyle="none")
    dashed(axes, 100 * chance, "chance")
    axes.set(xlabel="mean layers run", ylabel="top-1 accuracy, %", ylim=(0, 102))
    figure.legend(loc="outside upper center", ncols=2)
    return figure


@styled
def rejections(fixed: pd.DataFrame, titles: Mapping[str, str]) -> Figure:
    """The share of images whose answer after so many layers is not the whole network's, the mean over the networks."""
    figure, [[axes]] = new(4.8, 2.6)
    for approach, title in titles.items():
        share = 100 * (1 - fixed[fixed["approach"] == approach].groupby("layers")["agrees"].mean())
        axes.plot(share, color=COLOURS[approach], marker=MARKERS[approach], markersize=4.5, label=title)
    axes.set(xlabel="layers of the draft", ylabel="answers rejected, %", ylim=(0, None))
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def chosen(found: pd.DataFrame, titles: Mapping[str, str], layers: int) -> pd.DataFrame:
    """Each approach, of so many layers, at the thresholds that were chosen."""
    rows = {}
    for approach, title in titles.items():
        there = found[found["approach"] == approach].sort_values("seed")
        low, high = there["threshold"].min(), there["threshold"].max()
        rows[title] = {
            "threshold": f"{low:g}" if low == high else f"{low:g} to {high:g}",
            "mean layers run": mean(there["layers"], limits=(1, layers)),
            "top-1": accuracy(100 * there["top1"]),
            "all layers": accuracy(100 * there["full"]),
            "points lost": mean(100 * (there["full"] - there["top1"])),
        }
    return pd.DataFrame(rows).T


def measured_time(times: Mapping[str, float], layers: int) -> str:
    """The speed-up in layers, and in measured time."""
    return (
        f"One by one, on this machine, an image takes {1000 * times['whole']:.1f} ms with all {layers} layers, and "
        f"{1000 * times['early']:.1f} ms when it may leave early, after {times['layers']:.1f} layers on average: "
        f"that is {percent(times['early'] / times['whole'], 0)} of the time, and "
        f"{percent(times['layers'] / layers, 0)} of the layers. "
        "Asking the classifier after every layer takes time, too, and so do the embeddings, which all images need."
    )
