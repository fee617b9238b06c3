"""The figures, tables and sentences of sorted neurons, Table 9 beside ours, from `neurons.accuracies`."""

import itertools

import numpy as np
import pandas as pd
import torch
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from torch import Tensor

from lsnotebook.core.randomness import stream
from lsnotebook.core.statistics import crossed
from lsnotebook.engine import provenance
from lsnotebook.pages.style import new, styled
from lsnotebook.pages.tables import percent, signed
from lsnotebook.sortednet import paper
from lsnotebook.sortednet.grid_figures import dashed
from lsnotebook.sortednet.intervals import accuracy, mean
from lsnotebook.sortednet.neurons import APPROACHES, NEURONS, ORDERS, Networks, by_network, first

COLOURS = {"ordinary": "#8a8a8a", "sorted": "#1a85cf"}
MARKERS = {"ordinary": "D", "sorted": "o"}
CLASSES = ListedColormap(["#1a85cf", "#d07c00", "#009e73", "#b5519f"])
RUNS = 5
"""Runs that a mean of the paper is of."""


def means_of_five(values: np.ndarray, purpose: str = "means of five") -> np.ndarray:
    """(2000,): means of five networks, drawn from these: what another paper could have found."""
    return stream(0, purpose).choice(values, (2_000, RUNS)).mean(1)


def cells(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each approach, order and number of neurons from 1 to 10: mean, low and high (the interval of the
    mean), std (over networks), paper and paper_sd, lowest and highest (between which 95 % of `means_of_five` lie)."""
    published, rows = paper.table9(), []
    for approach, order, neurons in itertools.product(APPROACHES, ORDERS, range(1, NEURONS + 1)):
        values, theirs = by_network(table, approach, order, neurons), published.loc[(order, neurons)]
        ours = [*crossed(values, (0, 100)), values.std(ddof=1)]
        range_of_means = np.percentile(means_of_five(values), [2.5, 97.5])
        rows.append([approach, order, neurons, *ours, theirs[approach], theirs[f"{approach} sd"], *range_of_means])
    columns = "approach order neurons mean low high std paper paper_sd lowest highest"
    return pd.DataFrame(rows, columns=columns.split())


def once(found: pd.DataFrame) -> pd.DataFrame:
    """All ten neurons are one cell of an approach, whatever their order."""
    return found[(found["order"] == ORDERS[0]) | (found["neurons"] < NEURONS)]


def beside(found: pd.DataFrame) -> pd.DataFrame:
    """Every row of Table 9: the paper's five runs, and ours with the range of means of five in brackets."""
    shown: dict[tuple[str, str], dict] = {}
    for row in once(found).itertuples():
        there = shown.setdefault(("all" if row.neurons == NEURONS else row.order, str(row.neurons)), {})
        there[row.approach, "paper"] = f"{row.paper:.1f} ± {row.paper_sd:.1f}"
        there[row.approach, "ours"] = f"{row.mean:.1f} ± {row.std:.1f} [{row.lowest:.1f}, {row.highest:.1f}]"
    return pd.DataFrame.from_dict(shown, orient="index")


def averages(table: pd.DataFrame) -> pd.DataFrame:
    """The rows "avg": means over 1 to 9 neurons, ours with their interval over networks."""
    shown = {}
    for approach in APPROACHES:
        shown[approach, "paper"] = [f"{paper.mean9(approach, order):.1f}" for order in ORDERS]
        shown[approach, "ours"] = [accuracy(by_network(table, approach, order)) for order in ORDERS]
    return pd.DataFrame(shown, index=[f"1 to 9, {order}" for order in ORDERS])


def distance(found: pd.DataFrame) -> float:
    """The mean distance of our means from the paper's 38 cells, in points."""
    return once(found).eval("abs(mean - paper)").mean()


def agreement(found: pd.DataFrame, networks: int) -> str:
    """How near the paper's cells are to ours."""
    there = once(found)
    below, above = (there["paper"] < there["lowest"]).sum(), (there["paper"] > there["highest"]).sum()
    return (
        f"**We got**, over {networks} networks, means that differ from the paper's by {distance(found):.1f} points on "
        f"average over {len(there)} cells. Of the paper's means, {len(there) - below - above} lie in the range of 95 % "
        f"of our means of five, {below} below it and {above} above it."
    )


def few(table: pd.DataFrame) -> str:
    """Sub-networks of few neurons, sorted and ordinary."""
    parts = []
    for neurons in (1, 2, 3):
        pair = (by_network(table, approach, "target", neurons).mean() for approach in ("sorted", "ordinary"))
        parts.append(f"{neurons}: " + " against ".join(percent(value / 100) for value in pair))
    return "The first neurons alone, sorted against ordinary, reach " + "; ".join(parts) + "."


def symmetry(table: pd.DataFrame) -> str:
    """Why an ordinary network cannot be better in one order."""
    difference = by_network(table, "ordinary", "reverse") - by_network(table, "ordinary", "target")
    low, high = np.percentile(means_of_five(difference), [2.5, 97.5])
    theirs = paper.mean9("ordinary", "reverse") - paper.mean9("ordinary", "target")
    as_far = float(np.mean(np.abs(means_of_five(difference, "chance")) >= abs(theirs)))
    return (
        f"In the paper's table the ordinary network is {theirs:.1f} points better with its last neurons than with its "
        f"first. Ours is {mean(difference)} points over {len(difference)} networks; of the means of five networks, "
        f"95 % lie between {signed(f'{low:.1f}')} and {signed(f'{high:.1f}')} points, and {percent(as_far)} are at "
        f"least as far from zero as the paper's."
    )


def momentum(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """What it changes which neurons a step moves, sorted networks: means over 1 to 9, and all ten."""
    names, shown = {"drawn": "the drawn neurons (Algorithm 1)", "all": "all (momentum too)"}, {}
    for update, table in tables.items():
        parts = {f"1 to 9, {order}": by_network(table, "sorted", order) for order in ORDERS}
        parts["all 10"] = by_network(table, "sorted", "target", NEURONS)
        shown[names[update]] = {what: accuracy(values) for what, values in parts.items()}
    return pd.DataFrame(shown).T.rename_axis("a step moves")


def moved(tables: dict[str, pd.DataFrame]) -> str:
    """The differences that momentum everywhere makes, network by network: both kinds begin alike and see the same."""
    target, reverse = (
        mean(by_network(tables["all"], "sorted", order) - by_network(tables["drawn"], "sorted", order))
        for order in ORDERS
    )
    return (
        f"**We got**, with momentum everywhere in place of Algorithm 1's update, {target} points of difference with "
        f"the first neurons (mean of 1 to 9), and {reverse} with the last."
    )


def fits(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """By activation: how far our means are from the paper's cells."""
    return pd.DataFrame({name: {"mean distance, points": distance(cells(table))} for name, table in tables.items()}).T


def origin(**given: object) -> str:
    """How the figures of the page came to be."""
    made = provenance.provenance(torch.device("cpu"))
    return (
        f"{given['networks']} networks of each kind, trained together on {made['device']} ({made['machine']}, torch "
        f"{made['torch']}). {provenance.again('09_sorted_neurons', **given)}"
    )


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
    everywhere = [networks(grid.expand(size, -1, -1), first(count).expand(size, -1))[0] for count in counts]
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
