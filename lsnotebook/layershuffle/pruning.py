"""Fewer layers (§4.2), and which of them matter: accuracy as a function of the set of layers that run in sequence."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from torch import nn
from torch.utils.data import Dataset, Subset

from lsnotebook.core.orders import Order
from lsnotebook.core.randomness import stream
from lsnotebook.data.splits import Splits
from lsnotebook.layershuffle.evaluation import evaluate

GREEDY = 5_000
"""Training images that layers are chosen by: each choice evaluates them once for every layer that could go."""


def leave_one_out(model: nn.Module, images: Dataset) -> pd.DataFrame:
    """What each layer's absence costs: top-1 in sequence with all layers, less that without this one.

    One row for each layer: layer, contribution (a fraction; negative where the model is better without it).
    """
    layers = range(model.config.num_hidden_layers)
    without = [tuple(other for other in layers if other != layer) for layer in layers]
    whole, *rest = evaluate(model, images, [tuple(layers), *without])["top1"]
    return pd.DataFrame({"layer": layers, "contribution": whole - np.array(rest)})


def shapley(model: nn.Module, images: Dataset, draws: int = 8, seed: int = 0) -> pd.DataFrame:
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


def greedy(model: nn.Module, images: Dataset, keep: int = 1) -> list[Order]:
    """Which layers to keep, chosen on `images` by backward elimination: from all of them down to `keep`, the layer goes
    whose absence costs the least cross-entropy. Returns the sets of layers, in sequence, the largest first."""
    kept = [tuple(range(model.config.num_hidden_layers))]
    while len(kept[-1]) > keep:
        smaller = [tuple(other for other in kept[-1] if other != layer) for layer in kept[-1]]
        kept.append(smaller[int(evaluate(model, images, smaller)["loss"].argmin())])
    return kept


def contributions(models: Sequence[nn.Module], splits: Splits) -> pd.DataFrame:
    """`leave_one_out` and `shapley` of one model on its selection images, with the column `measure`."""
    (model,) = models
    return pd.concat(
        [
            leave_one_out(model, splits.selection).assign(measure="leave one out"),
            shapley(model, splits.selection).drop(columns="draw").assign(measure="Shapley value"),
        ]
    )


def chosen_accuracies(models: Sequence[nn.Module], splits: Splits, keep: int) -> pd.DataFrame:
    """`evaluate`, on the validation images, of the layers that `greedy` keeps by (at most `GREEDY`) training images."""
    (model,) = models
    kept = greedy(model, Subset(splits.train, range(min(GREEDY, len(splits.train)))), keep)
    return evaluate(model, splits.validation, kept).assign(layers=[len(order) for order in kept])
