"""The figures of sorted neurons, each from data that are given; the regions are computed from a network."""

import numpy as np
import pandas as pd
import torch
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from torch import Tensor

from lsnotebook.pages.style import new, styled
from lsnotebook.sortednet.grid_figures import dashed
from lsnotebook.sortednet.neurons import ORDERS, Networks, first

COLOURS = {"ordinary": "#8a8a8a", "sorted": "#1a85cf"}
MARKERS = {"ordinary": "D", "sorted": "o"}
CLASSES = ListedColormap(["#1a85cf", "#d07c00", "#009e73", "#b5519f"])


@styled
def by_neurons(found: pd.DataFrame) -> Figure:
    """Accuracy against the number of neurons, a panel an order: ours with its standard deviation over networks, and the
    paper's means."""
    figure, [panels] = new(4.8, 2.9, columns=2, sharey=True)
    for panel, order in zip(panels, ORDERS, strict=True):
        for approach, colour in COLOURS.items():
            rows = found.query("approach == @approach and order == @order").set_index("neurons")
            low, high = rows["mean"] - rows["std"], (rows["mean"] + rows["std"]).clip(upper=100)
            panel.fill_between(rows.index, low, high, color=colour, alpha=0.2, linewidth=0)
            panel.plot(rows["mean"], color=colour, marker=MARKERS[approach], markersize=4, label=f"{approach}, ours")
            panel.plot(rows["paper"], MARKERS[approach], color=colour, markersize=7, fillstyle="none",
                       label=f"{approach}, paper")  # fmt: skip
        title = "the first neurons (target)" if order == "target" else "the last neurons (reverse)"
        dashed(panel, 25, "chance")
        panel.set(title=title, xlabel="neurons that run", ylim=(0, 102), xticks=range(1, 11, 3))
    panels[0].set_ylabel("top-1 accuracy, %")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


@torch.no_grad()
def regions(networks: Networks, counts: tuple[int, ...], span: float, steps: int = 60) -> list[np.ndarray]:
    """The class (steps, steps) that the first network gives to each place, with so many of its first neurons."""
    line = torch.linspace(-span, span, steps)
    grid = torch.cartesian_prod(line, line)[None]  # (1, steps², 2), x first
    size = len(networks.inner)
    everywhere = [networks(grid.expand(size, -1, -1), first(torch.full((size,), count)))[0] for count in counts]
    return [logits.argmax(-1).reshape(steps, steps).T.numpy() for logits in everywhere]


@styled
def maps(trained: dict[str, Networks], where: Tensor, classes: Tensor, counts: tuple[int, ...]) -> Figure:
    """What the sub-networks of one network of each kind decide, over the points that they were trained on."""
    span = float(where.abs().max())
    figure, rows = new(4.8, 2.9, len(trained), len(counts), sharex=True, sharey=True)
    for panel, count in zip(rows[0], counts, strict=True):
        panel.set_title(f"{count} neuron{'s' * (count > 1)}")
    for row, (name, networks) in zip(rows, trained.items(), strict=True):
        for panel, image in zip(row, regions(networks, counts, span), strict=True):
            panel.imshow(image, cmap=CLASSES, vmin=0, vmax=3, alpha=0.35, origin="lower",
                         extent=(-span, span, -span, span), interpolation="nearest")  # fmt: skip
            panel.scatter(*where.T, c=classes, cmap=CLASSES, vmin=0, vmax=3, s=1, linewidths=0, rasterized=True)
            panel.set(xticks=[], yticks=[], aspect="equal")
        row[0].set_ylabel(name)
    return figure
