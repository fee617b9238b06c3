"""Merged models, each layer from a source of its own, and ensembles (§4.4). No weight is copied."""

import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.core.orders import Order
from lsnotebook.core.randomness import stream
from lsnotebook.data.splits import Splits
from lsnotebook.layershuffle.evaluation import score
from lsnotebook.layershuffle.model import ShuffleViT, ShuffleViTOutput


class MergeError(LsnotebookError, ValueError):
    """A merged model that cannot be made from the sources at hand."""


class Sources(NamedTuple):
    """Where the parts of a merged model come from, by the number of the source."""

    layers: tuple[int, ...]
    """m(i), the source of layer i."""
    rest: int
    """The source of the embedding, the last layer norm and the head, on which the text is silent."""


def draw_sources(layers: int, models: int, count: int, distinct: int | None = None, seed: int = 0) -> list[Sources]:
    """`count` ways to merge `models` sources: the layers come from `distinct` of them, as evenly as can be.

    By default no two layers come from one source, as in the paper; the rest comes from one of the same sources.
    Raises `MergeError` where there are too few models.
    """
    distinct = layers if distinct is None else distinct
    if not 1 <= distinct <= min(layers, models):
        raise MergeError(
            f"{layers} layers of {models} models can come from 1 to {min(layers, models)} sources, but not from "
            f"{distinct}; train more models or take fewer sources."
        )
    drawn = []
    for k in range(count):
        rng = stream(seed, f"merge from {distinct} of {models}", k)
        chosen = rng.choice(models, distinct, replace=False)
        places = rng.permutation([layer % distinct for layer in range(layers)])
        drawn.append(Sources(tuple(chosen[places].tolist()), int(rng.choice(chosen))))
    return drawn


def merge(models: Sequence[ShuffleViT], sources: Sources) -> ShuffleViT:
    """A model whose layer i *is* layer i of `models[sources.layers[i]]`: its parameters are the sources' own.

    Raises `MergeError` for the variants of §3.3 and §3.4, whose layers are more than their blocks.
    """
    rest = models[sources.rest]
    if rest.config.encode_position or rest.config.predict_position:
        raise MergeError(
            "Layers that encode or predict their position are not merged; take baseline or layershuffle models."
        )
    return with_layers(rest, (models[source].vit.layers[index] for index, source in enumerate(sources.layers)))


def with_layers(model: ShuffleViT, layers: Iterable[nn.Module]) -> ShuffleViT:
    """A shallow copy of a model that has these layers; all else is the model's own."""
    other, vit = copy.copy(model), copy.copy(model.vit)
    vit._modules = vit._modules | {"layers": nn.ModuleList(layers)}
    other._modules = other._modules | {"vit": vit}
    return other


def mean_logits(models: Sequence[ShuffleViT], orders: Sequence[Order], pixel_values: Tensor) -> ShuffleViTOutput:
    """The output of an ensemble: the mean of the logits of all models, each in an order of its own."""
    logits = [model(pixel_values, order=order).logits.float() for model, order in zip(models, orders, strict=True)]
    return ShuffleViTOutput(logits=torch.stack(logits).mean(0))


def merged_scores(
    models: Sequence[ShuffleViT], splits: Splits, sources: Sequence[Sources], orders: Sequence[Order]
) -> pd.DataFrame:
    """`score` of merged models on the validation images, each in an order of its own."""
    merged = [merge(models, Sources(*source)) for source in sources]

    def outputs(pixel_values: Tensor) -> Iterator[ShuffleViTOutput]:
        return (model(pixel_values, order=order) for model, order in zip(merged, orders, strict=True))

    return score(outputs, splits.validation, models[0].device)


def ensemble_scores(models: Sequence[ShuffleViT], splits: Splits, orders: Sequence[Sequence[Order]]) -> pd.DataFrame:
    """`score` of the ensemble on the validation images, one row for each group of orders, one order for each member."""

    def outputs(pixel_values: Tensor) -> Iterator[ShuffleViTOutput]:
        return (mean_logits(models, group, pixel_values) for group in orders)

    return score(outputs, splits.validation, models[0].device)


def drift(model: ShuffleViT, base: ShuffleViT) -> float:
    """How far refining has moved the layers away from the base: the L2 distance, relative to the norm of the base."""
    weights, start = (parameters_to_vector(one.vit.layers.parameters()) for one in (model, base.to(model.device)))
    return ((weights - start).norm() / start.norm()).item()
