"""Every claim of the paper as a check on a build.

A claim is one or several statements "this quantity lies above, below or between". Each is judged by a 95 % interval of
the quantity: it holds where the interval lies inside, does not hold where it lies outside, and cannot be told
otherwise. The bounds say what the paper's words mean here ("most", "on a par"); they were fixed before the results.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd

from lsnotebook import analysis, evaluation, merging, paper, pruning, runs
from lsnotebook.plots import NAMES
from lsnotebook.profiles import TABLE_1, Profile

VERDICTS = HOLDS, FAILS, UNTOLD = "holds", "does not hold", "cannot tell"
IMAGENET_CHANCE = 1 / 1000
PAR = 5.0
"""Points of top-1 within which two approaches are "on a par" or differ "only slightly"."""
FAR = 25.0
"""Points of top-1 that are "far above"."""
COLLAPSE = 25.0
"""A collapsed model keeps less than this share, in %, of its accuracy above chance."""


@dataclass(frozen=True)
class Statement:
    """A quantity (in % or points) that should lie above `above` and below `below`."""

    quantity: str
    sample: np.ndarray
    """One value for each network, order or merged model; the interval is of their mean."""
    above: float = -np.inf
    below: float = np.inf
    paper: float | None = None
    """The same quantity from the paper's numbers, where it gives them."""

    @property
    def value(self) -> float:
        return float(np.mean(self.sample))

    @cached_property
    def interval(self) -> tuple[float, float]:
        """95 % by Student's t."""
        return evaluation.interval(self.sample)

    @property
    def rule(self) -> str:
        if np.isfinite(self.above) and np.isfinite(self.below):
            bounds = f"between {self.above:.3g} and {self.below:.3g}"
        else:
            bounds = f"above {self.above:.3g}" if np.isfinite(self.above) else f"below {self.below:.3g}"
        return f"{self.quantity}: {bounds}"

    @property
    def verdict(self) -> str:
        low, high = self.interval
        if low > self.above and high < self.below:
            return HOLDS
        return FAILS if high <= self.above or low >= self.below else UNTOLD


@dataclass(frozen=True)
class Build:
    """What was measured on a profile, as the chapters show it by default."""

    profile: Profile

    @property
    def chance(self) -> float:
        return 1 / self.profile.data.classes

    @cached_property
    def table_1(self) -> pd.DataFrame:
        models = runs.study(self.profile, TABLE_1)
        return pd.concat([evaluation.accuracies(models, policy) for policy in ("sequential", "arbitrary")])

    @cached_property
    def pruned(self) -> pd.DataFrame:
        models = runs.study(self.profile, ["layershuffle", "layerdrop", "baseline"])
        depths = [*self.profile.depths, self.profile.backbone.layers]
        refined = pruning.refined_accuracies(self.profile, self.profile.depths, self.profile.seeds)
        return pd.concat([pruning.pruned_accuracies(models, depths), refined])

    @cached_property
    def middle_layer(self) -> int:
        return self.profile.backbone.layers // 2

    def sources(self, approach: str) -> list[runs.Run]:
        return runs.study(self.profile, [approach], self.profile.sources)

    def top1(self, approach: str, policy: str) -> np.ndarray:
        """Table 1: one value (in %) for each seed, the mean over the orders."""
        return self._of(self.table_1, approach, policy)

    def depth(self, approach: str, policy: str, layers: int) -> np.ndarray:
        """Figures 1b and 1c: one value (in %) for each seed."""
        return self._of(self.pruned.query("layers == @layers"), approach, policy)

    @staticmethod
    def _of(table: pd.DataFrame, approach: str, policy: str) -> np.ndarray:
        chosen = table.query("approach == @approach and policy == @policy")
        return 100 * chosen.groupby("seed")["top1"].mean().to_numpy()

    def kept(self, accuracy: np.ndarray, of: np.ndarray) -> np.ndarray:
        """The share of the accuracy above chance that is left, in %."""
        return _kept(accuracy, of, 100 * self.chance)


def _kept(accuracy, of, chance):
    return 100 * (accuracy - chance) / (np.mean(of) - chance)


def _paper(approach: str, policy: str) -> float:
    """A mean of Table 1 in %."""
    return 100 * paper.table1().set_index(["approach", "policy"])["mean"][approach, policy]


def baseline_collapses(build: Build) -> list[Statement]:
    sample = build.kept(build.top1("baseline", "arbitrary"), build.top1("baseline", "sequential"))
    published = _kept(_paper("baseline", "arbitrary"), _paper("baseline", "sequential"), 100 * IMAGENET_CHANCE)
    return [Statement("kept of the accuracy above chance, %", sample, below=COLLAPSE, paper=published)]


def shuffle_costs_moderately(build: Build) -> list[Statement]:
    sample = build.top1("baseline", "sequential") - build.top1("layershuffle", "sequential")
    published = _paper("baseline", "sequential") - _paper("layershuffle", "sequential")
    return [Statement("points lost in sequence", sample, above=0, below=15, paper=published)]


def shuffle_keeps_most(build: Build) -> list[Statement]:
    arbitrary = build.top1("layershuffle", "arbitrary")
    sequential, other = build.top1("layershuffle", "sequential"), build.top1("baseline", "arbitrary")
    published = _paper("layershuffle", "arbitrary")
    kept = _kept(published, _paper("layershuffle", "sequential"), 100 * IMAGENET_CHANCE)
    more = published - _paper("baseline", "arbitrary")
    return [
        Statement("kept of the accuracy above chance, %", build.kept(arbitrary, sequential), above=50, paper=kept),
        Statement("points more than the baseline", arbitrary - other, above=FAR, paper=more),
    ]


def _differences(build: Build, approach: str) -> list[Statement]:
    """`approach` less LayerShuffle, in both orders."""
    return [
        Statement(
            f"points of difference to LayerShuffle, {policy}",
            build.top1(approach, policy) - build.top1("layershuffle", policy),
            above=-PAR,
            below=PAR,
            paper=_paper(approach, policy) - _paper("layershuffle", policy),
        )
        for policy in ("arbitrary", "sequential")
    ]


def position_changes_little(build: Build) -> list[Statement]:
    return _differences(build, "layershuffle-position")


def predict_is_slightly_worst(build: Build) -> list[Statement]:
    predict = build.top1("layershuffle-predict", "arbitrary")
    worst = [
        Statement(
            f"points more of {NAMES[name]}, arbitrary",
            build.top1(name, "arbitrary") - predict,
            above=0,
            paper=_paper(name, "arbitrary") - _paper("layershuffle-predict", "arbitrary"),
        )
        for name in ("layershuffle", "layershuffle-position")
    ]
    return [*_differences(build, "layershuffle-predict"), *worst]


def layers_name_their_position(build: Build) -> list[Statement]:
    chosen = build.table_1.query("approach == 'layershuffle-predict' and policy == 'arbitrary'")
    sample = 100 * chosen.groupby("seed")["position"].mean().to_numpy()
    return [Statement("positions named rightly, %", sample, above=90, paper=paper.statement("position_predicted"))]


def original_order_is_better(build: Build) -> list[Statement]:
    return [
        Statement(
            f"points more in sequence, {NAMES[name]}",
            build.top1(name, "sequential") - build.top1(name, "arbitrary"),
            above=0,
            paper=_paper(name, "sequential") - _paper(name, "arbitrary"),
        )
        for name in TABLE_1
    ]


def pruned_in_sequence(build: Build) -> list[Statement]:
    few, *more = build.profile.depths
    more_than = {k: build.depth("layershuffle", "sequential", k) - build.depth("layerdrop", "sequential", k)
                 for k in (few, *more)}  # fmt: skip
    published = paper.figure1b().query(f"policy == 'sequential' and layers == {few}").set_index("approach")["top1"]
    difference = 100 * (published["layershuffle"] - published["layerdrop"]) if len(published) else None
    return [
        Statement(f"points more than LayerDrop with {few} layers", more_than[few], above=0, paper=difference),
        *(
            Statement(f"points of difference with {k} layers", more_than[k], above=-2 * PAR, below=2 * PAR)
            for k in more
        ),
    ]


def pruned_in_arbitrary_order(build: Build) -> list[Statement]:
    depths = [*build.profile.depths, build.profile.backbone.layers]
    shuffle = {k: build.depth("layershuffle", "arbitrary", k) for k in depths}
    others = {k: np.maximum(*(build.depth(name, "arbitrary", k) for name in ("layerdrop", "baseline"))) for k in depths}
    return [
        *(Statement(f"points more than LayerDrop and ViT with {k} layers", shuffle[k] - others[k], above=2 * PAR)
          for k in build.profile.depths[1:]),
        *(Statement(f"points more with {more} layers than with {fewer}", shuffle[more] - shuffle[fewer], above=0)
          for fewer, more in pairwise(depths)),
    ]  # fmt: skip


def refined_beat_pruned(build: Build) -> list[Statement]:
    return [
        Statement(
            f"points more with {k} layers",
            build.depth("refined", "sequential", k)
            - np.maximum(*(build.depth(name, "sequential", k) for name in ("layershuffle", "layerdrop"))),
            above=0,
        )
        for k in build.profile.depths[:2]
    ]


def outputs_arranged_by_position(build: Build) -> list[Statement]:
    models = build.sources("layershuffle")
    read = 100 * analysis.readability(models, build.middle_layer)[["accuracy", "first", "others"]]
    return [
        Statement("positions read from the outputs, %", read["accuracy"], above=200 / build.profile.backbone.layers),
        Statement("points better at the first positions", read["first"] - read["others"], above=0),
    ]


def merged_models(build: Build) -> list[Statement]:
    kept = {}
    for approach, policy in (("layershuffle", "arbitrary"), ("baseline", "sequential")):
        merged = 100 * merging.merged_accuracies(build.sources(approach), policy)["top1"].to_numpy()
        kept[approach] = build.kept(merged, self_accuracy(build, approach, policy))
    chosen = paper.table2().query("model == 'merged' and measure == 'top1'").set_index("approach")["mean"]
    published = {
        approach: _kept(100 * chosen[approach], _paper(approach, policy), 100 * IMAGENET_CHANCE)
        for approach, policy in (("layershuffle", "arbitrary"), ("baseline", "sequential"))
    }
    what = "kept by merged {} of their sources' accuracy above chance, %"
    return [
        Statement(what.format("ViTs"), kept["baseline"], below=COLLAPSE, paper=published["baseline"]),
        Statement(what.format("LayerShuffle models"), kept["layershuffle"], above=80, paper=published["layershuffle"]),
    ]


def self_accuracy(build: Build, approach: str, policy: str) -> np.ndarray:
    """Top-1 in % of the sources themselves, one value for each."""
    table = evaluation.accuracies(build.sources(approach), policy)
    return 100 * table.groupby("seed")["top1"].mean().to_numpy()


def ensemble_is_better(build: Build) -> list[Statement]:
    together = 100 * merging.ensemble_accuracies(build.sources("layershuffle"), "arbitrary")["top1"].to_numpy()
    alone = self_accuracy(build, "layershuffle", "arbitrary").mean()
    chosen = paper.table2().query("model == 'ensemble of 12' and measure == 'top1'")["mean"].item()
    published = 100 * chosen - _paper("layershuffle", "arbitrary")
    return [Statement("points more than one model", together - alone, above=0, paper=published)]


def contribution_by_distance(build: Build) -> list[Statement]:
    models = [*build.sources("layershuffle"), *build.sources("baseline")]
    found = analysis.dependence(models)
    strength = {name: 100 * group["correlation"].abs().to_numpy() for name, group in found.groupby("approach")}
    return [
        Statement("strength of the rank correlation, LayerShuffle, %", strength["layershuffle"], above=10),
        Statement("strength of the rank correlation, ViT, %", strength["baseline"], below=10),
    ]


@dataclass(frozen=True)
class Claim:
    says: str
    chapter: str
    statements: Callable[[Build], list[Statement]]


CLAIMS = {
    "C1": Claim("A plain ViT collapses in arbitrary order.", "02_execution_order", baseline_collapses),
    "C2": Claim("LayerShuffle in sequence is moderately below it.", "02_execution_order", shuffle_costs_moderately),
    "C3": Claim(
        "LayerShuffle keeps most of its accuracy in arbitrary order, far above the ViT.",
        "02_execution_order",
        shuffle_keeps_most,
    ),
    "C4": Claim(
        "Telling layers their position changes that only slightly.", "02_execution_order", position_changes_little
    ),
    "C5": Claim(
        "Asking for the position is on a par, slightly worst.", "02_execution_order", predict_is_slightly_worst
    ),
    "C6": Claim("Layers name their position almost always.", "02_execution_order", layers_name_their_position),
    "C7": Claim(
        "For every approach the original order is better than an arbitrary one.",
        "02_execution_order",
        original_order_is_better,
    ),
    "C8": Claim(
        "Pruned in sequence, LayerShuffle is on a par with LayerDrop, and better with few layers.",
        "03_pruning",
        pruned_in_sequence,
    ),
    "C9": Claim(
        "In arbitrary order only LayerShuffle survives pruning, the better the more layers.",
        "03_pruning",
        pruned_in_arbitrary_order,
    ),
    "C10": Claim("Models refined with few layers beat pruned ones.", "03_pruning", refined_beat_pruned),
    "C11": Claim(
        "A layer's outputs are arranged by its position, the first positions apart.",
        "04_representations",
        outputs_arranged_by_position,
    ),
    "C12": Claim(
        "Merged LayerShuffle models come close to their sources, merged ViTs collapse.", "05_merging", merged_models
    ),
    "C13": Claim("An ensemble beats a single model.", "05_merging", ensemble_is_better),
    "C14": Claim(
        "A LayerShuffle layer contributes by its distance from its original place, a ViT's does not.",
        "04_representations",
        contribution_by_distance,
    ),
}


def check(profile: Profile) -> pd.DataFrame:
    """One row for each statement of each claim: id, claim, rule, paper, build, low, high, verdict, chapter."""
    build = Build(profile)
    rows = [
        {
            "id": name,
            "claim": claim.says,
            "rule": statement.rule,
            "paper": statement.paper,
            "build": statement.value,
            "low": statement.interval[0],
            "high": statement.interval[1],
            "verdict": statement.verdict,
            "chapter": claim.chapter,
        }
        for name, claim in CLAIMS.items()
        for statement in claim.statements(build)
    ]
    return pd.DataFrame(rows)
