"""Claims of the paper as statements (see `pages.statements`). The bounds say what its words mean here; those of
sub-models were fixed before these networks were trained, but after a trial."""

from collections.abc import Mapping, Sequence

import pandas as pd

from lsnotebook.core.statistics import ratio
from lsnotebook.pages.statements import Bounds, Claim, Statement, judged
from lsnotebook.sortednet import paper
from lsnotebook.sortednet.approaches import BOTH, DEPTH, ORDINARY
from lsnotebook.sortednet.convolution_profiles import MINI, ConvolutionStudy
from lsnotebook.sortednet.convolution_records import recorded
from lsnotebook.sortednet.convolution_tables import gain
from lsnotebook.sortednet.grids import by_seed, grids
from lsnotebook.sortednet.neurons import NEURONS, accuracies, by_network
from lsnotebook.sortednet.profiles import SortedStudy

MORE = Bounds("the table says which is more, not by how much", above=0)
PAR = Bounds("on a par: 5 points, as in the first part of the book", above=-5, below=5)
NETWORKS = ("networks",)
KEPT = Bounds("“at least 96 % of the original model's performance” (abstract)", above=96)
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


def submodels(table: pd.DataFrame, layers: int, heads: int) -> Mapping[str, tuple[Claim, Sequence[Statement]]]:
    """The claims on sub-models (Figure 2) on `grids.grids` of the ordinary network and of those sorted in depth and in
    both. The paper's are of MobileNetV2 on CIFAR-10."""
    ordinary, depth, both = ORDINARY.name, DEPTH.name, BOTH.name
    shorter, full = f"layers < {layers} and heads == {heads}", f"layers == {layers} and heads == {heads}"
    published = paper.figure2()
    blocks, whole = published.loc[: len(published) - 1], published.loc[len(published)]
    gain = by_seed(table, depth, "top1", shorter) - by_seed(table, ordinary, "retuned", shorter)
    every = by_seed(table, both) - by_seed(table, ordinary, "retuned")
    kept = ratio(by_seed(table, both, "top1", full)[:, None], by_seed(table, ordinary, "top1", full))[:, 0]
    claims = {
        "S5": (
            "Sorted in depth, the first layers do more than those of an ordinary network whose classifier is retuned.",
            Statement(
                "points more, mean of all shorter networks",
                gain,
                MORE,
                (blocks["depth only"] - blocks["baseline"]).mean(),
                NETWORKS,
            ),
        ),
        "S6": (
            "Sorted in depth and width, sub-models do more than those of an ordinary network, its classifier retuned.",
            Statement("points more, mean of all sub-models", every, MORE, None, NETWORKS),
        ),
        "S7": (
            "Sorted in depth and width, the whole network keeps at least 96 % of the ordinary one's accuracy.",
            Statement(
                "share of the ordinary network's accuracy, %",
                100 * kept,
                KEPT,
                100 * whole["100"] / whole["baseline"],
                NETWORKS,
            ),
        ),
    }
    page, figure = "10_sorted_submodels", "figure-grid"
    return {name: (Claim(text, page, figure), [statement]) for name, (text, statement) in claims.items()}


def accumulation(rows: pd.DataFrame, study: ConvolutionStudy) -> Mapping[str, tuple[Claim, Sequence[Statement]]]:
    """The claims of Tables 5 and 6 on `convolution_runs.accumulated`; their bounds were fixed before
    the first recorded network was finished. With as many updates, more batches an update are also more data."""
    if rows.empty:
        return {}
    first, *_, last = study.accumulations
    texts = {
        "updates": "With as many updates, accumulating the gradients of more sub-models helps (Table 5).",
        "data": "With as much data, accumulating the gradients of more sub-models helps (Table 6).",
    }
    figures, found = {"updates": "table-cifar-updates", "data": "table-cifar-accumulation"}, {}
    for name, (way, text) in zip(("S10", "S11"), texts.items(), strict=True):
        theirs = paper.accumulated(way)["average"]
        quantity = f"points more with {last} batches an update than with {first}, mean of the widths"
        statement = Statement(quantity, gain(rows, study, way), MORE, theirs[last] - theirs[first], NETWORKS)
        found[name] = Claim(text, "10b_sorted_convolutions", figures[way]), [statement]
    return found


def check(profile: SortedStudy) -> pd.DataFrame:
    """The statements of all claims of this part, as `pages.statements.judged` gives them; those of Tables 5 and 6
    are judged on the recorded training, where there is one."""
    table = grids(profile, (ORDINARY, DEPTH, BOTH))
    size = profile.backbone.layers, profile.backbone.heads
    convolutions = accumulation(recorded(MINI)[0], MINI)
    return judged({**neurons(accuracies(200)), **submodels(table, *size), **convolutions})
