"""Every claim of the paper as statements on the networks of a profile (see `pages.statements`).

The bounds say what the paper's words mean here ("most", "on a par"); they were fixed before the results.
"""

from itertools import pairwise

import numpy as np
import pandas as pd

from lsnotebook.core.orders import arbitrary
from lsnotebook.layershuffle import measurements, paper
from lsnotebook.layershuffle.analysis import dependence
from lsnotebook.layershuffle.approaches import TABLE_1, TITLES
from lsnotebook.layershuffle.build import IMAGENET_CHANCE, POLICIES, Build, kept
from lsnotebook.layershuffle.profiles import Study
from lsnotebook.pages.statements import Claim, Statement, judged

PAR = 5.0
"""Points of top-1 within which two approaches are "on a par" or differ "only slightly"."""
FAR = 25.0
"""Points of top-1 that are "far above"."""
COLLAPSE = 25.0
"""A collapsed model keeps less than this share, in %, of its accuracy above chance."""
KEPT = "kept of the accuracy above chance, %"


def baseline_collapses(build: Build) -> list[Statement]:
    sample = build.kept(build.top1("baseline", "arbitrary"), build.top1("baseline", "sequential"))
    return [Statement(KEPT, sample, below=COLLAPSE, paper=kept_in_paper("baseline"))]


def kept_in_paper(approach: str) -> float:
    """The share of the accuracy above chance that arbitrary orders leave, in %, from Table 1."""
    return kept(paper.top1(approach, "arbitrary"), paper.top1(approach, "sequential"), 100 * IMAGENET_CHANCE)


def shuffle_costs_moderately(build: Build) -> list[Statement]:
    sample = build.top1("baseline", "sequential") - build.top1("layershuffle", "sequential")
    published = paper.top1("baseline", "sequential") - paper.top1("layershuffle", "sequential")
    return [Statement("points lost in sequence", sample, above=0, below=15, paper=published)]


def shuffle_keeps_most(build: Build) -> list[Statement]:
    shuffled, baseline = (build.top1(name, "arbitrary") for name in ("layershuffle", "baseline"))
    sample = build.kept(shuffled, build.top1("layershuffle", "sequential"))
    more = paper.top1("layershuffle", "arbitrary") - paper.top1("baseline", "arbitrary")
    return [
        Statement(KEPT, sample, above=50, paper=kept_in_paper("layershuffle")),
        Statement("points more than the baseline", shuffled - baseline, above=FAR, paper=more),
    ]


def differences(build: Build, approach: str) -> list[Statement]:
    """`approach` less LayerShuffle, in both orders."""
    return [
        Statement(
            f"points of difference to LayerShuffle, {policy}",
            build.top1(approach, policy) - build.top1("layershuffle", policy),
            above=-PAR,
            below=PAR,
            paper=paper.top1(approach, policy) - paper.top1("layershuffle", policy),
        )
        for policy in ("arbitrary", "sequential")
    ]


def position_changes_little(build: Build) -> list[Statement]:
    return differences(build, "layershuffle-position")


def predict_is_slightly_worst(build: Build) -> list[Statement]:
    predict = "layershuffle-predict"
    worst = [
        Statement(
            f"points more of {TITLES[name]}, arbitrary",
            build.top1(name, "arbitrary") - build.top1(predict, "arbitrary"),
            above=0,
            paper=paper.top1(name, "arbitrary") - paper.top1(predict, "arbitrary"),
        )
        for name in ("layershuffle", "layershuffle-position")
    ]
    return [*differences(build, predict), *worst]


def layers_predict_their_position(build: Build) -> list[Statement]:
    chosen = build.table_1.query("approach == 'layershuffle-predict' and policy == 'arbitrary'")
    sample = 100 * chosen.groupby("seed")["position"].mean().to_numpy()
    published = paper.statement("position_predicted")
    return [Statement("positions predicted correctly, %", sample, above=90, paper=published)]


def original_order_is_better(build: Build) -> list[Statement]:
    return [
        Statement(
            f"points more in sequence, {approach.title}",
            build.top1(approach.name, "sequential") - build.top1(approach.name, "arbitrary"),
            above=0,
            paper=paper.top1(approach.name, "sequential") - paper.top1(approach.name, "arbitrary"),
        )
        for approach in TABLE_1
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
    read = 100 * measurements.readability(models, build.middle_layer)[["accuracy", "first", "others"]]
    twice_chance = 200 / build.profile.backbone.layers
    return [
        Statement("positions predicted from the outputs, %", read["accuracy"], above=twice_chance),
        Statement("points better at the first positions", read["first"] - read["others"], above=0),
    ]


def merged_models(build: Build) -> list[Statement]:
    chosen = paper.table2().query("model == 'merged' and measure == 'top1'").set_index("approach")["mean"]
    statements = []
    for approach, policy, bounds, models in (
        ("baseline", "sequential", {"below": COLLAPSE}, "ViTs"),
        ("layershuffle", "arbitrary", {"above": 80}, "LayerShuffle models"),
    ):
        merged = 100 * measurements.merged_accuracies(build.sources(approach), POLICIES[policy])["top1"].to_numpy()
        sample = build.kept(merged, build.source_top1(approach, policy))
        published = kept(100 * chosen[approach], paper.top1(approach, policy), 100 * IMAGENET_CHANCE)
        quantity = f"kept by merged {models} of their sources' accuracy above chance, %"
        statements.append(Statement(quantity, sample, **bounds, paper=published))
    return statements


def ensemble_is_better(build: Build) -> list[Statement]:
    together = 100 * measurements.ensemble_accuracies(build.sources("layershuffle"), arbitrary)["top1"].to_numpy()
    alone = build.source_top1("layershuffle", "arbitrary").mean()
    chosen = paper.table2().query("model == 'ensemble of 12' and measure == 'top1'")["mean"].item()
    published = 100 * chosen - paper.top1("layershuffle", "arbitrary")
    return [Statement("points more than one model", together - alone, above=0, paper=published)]


def contribution_by_distance(build: Build) -> list[Statement]:
    found = dependence(measurements.norms([*build.sources("layershuffle"), *build.sources("baseline")]))
    strength = {name: 100 * group["correlation"].abs().to_numpy() for name, group in found.groupby("approach")}
    return [
        Statement("strength of the rank correlation, LayerShuffle, %", strength["layershuffle"], above=10),
        Statement("strength of the rank correlation, ViT, %", strength["baseline"], below=10),
    ]


CLAIMS = {
    "02_execution_order": {
        "C1": ("A plain ViT collapses in arbitrary order.", baseline_collapses),
        "C2": ("LayerShuffle in sequence is moderately below it.", shuffle_costs_moderately),
        "C3": ("LayerShuffle keeps most of its accuracy in arbitrary order, far above the ViT.", shuffle_keeps_most),
        "C4": ("Encoding the position changes that only slightly.", position_changes_little),
        "C5": ("Predicting the position is on a par, slightly worst.", predict_is_slightly_worst),
        "C6": ("Layers predict their position almost always.", layers_predict_their_position),
        "C7": ("For every approach the original order is better than an arbitrary one.", original_order_is_better),
    },
    "03_pruning": {
        "C8": (
            "Pruned in sequence, LayerShuffle is on a par with LayerDrop, and better with few layers.",
            pruned_in_sequence,
        ),
        "C9": (
            "In arbitrary order only LayerShuffle survives pruning, the better the more layers.",
            pruned_in_arbitrary_order,
        ),
        "C10": ("Models refined with few layers beat pruned ones.", refined_beat_pruned),
    },
    "04_representations": {
        "C11": (
            "A layer's outputs are arranged by its position, the first positions apart.",
            outputs_arranged_by_position,
        ),
        "C14": (
            "A LayerShuffle layer contributes by its distance from its original position, a ViT's does not.",
            contribution_by_distance,
        ),
    },
    "05_merging": {
        "C12": ("Merged LayerShuffle models come close to their sources, merged ViTs collapse.", merged_models),
        "C13": ("An ensemble beats a single model.", ensemble_is_better),
    },
}
"""By the page that looks at it: each claim, and the function that makes its statements on a build."""


def check(profile: Study) -> pd.DataFrame:
    """The statements of all claims on a profile, as `pages.statements.judged` gives them."""
    build = Build(profile)
    claims = {
        name: (Claim(text, page), statements(build))
        for page, there in CLAIMS.items()
        for name, (text, statements) in there.items()
    }
    return judged(dict(sorted(claims.items(), key=lambda claim: int(claim[0][1:]))))
