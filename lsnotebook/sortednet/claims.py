"""Claims of the paper as statements (see `pages.statements`). The bounds say what its words mean here."""

from collections.abc import Mapping, Sequence

import pandas as pd

from lsnotebook.pages.statements import Bounds, Claim, Statement
from lsnotebook.sortednet import paper
from lsnotebook.sortednet.neurons import NEURONS, by_network

MORE = Bounds("the table says which is more, not by how much", above=0)
PAR = Bounds("on a par: 5 points, as in the first part of the book", above=-5, below=5)
NETWORKS = ("networks",)
NEURON_PAGE, NEURON_FIGURE = "09_sorted_neurons", "figure-neurons"


def neurons(table: pd.DataFrame) -> Mapping[str, tuple[Claim, Sequence[Statement]]]:
    """The claims of D.6 on `neurons.accuracies`."""
    there = {
        (approach, order): by_network(table, approach, order)
        for approach in ("ordinary", "sorted")
        for order in ("target", "reverse")
    }
    published = {cell: paper.mean9(*cell) for cell in there}

    def points(one: tuple[str, str], other: tuple[str, str], what: str) -> Statement:
        return Statement(what, there[one] - there[other], MORE, published[one] - published[other], NETWORKS)

    full = {name: by_network(table, name, "target", NEURONS) for name in ("ordinary", "sorted")}
    whole = paper.table9().loc[("target", NEURONS)]
    orders = [("sorted", "target"), ("sorted", "reverse"), ("ordinary", "target"), ("ordinary", "reverse")]
    claims = {
        "S1": (
            "The first neurons of a sorted network do more than its last ones.",
            [points(orders[0], orders[1], "points more with the first neurons, mean of 1 to 9")],
        ),
        "S2": (
            "The first neurons of a sorted network do more than those of an ordinary one.",
            [points(orders[0], orders[2], "points more than the ordinary network, mean of 1 to 9")],
        ),
        "S3": (
            "All ten neurons of a sorted network are on a par with those of an ordinary one.",
            [
                Statement(
                    "points of difference with all ten neurons",
                    full["sorted"] - full["ordinary"],
                    PAR,
                    whole["sorted"] - whole["ordinary"],
                    NETWORKS,
                )
            ],
        ),
        "S4": (
            "An ordinary network is better with its last neurons than with its first (as in Table 9).",
            [points(orders[3], orders[2], "points more with the last neurons, mean of 1 to 9")],
        ),
    }
    return {name: (Claim(text, NEURON_PAGE, NEURON_FIGURE), parts) for name, (text, parts) in claims.items()}
