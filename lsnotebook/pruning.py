"""Fewer layers (§4.2), and which of them matter: accuracy as a function of the set of layers that run in sequence."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lsnotebook import runs
from lsnotebook.evaluation import EVALUATION_CODE, accuracies, evaluate, in_words
from lsnotebook.orders import Order, Pruned
from lsnotebook.plots import NAMES
from lsnotebook.profiles import Profile
from lsnotebook.progress import Progress
from lsnotebook.randomness import stream
from lsnotebook.runs import Run
from lsnotebook.store import code_version, remembered

if TYPE_CHECKING:
    from torch.utils.data import Dataset

    from lsnotebook.model import ShuffleViT

PRUNING_CODE = (*EVALUATION_CODE, "pruning")
GREEDY = 5_000
"""Training images that layers are chosen by: each choice evaluates them once for every layer that could go."""


def pruned_accuracies(
    models: Sequence[Run], layers: Sequence[int], which: str = "random", orders: int = 10
) -> pd.DataFrame:
    """`accuracies` with only so many of the layers, in sequence and in arbitrary order, and a column `layers`."""
    policies = [Pruned(keep, which, shuffled) for keep in layers for shuffled in (False, True)]
    return pd.concat([accuracies(models, policy, orders).assign(layers=policy.keep) for policy in policies])


def refined_accuracies(profile: Profile, layers: Sequence[int], seeds: int, orders: int = 10) -> pd.DataFrame:
    """`accuracies` of models that were cut to so many layers before they were refined, as approach "refined".

    A model refined with all of its layers is the baseline.
    """
    tables = []
    for keep in layers:
        name = "baseline" if keep == profile.backbone.layers else f"refined-{keep}"
        models = runs.study(profile, [name], seeds)
        tables += [accuracies(models, policy, orders).assign(layers=keep) for policy in ("sequential", "arbitrary")]
    return pd.concat(tables).assign(approach="refined")


def leave_one_out(model: "ShuffleViT", images: "Dataset") -> pd.DataFrame:
    """What each layer's absence costs: top-1 in sequence with all layers, less that without this one.

    One row for each layer: layer, contribution (a fraction; negative where the model is better without it).
    """
    layers = range(model.config.num_hidden_layers)
    without = [tuple(other for other in layers if other != layer) for layer in layers]
    whole, *rest = evaluate(model, images, [tuple(layers), *without])["top1"]
    return pd.DataFrame({"layer": layers, "contribution": whole - np.array(rest)})


def shapley(model: "ShuffleViT", images: "Dataset", draws: int = 8, seed: int = 0) -> pd.DataFrame:
    """The Shapley value of each layer: its mean gain of top-1 when the layers come in one by one at random.

    The layers that are in run in sequence; with none of them the accuracy counts as that of chance. The values of a
    model add up to its accuracy above chance. Columns as those of `leave_one_out`, one row for each (draw, layer).
    """
    layers = model.config.num_hidden_layers
    entered = [stream(seed, "layers come in", draw).permutation(layers) for draw in range(draws)]
    coalitions = [tuple(sorted(order[: size + 1].tolist())) for order in entered for size in range(layers)]
    distinct = list(dict.fromkeys(coalitions))
    value = dict(zip(distinct, evaluate(model, images, distinct)["top1"], strict=True))
    tables = []
    for draw, order in enumerate(entered):
        reached = [1 / model.config.num_labels]
        reached += [value[coalition] for coalition in coalitions[draw * layers : (draw + 1) * layers]]
        tables.append(pd.DataFrame({"draw": draw, "layer": order, "contribution": np.diff(reached)}))
    return pd.concat(tables, ignore_index=True)


def greedy(model: "ShuffleViT", images: "Dataset", keep: int = 1) -> list[Order]:
    """Which layers to keep, chosen on `images`: from all of them down to `keep`, the one layer at a time goes whose
    absence costs the least cross-entropy. Returns the sets of layers, in sequence, the largest first."""
    kept = [tuple(range(model.config.num_hidden_layers))]
    while len(kept[-1]) > keep:
        smaller = [tuple(other for other in kept[-1] if other != layer) for layer in kept[-1]]
        kept.append(smaller[int(evaluate(model, images, smaller)["loss"].argmin())])
    return kept


def contributions(models: Sequence[Run]) -> pd.DataFrame:
    """`leave_one_out` and `shapley` of each run on its selection images, remembered in the run store.

    Columns: approach, seed, measure ("leave one out" or "Shapley value"), layer, contribution.
    """

    def fresh(run: Run) -> pd.DataFrame:
        model, images = runs.load(run), runs.splits_of(run.profile).selection
        return pd.concat(
            [
                leave_one_out(model, images).assign(measure="leave one out"),
                shapley(model, images).drop(columns="draw").assign(measure="Shapley value"),
            ]
        )

    return _each(models, "contributions", fresh)


def greedy_accuracies(models: Sequence[Run], keep: int = 1) -> pd.DataFrame:
    """The accuracy, on the validation images, of the layers that `greedy` keeps by (at most `GREEDY`) training images.

    Remembered in the run store.
    Columns: approach, seed, layers, and those of `evaluate`.
    """

    from torch.utils.data import Subset

    def fresh(run: Run) -> pd.DataFrame:
        model, splits = runs.load(run), runs.splits_of(run.profile)
        kept = greedy(model, Subset(splits.train, range(min(GREEDY, len(splits.train)))), keep)
        return evaluate(model, splits.validation, kept).assign(layers=[len(order) for order in kept])

    return _each(models, f"greedy to {keep}", fresh)


def by_depth(pruned: pd.DataFrame) -> pd.DataFrame:
    """Top-1 in % (mean over networks and draws), one row for each (approach, policy), one column for each depth."""
    table = pruned.assign(top1=100 * pruned["top1"], approach=pruned["approach"].map(NAMES))
    return table.pivot_table(index=["approach", "policy"], columns="layers", values="top1", sort=False)


def by_seed(pruned: pd.DataFrame) -> pd.DataFrame:
    """Mean over the draws for each network: the data that a curve with its band is drawn from."""
    names = [name for name in ("approach", "kept", "policy", "layers", "seed") if name in pruned]
    return pruned.groupby(names, sort=False, dropna=False)["top1"].mean().reset_index()


def gain(chosen: pd.DataFrame, random: pd.DataFrame) -> pd.DataFrame:
    """Points of top-1 by which `chosen` layers beat `random` ones: mean over the networks with a 95 % interval (t)."""
    rows = {}
    means = [table.groupby(["approach", "layers", "seed"])["top1"].mean() for table in (chosen, random)]
    for (approach, layers), group in (means[0] - means[1]).dropna().groupby(["approach", "layers"], sort=False):
        rows[layers, NAMES[approach]] = in_words(group)
    return pd.Series(rows).unstack().rename_axis("layers kept").sort_index()


def _each(models: Sequence[Run], what: str, fresh: Callable[[Run], pd.DataFrame]) -> pd.DataFrame:
    runs.ensure(models)
    tables = []
    with Progress(len(models), what, delay=1) as progress:
        for run in models:
            recipe = {"run": run.key, "what": what, "code": code_version(*PRUNING_CODE)}
            table = remembered(recipe, f"{what.replace(' ', '-')}-{run.key}", lambda run=run: fresh(run))
            tables.append(table.assign(approach=run.approach, seed=run.seed))
            progress.advance()
    return pd.concat(tables, ignore_index=True)
