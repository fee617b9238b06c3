"""Table 9 beside ours, and sentences about it, from `neurons.accuracies`."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from lsnotebook.core.randomness import stream
from lsnotebook.core.statistics import crossed
from lsnotebook.engine import provenance
from lsnotebook.pages.tables import as_text, percent, signed
from lsnotebook.sortednet import paper
from lsnotebook.sortednet.neurons import NEURONS, ORDERS, by_network

APPROACHES = ("ordinary", "sorted")
RUNS = 5
"""Runs that a mean of the paper is of."""


def cells(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each approach, order and number of neurons from 1 to 10: mean, std (over networks), low and high (the
    interval of the mean), paper and paper_sd, lowest and highest (see `means_of_five`)."""
    published, rows = paper.table9(), []
    for approach in APPROACHES:
        for order in ORDERS:
            for neurons in range(1, NEURONS + 1):
                values, theirs = by_network(table, approach, order, neurons), published.loc[(order, neurons)]
                rows.append(
                    {
                        "approach": approach,
                        "order": order,
                        "neurons": neurons,
                        **dict(zip(("mean", "low", "high"), crossed(values), strict=True)),
                        "std": values.std(ddof=1),
                        "paper": theirs[approach],
                        "paper_sd": theirs[f"{approach} sd"],
                        **dict(zip(("lowest", "highest"), means_of_five(values), strict=True)),
                    }
                )
    return pd.DataFrame(rows)


def means_of_five(values: np.ndarray) -> tuple[float, float]:
    """Between which 95 % of the means of five networks lie, drawn from these: what another paper could have found."""
    draws = stream(0, "means of five").choice(values, (2_000, RUNS)).mean(1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)


def beside(found: pd.DataFrame) -> pd.DataFrame:
    """Every row of Table 9: the paper's five runs, and ours with the range of means of five in brackets."""
    shown: dict[tuple[str, str], dict] = {}
    for row in once(found).itertuples():
        order = "all" if row.neurons == NEURONS else row.order
        cells = shown.setdefault((order, str(row.neurons)), {})
        cells[row.approach, "paper"] = f"{row.paper:.1f} ± {row.paper_sd:.1f}"
        cells[row.approach, "ours"] = f"{row.mean:.1f} ± {row.std:.1f} [{row.lowest:.1f}, {row.highest:.1f}]"
    return pd.DataFrame.from_dict(shown, orient="index")


def averages(table: pd.DataFrame) -> pd.DataFrame:
    """The rows "avg": means over 1 to 9 neurons, ours with their interval over networks."""
    return pd.DataFrame(
        {
            (approach, source): [text(table, approach, order) for order in ORDERS]
            for approach in APPROACHES
            for source, text in (("paper", lambda _, *cell: f"{paper.mean9(*cell):.1f}"), ("ours", average))
        },
        index=[f"1 to 9, {order}" for order in ORDERS],
    )


def average(table: pd.DataFrame, approach: str, order: str) -> str:
    return as_text(*crossed(by_network(table, approach, order)), " %")


def distance(found: pd.DataFrame) -> float:
    """The mean distance of our means from the paper's 38 cells, in points; all ten neurons are one cell an approach."""
    return once(found).eval("abs(mean - paper)").mean()


def once(found: pd.DataFrame) -> pd.DataFrame:
    return found[(found["order"] == ORDERS[0]) | (found["neurons"] < NEURONS)]


def agreement(found: pd.DataFrame, networks: int) -> str:
    """How near the paper's cells are to ours."""
    there = once(found)
    below, above = (there["paper"] < there["lowest"]).sum(), (there["paper"] > there["highest"]).sum()
    return (
        f"**We got**, over {networks} networks, means that differ from the paper's by {distance(found):.1f} points on "
        f"average over {len(there)} cells. Of the paper's means, {len(there) - below - above} lie in the range of 95 % "
        f"of our means of five, {below} below it and {above} above it."
    )


def symmetry(table: pd.DataFrame) -> str:
    """Why an ordinary network cannot be better in one order."""
    difference = by_network(table, "ordinary", "reverse") - by_network(table, "ordinary", "target")
    found = as_text(*crossed(difference))
    five = means_of_five(difference)
    paper_says = paper.mean9("ordinary", "reverse") - paper.mean9("ordinary", "target")
    chance = np.mean(np.abs(stream(0, "chance").choice(difference, (2_000, RUNS)).mean(1)) >= abs(paper_says))
    return (
        f"In the paper's table the ordinary network is {paper_says:.1f} points better with its last neurons than with "
        f"its first. Ours is {found} points over {len(difference)} networks; of the means of five networks, 95 % lie "
        f"between {signed(f'{five[0]:.1f}')} and {signed(f'{five[1]:.1f}')} points, and {percent(float(chance))} are "
        f"at least as far from zero as the paper's."
    )


def momentum(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """What it changes which neurons a step moves, sorted networks: means over 1 to 9, and all ten."""
    names = {"drawn": "the drawn neurons (Algorithm 1)", "all": "all (momentum too)"}
    return pd.DataFrame(
        {
            names[update]: {
                **{f"1 to 9, {order}": average(table, "sorted", order) for order in ORDERS},
                "all 10": as_text(*crossed(by_network(table, "sorted", "target", NEURONS)), " %"),
            }
            for update, table in tables.items()
        }
    ).T.rename_axis("a step moves")


def moved(tables: dict[str, pd.DataFrame]) -> str:
    """The differences that momentum everywhere makes, network by network: both kinds begin alike and see the same."""
    change = {
        order: as_text(
            *crossed(by_network(tables["all"], "sorted", order) - by_network(tables["drawn"], "sorted", order))
        )
        for order in ORDERS
    }
    return (
        f"**We got**, with momentum everywhere in place of Algorithm 1's update, {change['target']} points of "
        f"difference with the first neurons (mean of 1 to 9), and {change['reverse']} with the last."
    )


def fits(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """By activation: how far our means are from the paper's cells."""
    return pd.DataFrame({name: {"mean distance, points": distance(cells(table))} for name, table in tables.items()}).T


def few(table: pd.DataFrame, counts: Sequence[int] = (1, 2, 3)) -> str:
    """Sub-networks of few neurons, sorted and ordinary."""
    parts = []
    for neurons in counts:
        two = (by_network(table, approach, "target", neurons).mean() for approach in ("sorted", "ordinary"))
        parts.append(f"{neurons}: " + " against ".join(percent(value / 100) for value in two))
    return "The first neurons alone, sorted against ordinary, reach " + "; ".join(parts) + "."


def origin(**given: object) -> str:
    """How the figures of the page came to be."""
    made = provenance.provenance(torch.device("cpu"))
    return (
        f"{given['networks']} networks of each kind, trained together on {made['device']} ({made['machine']}, torch "
        f"{made['torch']}). {provenance.again('09_sorted_neurons', **given)}"
    )
