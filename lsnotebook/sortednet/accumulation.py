"""Gradient accumulation as in Algorithm 1: each of the accumulated batches draws a sub-model of its own.

A batch is split into as many parts as sizes were drawn, and each part runs its own sub-model: the gradient of the mean
loss is the mean of what would be accumulated. So the training loop needs no branch, and no more memory counts here.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import ImageClassifierOutput

from lsnotebook.sortednet import networks
from lsnotebook.sortednet.networks import SortedViT, SortedViTConfig
from lsnotebook.sortednet.submodels import Size, run, whole
from lsnotebook.sortednet.updates import Drawn

if TYPE_CHECKING:
    from lsnotebook.core.profiles import Approach, Profile


class AccumulatedViT(SortedViT):
    """A `SortedViT` whose batch is run by several of its sub-models, a part each."""

    def forward(self, pixel_values: Tensor, order: tuple[int, ...] | None = None, labels: Tensor | None = None):
        """Classify `pixel_values` (B, channels, height, width), split evenly over the sizes of `order`, (layers, heads,
        layers, heads ...). In training the next step moves what lies in one of these sub-models. Raises `SizeError`.
        """
        order = order or whole(self.config)
        sizes = [Size(*size) for size in zip(order[::2], order[1::2], strict=True)]
        skeletons, drawn = zip(*map(self.sub_model, sizes), strict=True)
        if self.training:
            largest: dict[nn.Parameter, torch.Size] = {}
            for one in drawn:  # a wider one is larger in all dimensions: together they are the largest
                largest |= {of: max(shape, largest.get(of, shape)) for of, shape in one.parts.items()}
            self.update_only(Drawn(largest))
        parts = pixel_values.tensor_split(len(sizes))
        given = labels.tensor_split(len(sizes)) if labels is not None else [None] * len(sizes)
        found = [
            (run(small, images, labels=targets), len(images) / len(pixel_values))
            for small, images, targets in zip(skeletons, parts, given, strict=True)
            if len(images)
        ]
        loss = None if labels is None else sum(output.loss * share for output, share in found)
        return ImageClassifierOutput(loss, torch.cat([output.logits for output, _ in found]))


def initial(
    profile: "Profile", approach: "Approach", base: Mapping[str, Tensor] | None = None, checkpoint: Path | None = None
) -> AccumulatedViT:
    """The weights of `base`, or fresh ones. Raises `StartError`."""
    begun = networks.initial(profile, replace(approach, order=approach.order.each), base, checkpoint)  # type: ignore[attr-defined]
    network = AccumulatedViT(begun.config)
    network.load_state_dict(begun.state_dict())
    return network


def restored(config: Mapping[str, object]) -> AccumulatedViT:
    """A network for the weights of a saved run, from its `config.json`."""
    return AccumulatedViT(SortedViTConfig(**config))
