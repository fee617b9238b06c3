"""Every claim of the paper as statements on the networks of a profile (see `pages.statements`).

The bounds say what the paper's words mean here; each says where it comes from. They are fixed before the results are
seen, and the paper's own numbers pass them (tests/layershuffle/test_claims.py).
"""

from collections.abc import Container
from itertools import pairwise

import numpy as np
import pandas as pd

from lsnotebook.core.statistics import contrast, kept, matched, rank_correlation, ratio
from lsnotebook.layershuffle import paper
from lsnotebook.layershuffle.approaches import TABLE_1, TITLES
from lsnotebook.layershuffle.build import IMAGENET_CHANCE, Build
from lsnotebook.layershuffle.profiles import Study
from lsnotebook.pages.statements import Bounds, Claim, Statement, judged

PAR = Bounds("“on a par”, “only slightly”: 5 points, a few times the paper's own differences", above=-5, below=5)
MORE = Bounds("the words say which is more, not by how much", above=0)
COLLAPSE = Bounds("“collapse”: less than a quarter is left", below=25)
SHARE = (0, 100)
"""The limits of a share in %, whose interval is asymmetric."""
POINTS = (-100, 100)
"""Those of a difference of two shares, and of a rank correlation, in %."""
KEPT = "share of above-chance accuracy kept, %"
OVER_IMAGES = ("networks", "images")


def baseline_collapses(build: Build) -> list[Statement]:
    return [Statement(KEPT, build.share_kept("baseline"), COLLAPSE, kept_in_paper("baseline"), limits=SHARE)]


def kept_in_paper(approach: str) -> float:
    """The share of above-chance accuracy kept in arbitrary order, in %, from Table 1."""
    return 100 * kept(paper.top1(approach, "arbitrary"), paper.top1(approach, "sequential"), 100 * IMAGENET_CHANCE)


def difference(build: Build, one: tuple[str, str], other: tuple[str, str], quantity: str, bounds: Bounds) -> Statement:
    """Of two cells of Table 1, each (approach, policy), paired by network and order."""
    published = paper.top1(*one) - paper.top1(*other)
    return Statement(quantity, build.top1(*one) - build.top1(*other), bounds, published, limits=POINTS)


def shuffle_costs_moderately(build: Build) -> list[Statement]:
    bounds = Bounds("“moderate”: less than twice the paper's loss", above=0, below=15)
    cells = ("baseline", "sequential"), ("layershuffle", "sequential")
    return [difference(build, *cells, "points lost in sequence", bounds)]


def shuffle_keeps_most(build: Build) -> list[Statement]:
    most, far = Bounds("“most”: more than half", above=50), Bounds("“far above”: a quarter of all images", above=25)
    cells = ("layershuffle", "arbitrary"), ("baseline", "arbitrary")
    return [
        Statement(KEPT, build.share_kept("layershuffle"), most, kept_in_paper("layershuffle"), limits=SHARE),
        difference(build, *cells, "points more than the ViT", far),
    ]


def on_a_par(build: Build, approach: str) -> list[Statement]:
    what = "points of difference to LayerShuffle, {}"
    return [
        difference(build, (approach, policy), ("layershuffle", policy), what.format(policy), PAR)
        for policy in ("arbitrary", "sequential")
    ]


def position_changes_little(build: Build) -> list[Statement]:
    return on_a_par(build, "layershuffle-position")


def predict_is_slightly_worst(build: Build) -> list[Statement]:
    predict, what = "layershuffle-predict", "points more of {}, arbitrary"
    worst = [
        difference(build, (name, "arbitrary"), (predict, "arbitrary"), what.format(TITLES[name]), MORE)
        for name in ("layershuffle", "layershuffle-position")
    ]
    return [*on_a_par(build, predict), *worst]


def layers_predict_their_position(build: Build) -> list[Statement]:
    always, published = Bounds("“almost always”: nine times of ten", above=90), paper.statement("position_predicted")
    values = build.of(build.table_1, "layershuffle-predict", "arbitrary", "position")
    return [Statement("positions predicted correctly, %", values, always, published, limits=SHARE)]


def original_order_is_better(build: Build) -> list[Statement]:
    return [
        difference(build, (name, "sequential"), (name, "arbitrary"), f"points more in sequence, {TITLES[name]}", MORE)
        for name in (approach.name for approach in TABLE_1)
    ]


def pruned_in_sequence(build: Build) -> list[Statement]:
    few, *more = build.profile.depths
    more_than = {
        k: build.depth("layershuffle", "sequential", k) - build.depth("layerdrop", "sequential", k)
        for k in (few, *more)
    }
    published = paper.figure1b().query(f"policy == 'sequential' and layers == {few}").set_index("approach")["top1"]
    of_paper = 100 * (published["layershuffle"] - published["layerdrop"]) if len(published) else None
    par = Bounds("“about equal”, “slightly ahead”, both within ten points in the text", above=-10, below=10)
    return [
        Statement(f"points more than LayerDrop with {few} layers", more_than[few], MORE, of_paper, limits=POINTS),
        *(Statement(f"points of difference with {k} layers", more_than[k], par, limits=POINTS) for k in more),
    ]


def pruned_in_arbitrary_order(build: Build) -> list[Statement]:
    depths = [*build.profile.depths, build.profile.backbone.layers]
    shuffle = {k: build.depth("layershuffle", "arbitrary", k) for k in depths}
    survives = Bounds("“only LayerShuffle works”: a tenth of all images apart", above=10)
    apart = [
        Statement(f"points more than {TITLES[name]} with {k} layers", shuffle[k] - other, survives, limits=POINTS)
        for k in build.profile.depths[1:]
        for name in ("layerdrop", "baseline")
        for other in [build.depth(name, "arbitrary", k)]
    ]
    better = [
        Statement(f"points more with {k} layers than with {fewer}", shuffle[k] - shuffle[fewer], MORE, limits=POINTS)
        for fewer, k in pairwise(depths)
    ]
    return apart + better


def refined_beat_pruned(build: Build) -> list[Statement]:
    refined = {k: build.depth("refined", "sequential", k) for k in build.profile.depths[:2]}
    return [
        Statement(f"points more than {TITLES[name]} with {k} layers", values - pruned, MORE, limits=POINTS)
        for k, values in refined.items()
        for name in ("layershuffle", "layerdrop")
        for pruned in [build.depth(name, "sequential", k)]
    ]


def outputs_arranged_by_position(build: Build) -> list[Statement]:
    found, layers = build.readability.query("approach == 'layershuffle'"), build.profile.backbone.layers
    wide = found.pivot(index="seed", columns="image")
    true, predicted = wide["position"].to_numpy(), wide["output"].to_numpy()  # (networks, images)
    correct = 100 * (predicted == true)
    ordering: np.ndarray = 100 * rank_correlation(true, predicted)
    apart = contrast(correct, true < layers / 4)
    chance = Bounds("“arranged”, without “sharp separation”: more than chance", above=100 / layers)
    ordered = Bounds("“orders the map”: a large rank correlation (Cohen 1988)", above=50)
    return [
        Statement("positions predicted from the outputs, %", correct, chance, over=OVER_IMAGES, limits=SHARE),
        Statement("rank correlation with the true position, %", ordering, ordered, over=OVER_IMAGES, limits=POINTS),
        Statement("points better at the first positions", apart, MORE, over=OVER_IMAGES, limits=POINTS),
    ]


def merged_models(build: Build) -> list[Statement]:
    chosen = paper.table2().query("model == 'merged' and measure == 'top1'").set_index("approach")["mean"]
    close, statements = Bounds("“come close to”: four fifths", above=80), []
    for approach, policy, bounds, models in (
        ("baseline", "sequential", COLLAPSE, "ViTs"),
        ("layershuffle", "arbitrary", close, "LayerShuffle models"),
    ):
        sources = build.source_top1(approach, policy)
        merged, reference = matched(build.merged_top1(approach, policy), sources.mean(0))  # under the same orders
        values: np.ndarray = 100 * ratio(merged[:, None], reference, build.chance)[:, 0]
        published = 100 * kept(chosen[approach], paper.top1(approach, policy) / 100, IMAGENET_CHANCE)
        quantity = f"share of their sources' above-chance accuracy kept by merged {models}, %"
        over = (f"draws of merged models from the same {len(sources)} sources",)
        statements.append(Statement(quantity, values, bounds, published, over=over))
    return statements


def ensemble_is_better(build: Build) -> list[Statement]:
    alone, together = matched(build.source_top1("layershuffle", "arbitrary"), build.ensemble_top1("layershuffle"))
    chosen = paper.table2().query("model == 'ensemble of 12' and measure == 'top1'")["mean"].item()
    published = 100 * chosen - paper.top1("layershuffle", "arbitrary")
    over = ("networks", "draws of orders")
    return [Statement("points more than one model", together - alone, MORE, published, over, POINTS)]


def contribution_by_distance(build: Build) -> list[Statement]:
    shuffle, vit = (build.explained_by_distance(name) for name in ("layershuffle", "baseline"))
    what = "points of variance that the distance explains beyond layer and position"
    return [
        Statement(f"{what}, LayerShuffle", shuffle, MORE, over=OVER_IMAGES),
        Statement(f"{what}, LayerShuffle more than ViT", shuffle - vit, MORE, over=OVER_IMAGES),
    ]


CLAIMS = {
    "02_execution_order": {
        "C1": ("A plain ViT collapses in arbitrary order.", baseline_collapses),
        "C2": ("LayerShuffle in sequence is moderately below it.", shuffle_costs_moderately),
        "C3": ("LayerShuffle keeps most of its accuracy in arbitrary order, far above the ViT.", shuffle_keeps_most),
        "C4": ("Encoding the position changes that only slightly.", position_changes_little),
        "C5": ("Predicting the position (mean of losses) is on a par, slightly the worst.", predict_is_slightly_worst),
        "C6": ("Layers predict their position (mean of the losses) almost always.", layers_predict_their_position),
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
            "LayerShuffle's layers contribute by the distance from their original position, more so than the ViT's.",
            contribution_by_distance,
        ),
    },
    "05_merging": {
        "C12": ("Merged LayerShuffle models come close to their sources, merged ViTs collapse.", merged_models),
        "C13": ("An ensemble beats a single model.", ensemble_is_better),
    },
}
"""By the page that looks at it: each claim, and the function that makes its statements on a build."""
FIGURES = {
    **dict.fromkeys(("C1", "C2", "C3", "C7"), "figure-table-1"),
    **dict.fromkeys(("C4", "C5"), "table-paired"),
    **dict.fromkeys(("C8", "C9", "C10"), "figure-pruning"),
    **{
        "C6": "table-position",
        "C11": "table-read",
        "C12": "table-2",
        "C13": "figure-merging",
        "C14": "table-dependence",
    },
}
"""The figure or table of its page that shows a claim's quantity."""


def check(profile: Study, pages: Container[str] = tuple(CLAIMS)) -> pd.DataFrame:
    """The statements of the claims of some pages on a profile, as `pages.statements.judged` gives them."""
    build = Build(profile)
    claims = {
        name: (Claim(text, page, FIGURES[name]), statements(build))
        for page, there in CLAIMS.items()
        if page in pages
        for name, (text, statements) in there.items()
    }
    return judged(dict(sorted(claims.items(), key=lambda claim: int(claim[0][1:]))))
