"""The figures of sorted decoders, from `language_measures.by_depth`."""

import pandas as pd
from matplotlib.figure import Figure

from lsnotebook.core.statistics import crossed
from lsnotebook.pages.style import new, styled
from lsnotebook.sortednet.language import ORDINARY, SORTED
from lsnotebook.sortednet.neuron_figures import COLOURS, MARKERS


def curve(panel, depths: pd.DataFrame, kind: str, measure: str, scale: float = 1.0) -> None:
    """The mean over the networks at each depth, and its 95 % interval."""
    wide = scale * depths[depths["approach"] == kind].pivot(index="layers", columns="seed", values=measure)
    mean, low, high = zip(*(crossed(row) for row in wide.to_numpy()), strict=True)
    panel.fill_between(wide.index, low, high, color=COLOURS[kind], alpha=0.2, linewidth=0)
    panel.plot(wide.index, mean, color=COLOURS[kind], marker=MARKERS[kind], markersize=4.5, label=kind)


@styled
def by_depth(depths: pd.DataFrame) -> Figure:
    """Bits a byte, and the share of drafted tokens that the whole network would not have written, against depth."""
    figure, [[loss, draft]] = new(4.8, 2.9, columns=2, sharex=True)
    shorter = depths[depths["layers"] < depths["layers"].max()]
    for kind in (ORDINARY, SORTED):
        curve(loss, depths, kind, "bits")
        curve(draft, shorter.assign(rejected=1 - shorter["agrees"]), kind, "rejected", 100)
    loss.set(title="loss", ylabel="bits a byte")
    draft.set(title="next token as a draft", ylabel="rejected, %", ylim=(0, None))
    for panel in (loss, draft):
        panel.set(xlabel="layers", xticks=range(1, depths["layers"].max() + 1))
    figure.legend(*loss.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


@styled
def beside(depths: pd.DataFrame, published: pd.DataFrame) -> Figure:
    """The share of correct answers by depth: the paper's RoBERTa on GLUE, and our decoders' next tokens."""
    figure, [[paper, ours]] = new(4.8, 2.9, columns=2)
    for kind, column in ((ORDINARY, "average without"), (SORTED, "average")):
        paper.plot(published[column], color=COLOURS[kind], marker=MARKERS[kind], markersize=4.5, label=kind)
        curve(ours, depths, kind, "top1", 100)
    paper.set(title="paper: RoBERTa, GLUE", ylabel="average score", xticks=range(2, 13, 2))
    ours.set(title="ours: next token", ylabel="predicted correctly, %", xticks=range(1, depths["layers"].max() + 1))
    for panel in (paper, ours):
        panel.set(xlabel="layers", ylim=(0, None))
    figure.legend(*paper.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure
