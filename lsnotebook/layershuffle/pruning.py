"""Fewer layers (§4.2), and which of them matter: accuracy as a function of the set of layers that run in sequence."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from torch import nn
from torch.utils.data import Dataset, Subset

from lsnotebook.core.orders import Order
from lsnotebook.core.randomness import stream
from lsnotebook.data.splits import Splits
from lsnotebook.layershuffle.evaluation import evaluate
from lsnotebook.layershuffle.model import ShuffleViT

GREEDY = 5_000
"""Training images at most for backward elimination: each step evaluates them once for every layer that is left."""


def leave_one_out(model: nn.Module, images: Dataset) -> pd.DataFrame:
    """Leave-one-out ablation of each layer: top-1 in sequence with all layers, less that without this one.

    One row for each layer: layer, contribution (a fraction; negative where the model is better without it).
    """
    layers = range(model.config.num_hidden_layers)
    without = [tuple(other for other in layers if other != layer) for layer in layers]
    whole, *rest = evaluate(model, images, [tuple(layers), *without])["top1"]
    return pd.DataFrame({"layer": layers, "contribution": whole - np.array(rest)})


EXACT = 12
"""Layers at most for which all subsets are evaluated: 2^12 - 1 passes through a layer."""


def shapley(model: ShuffleViT, images: Dataset, draws: int = 200, seed: int = 0) -> pd.DataFrame:
    """The Shapley value of each layer: its mean gain of top-1 when layers are added one by one in a random permutation.

    The layers added so far run in sequence; with none, the accuracy counts as chance. The values of a model add up to
    its accuracy above chance. Exact up to `EXACT` layers; beyond, the mean of `draws` permutations, drawn for this
    `seed`. Columns: layer, contribution, error (the standard error of that mean; 0 where exact).
    """
    layers = model.config.num_hidden_layers
    if layers <= EXACT:
        value = subset_accuracies(model, images)
        values = [exact_shapley(value, layer) for layer in range(layers)]
        return pd.DataFrame({"layer": range(layers), "contribution": values, "error": 0.0})
    turns = np.array([stream(seed, "layers come in", draw).permutation(layers) for draw in range(draws)])
    subsets = [tuple(sorted(turn[: size + 1].tolist())) for turn in turns for size in range(layers)]
    top1 = evaluate(model, images, subsets)["top1"].to_numpy().reshape(draws, layers)
    gains = np.empty((draws, layers))
    np.put_along_axis(gains, turns, np.diff(top1, prepend=1 / model.config.num_labels), axis=1)
    error = gains.std(0, ddof=1) / np.sqrt(draws)
    return pd.DataFrame({"layer": range(layers), "contribution": gains.mean(0), "error": error})


def subset_accuracies(model: ShuffleViT, images: Dataset) -> np.ndarray:
    """Top-1 of every subset of the layers in sequence, at the index whose bits name its layers; chance at 0.

    Subsets with a common prefix share its activations: each subset takes one pass through one layer.
    """
    layers = range(model.config.num_hidden_layers)
    subsets = [tuple(layer for layer in layers if subset >> layer & 1) for subset in range(1, 2 ** len(layers))]
    return np.array([1 / model.config.num_labels, *evaluate(model, images, subsets)["top1"]])


def exact_shapley(value: np.ndarray, player: int) -> float:
    """The Shapley value of a player from the worth of all 2^n coalitions, each at the index whose bits name it."""
    players = len(value).bit_length() - 1
    without = np.array([subset for subset in range(len(value)) if not subset >> player & 1])
    weights = [1 / (players * math.comb(players - 1, int(subset).bit_count())) for subset in without]
    return float(weights @ (value[without | 1 << player] - value[without]))


def greedy(model: nn.Module, images: Dataset, keep: int = 1) -> list[Order]:
    """Which layers to keep, chosen on `images` by backward elimination: from all of them down to `keep`, the layer is
    dropped whose absence costs the least cross-entropy. Returns the sets of layers, in sequence, the largest first."""
    kept = [tuple(range(model.config.num_hidden_layers))]
    while len(kept[-1]) > keep:
        smaller = [tuple(other for other in kept[-1] if other != layer) for layer in kept[-1]]
        kept.append(smaller[int(evaluate(model, images, smaller)["loss"].argmin())])
    return kept


def contributions(models: Sequence[ShuffleViT], splits: Splits, seed: int) -> pd.DataFrame:
    """`leave_one_out` and `shapley` of one model on its selection images, with the column `measure`."""
    (model,) = models
    return pd.concat(
        [
            leave_one_out(model, splits.selection).assign(error=0.0, measure="leave one out"),
            shapley(model, splits.selection, seed=seed).assign(measure="Shapley value"),
        ]
    )


def chosen_accuracies(models: Sequence[nn.Module], splits: Splits, keep: int) -> pd.DataFrame:
    """`evaluate`, on the validation images, of the layers that `greedy` keeps by (at most `GREEDY`) training images."""
    (model,) = models
    kept = greedy(model, Subset(splits.train, range(min(GREEDY, len(splits.train)))), keep)
    return evaluate(model, splits.validation, kept).assign(layers=[len(order) for order in kept])
