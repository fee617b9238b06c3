"""Claims of the paper as statements (see `pages.statements`). The bounds say what its words mean here; those of
sub-models were fixed before these networks were trained, but after a trial, and those of accumulation (S10, S11) before
the first recorded network was finished."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd

from lsnotebook.core.statistics import ratio
from lsnotebook.pages.statements import Bounds, Claim, Statement, judged
from lsnotebook.sortednet import language_views, paper
from lsnotebook.sortednet.approaches import BOTH, DEPTH, ORDINARY
from lsnotebook.sortednet.convolution_profiles import MINI, ConvolutionStudy
from lsnotebook.sortednet.convolution_records import recorded
from lsnotebook.sortednet.convolution_views import gain
from lsnotebook.sortednet.grid_tables import at
from lsnotebook.sortednet.grids import by_seed, grids
from lsnotebook.sortednet.language import SORTED
from lsnotebook.sortednet.language_measures import by_depth
from lsnotebook.sortednet.language_runs import scale_of, study
from lsnotebook.sortednet.neurons import NEURONS, accuracies, by_network
from lsnotebook.sortednet.profiles import SortedStudy
from lsnotebook.sortednet.speculation import drafts_of, speculation

MORE = Bounds("the table says which is more, not by how much", above=0)
PAR = Bounds("on a par: 5 points, as in the first part of the book", above=-5, below=5)
FASTER = Bounds("the table says that it is faster; time is this machine's", above=0)
KEPT = Bounds("96 %, about what the whole network keeps in Figure 2: a bound of ours", above=96)

CLAIMS = {
    "S1": "The first neurons of a sorted network do more than its last ones.",
    "S2": "The first neurons of a sorted network do more than those of an ordinary one.",
    "S3": "All ten neurons of a sorted network are on a par with those of an ordinary one.",
    "S4": "An ordinary network is better with its last neurons than with its first (as in Table 9).",
    "S5": "Sorted in depth, the first layers do more than those of an ordinary network whose classifier is retuned.",
    "S6": "Sorted in depth and width, sub-models do more than those of an ordinary network, its classifier retuned.",
    "S7": "Sorted in depth and width, the whole network keeps at least 96 % of the ordinary one's accuracy.",
    "S8": "Of a language model sorted in depth, the first layers do more than those of an ordinary one.",
    "S9": "Where the first layers of a sorted language model draft for all of them, a token takes less time.",
    "S10": "With as many updates, accumulating the gradients of more sub-models helps (Table 5).",
    "S11": "With as much data, accumulating the gradients of more sub-models helps (Table 6).",
}
NETWORKS = ("networks",)
Judged: TypeAlias = Mapping[str, tuple[Claim, Sequence[Statement]]]


def stated(page: str, figure: str, **statements: Statement) -> Judged:
    """Claims of one statement each, which a page looks at in a figure."""
    return {name: (Claim(CLAIMS[name], page, figure), [statement]) for name, statement in statements.items()}


def neurons(table: pd.DataFrame) -> Judged:
    """The claims of D.6 on `neurons.accuracies`."""
    first, last, ordinary, reverse = (
        (kind, order) for kind in ("sorted", "ordinary") for order in ("target", "reverse")
    )

    def more(quantity: str, one: tuple[str, str], other: tuple[str, str]) -> Statement:
        difference = by_network(table, *one) - by_network(table, *other)
        theirs = paper.mean9(*one) - paper.mean9(*other)
        return Statement(f"{quantity}, mean of 1 to 9", difference, MORE, theirs, NETWORKS)

    all_ten = [by_network(table, kind, "target", NEURONS) for kind in ("sorted", "ordinary")]
    published = paper.table9().loc[("target", NEURONS)]
    whole = published["sorted"] - published["ordinary"]
    return stated(
        "09_sorted_neurons",
        "figure-neurons",
        S1=more("points more with the first neurons", first, last),
        S2=more("points more than the ordinary network", first, ordinary),
        S3=Statement("points of difference with all ten neurons", all_ten[0] - all_ten[1], PAR, whole, NETWORKS),
        S4=more("points more with the last neurons", reverse, ordinary),
    )


def submodels(table: pd.DataFrame, layers: int, heads: int) -> Judged:
    """The claims on sub-models (Figure 2) on `grids.grids` of the ordinary network and of those sorted in depth and in
    both. The paper's are of MobileNetV2 on CIFAR-10."""
    shorter, published = f"layers < {layers} and heads == {heads}", paper.figure2()
    blocks, whole = published.iloc[:-1], published.iloc[-1]
    depth = by_seed(table, DEPTH.name, "top1", shorter) - by_seed(table, ORDINARY.name, "retuned", shorter)
    every = by_seed(table, BOTH.name) - by_seed(table, ORDINARY.name, "retuned")
    both, ordinary = (by_seed(table, one.name, "top1", at(layers, heads)) for one in (BOTH, ORDINARY))
    kept: np.ndarray = 100 * ratio(both[:, None], ordinary)[:, 0]
    share = 100 * whole["100"] / whole["baseline"]
    gain = (blocks["depth only"] - blocks["baseline"]).mean()
    return stated(
        "10_sorted_submodels",
        "figure-grid",
        S5=Statement("points more, mean of all shorter networks", depth, MORE, gain, NETWORKS),
        S6=Statement("points more, mean of all sub-models", every, MORE, None, NETWORKS),
        S7=Statement("share of the ordinary network's accuracy, %", kept, KEPT, share, NETWORKS),
    )


def decoders(depths: pd.DataFrame, speculative: pd.DataFrame) -> Judged:
    """The claims on language models (Tables 3 and 4) on `language_measures.by_depth` and `speculation.speculation` of
    sorted networks. The paper's are of RoBERTa on GLUE and of LLaMA-13B on GSM8K."""
    shorter = f"layers < {depths['layers'].max()}"
    more = by_seed(depths, "sorted", "top1", shorter) - by_seed(depths, "ordinary", "top1", shorter)
    table3, table4 = paper.table3().iloc[:-1], paper.table4()["stochastic ms"]
    gain = (table3["average"] - table3["average without"]).mean()
    speed_up = 100 * (table4["auto-regressive"].iloc[0] / table4["speculative"].min() - 1)
    faster = language_views.faster(speculative)
    first = Statement("points more of next tokens, mean of all shorter networks", more, MORE, gain, NETWORKS)
    drafting = Statement("more tokens in the same time, %", faster, FASTER, speed_up, ("networks", "prompts"))
    page = "12_sorted_language"
    return {**stated(page, "figure-beside", S8=first), **stated(page, "table-speculation", S9=drafting)}


def accumulation(rows: pd.DataFrame, study: ConvolutionStudy) -> Judged:
    """The claims of Tables 5 and 6 on `convolution_runs.accumulated`, none without rows. With as many updates, more
    batches an update are also more data."""
    first, *_, last = study.accumulations
    figures = {"S10": ("updates", "table-cifar-updates"), "S11": ("data", "table-cifar-accumulation")}
    found: dict = {}
    for name, (way, figure) in figures.items() if len(rows) else ():
        theirs = paper.accumulated(way)["average"]
        quantity = f"points more with {last} batches an update than with {first}, mean of the widths"
        statement = Statement(quantity, gain(rows, study, way), MORE, theirs[last] - theirs[first], NETWORKS)
        found |= stated("10b_sorted_convolutions", figure, **{name: statement})
    return found


def check(profile: SortedStudy) -> pd.DataFrame:
    """The statements of all claims of this part, as `pages.statements.judged` gives them; those of Tables 5 and 6
    are judged on the recorded training, where there is one."""
    scale = scale_of(profile.language)
    trained = study(scale)
    drafted = speculation([one for one in trained if one.kind == SORTED], drafts_of(scale.layers))
    grid = grids(profile, (ORDINARY, DEPTH, BOTH))
    return judged(
        {
            **neurons(accuracies(200)),
            **submodels(grid, profile.backbone.layers, profile.backbone.heads),
            **decoders(by_depth(trained), drafted),
            **accumulation(recorded(MINI)[0], MINI),
        }
    )
