"""Claims of the paper as statements (see `pages.statements`). The bounds say what its words mean here; those of
sub-models were fixed before these networks were trained, but after a trial."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lsnotebook.core.statistics import ratio
from lsnotebook.pages.statements import Bounds, Claim, Statement, judged
from lsnotebook.sortednet import language_tables, paper
from lsnotebook.sortednet.approaches import BOTH, DEPTH, ORDINARY
from lsnotebook.sortednet.convolution_profiles import MINI, ConvolutionStudy
from lsnotebook.sortednet.convolution_records import recorded
from lsnotebook.sortednet.convolution_tables import gain
from lsnotebook.sortednet.grids import by_seed, grids
from lsnotebook.sortednet.language import ORDINARY as ORDINARY_DECODER
from lsnotebook.sortednet.language import SORTED
from lsnotebook.sortednet.language_measures import by_depth
from lsnotebook.sortednet.language_runs import scale_of, study
from lsnotebook.sortednet.neurons import NEURONS, accuracies, by_network
from lsnotebook.sortednet.profiles import SortedStudy
from lsnotebook.sortednet.speculation import drafts_of, speculation

MORE = Bounds("the table says which is more, not by how much", above=0)
PAR = Bounds("on a par: 5 points, as in the first part of the book", above=-5, below=5)
FASTER = Bounds("the table says that it is faster; time is this machine's", above=0)
NETWORKS = ("networks",)
KEPT = Bounds("96 %, about what the whole network keeps in Figure 2: a bound of ours", above=96)
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


def decoders(depths: pd.DataFrame, speculative: pd.DataFrame) -> Mapping[str, tuple[Claim, Sequence[Statement]]]:
    """The claims on language models (Tables 3 and 4) on `language_measures.by_depth` and `speculation.speculation` of
    sorted networks. The paper's are of RoBERTa on GLUE and of LLaMA-13B on GSM8K."""
    shorter = f"layers < {depths['layers'].max()}"
    gain: list[np.ndarray] = [
        100 * language_tables.by_seed(depths, kind, "top1", shorter) for kind in (SORTED, ORDINARY_DECODER)
    ]
    table3, table4 = paper.table3().iloc[:-1], paper.table4()["stochastic ms"]
    whole, drafted = table4["auto-regressive"].iloc[0], table4["speculative"].min()
    claims = {
        "S8": (
            "Of a language model sorted in depth, the first layers do more than those of an ordinary one.",
            "figure-beside",
            Statement(
                "points more of next tokens, mean of all shorter networks",
                gain[0] - gain[1],
                MORE,
                (table3["average"] - table3["average without"]).mean(),
                NETWORKS,
            ),
        ),
        "S9": (
            "Where the first layers of a sorted language model draft for all of them, a token takes less time.",
            "table-speculation",
            Statement(
                "more tokens in the same time, %",
                language_tables.faster(speculative),
                FASTER,
                100 * (whole / drafted - 1),
                ("networks", "prompts"),
            ),
        ),
    }
    page = "12_sorted_language"
    return {name: (Claim(text, page, figure), [one]) for name, (text, figure, one) in claims.items()}


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
    scale = scale_of(profile.language)
    trained = study(scale)
    drafted = speculation([one for one in trained if one.kind == SORTED], drafts_of(scale.layers))
    language = decoders(by_depth(trained), drafted)
    convolutions = accumulation(recorded(MINI)[0], MINI)
    return judged({**neurons(accuracies(200)), **submodels(table, *size), **language, **convolutions})
