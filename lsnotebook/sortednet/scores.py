"""Accuracy of networks with a part of them alone: every size of a sorted one, and any layers of any ViT."""

from collections.abc import Iterator, Sequence

import pandas as pd
import torch
from torch import Tensor
from transformers import ViTForImageClassification
from transformers.modeling_outputs import ImageClassifierOutput

from lsnotebook.core.draws import Pruned, draw
from lsnotebook.core.orders import Order
from lsnotebook.data.splits import Splits
from lsnotebook.engine.evaluation import score, top1
from lsnotebook.sortednet.grids import widths
from lsnotebook.sortednet.networks import SortedViT

KINDS = {"first": ("first", False), "random": ("random", False), "shuffled": ("random", True)}
"""Which layers stay: the first; some, in sequence; some, in any order (`core.draws.Pruned`)."""


@torch.no_grad()
def sizes(models: Sequence[SortedViT], splits: Splits, part: str) -> pd.DataFrame:
    """Top-1 of every sub-model of the one network on a part of the images: layers, heads, top1."""
    (network,) = models
    rows = []
    for heads, small, ((found, labels),) in widths(network, getattr(splits, part)):
        right = (small.classifier(found).argmax(-1).cpu() == labels).float().mean(1)
        rows += [(place, heads, share) for place, share in enumerate(right.tolist(), start=1)]
    return pd.DataFrame(rows, columns=["layers", "heads", "top1"])


def kept(
    models: Sequence[ViTForImageClassification], splits: Splits, counts: Sequence[int], draws: int
) -> pd.DataFrame:
    """Top-1 on the validation images with so many layers of the one network, for each of `KINDS`: kind, layers, draw,
    top1. What is random has `draws` draws, the same for every network."""
    (network,) = models
    rows = [
        (kind, count, number, order)
        for kind, (which, shuffled) in KINDS.items()
        for count in counts
        for number, order in enumerate(draw(Pruned(count, which, shuffled), network.config.num_hidden_layers, draws))
    ]
    table = pd.DataFrame(rows, columns=["kind", "layers", "draw", "order"])

    def outputs(pixel_values: Tensor) -> Iterator[ImageClassifierOutput]:
        return under(network, table["order"], pixel_values)

    found = score(outputs, splits.validation, network.device, measures={"top1": top1})
    return table.drop(columns="order").join(found)


def under(
    network: ViTForImageClassification, orders: Sequence[Order], pixel_values: Tensor
) -> Iterator[ImageClassifierOutput]:
    """The output of a ViT under each order of some of its layers."""
    embedded = network.vit.embeddings(pixel_values)
    for order in orders:
        z = embedded
        for layer in order:
            z = network.vit.layers[layer](z)
        yield ImageClassifierOutput(logits=network.classifier(network.vit.layernorm(z)[:, 0]))
