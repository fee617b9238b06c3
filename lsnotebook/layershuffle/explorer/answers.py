"""What forward.js answers, computed by the kernel for networks that are too large for a browser."""

from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from lsnotebook.layershuffle.analysis import trace
from lsnotebook.layershuffle.merging import with_layers
from lsnotebook.layershuffle.model import ShuffleViT

Groups: TypeAlias = Sequence[Sequence[ShuffleViT]]
"""The baselines, and the LayerShuffle networks."""


def accuracies(
    groups: Groups, order: Sequence[int], sources: Sequence[int], images: Tensor, labels: Tensor
) -> list[list[float]]:
    """For each group the top-1 accuracy of each of its networks over images (B, channels, height, width)."""
    with torch.inference_mode():
        return [
            [(model(images.to(model.device), order=here).logits.argmax(-1).cpu() == labels).float().mean().item()
             for model in group]
            for group, here in in_turn(groups, order, sources)
        ]  # fmt: skip


def one_image(groups: Groups, order: Sequence[int], sources: Sequence[int], image: Tensor) -> list[list[dict]]:
    """`inside` of each group's networks, for an image (1, channels, height, width)."""
    for model in (*groups[0], *groups[1]):  # a layer looks up in its own model how attention is computed
        model.set_attn_implementation("eager")
    return [[inside(model, image, here) for model in group] for group, here in in_turn(groups, order, sources)]


def inside(model: ShuffleViT, image: Tensor, order: Sequence[int]) -> dict:
    """Of one image in an order of P layers: `adds`, the norm of what each layer adds to the class token (P), and
    `lens`, the class probabilities before the first layer and after every layer (P+1, classes).

    The last layer norm and the head read the class token as if no layer came after it: the logit lens of
    nostalgebraist (2020). The last row is the network's answer.
    """
    traced = trace(model, image, [tuple(order)])
    with torch.inference_mode():
        start = model.embedded(image.to(model.device))[:, 0]
        tokens = torch.cat((start, torch.from_numpy(traced.outputs[0]).to(start)))
        shares = model.classifier(model.vit.layernorm(tokens)).softmax(-1)
    return {"adds": traced.contribution[0].tolist(), "lens": shares.tolist()}


def in_turn(groups: Groups, order: Sequence[int], sources: Sequence[int]) -> list[tuple]:
    """Each group's networks, and the order that they run. Where a source is named, the second group is one network,
    merged from layers that stand in the order at hand."""
    baselines, others = groups
    if not any(sources):
        return [(baselines, tuple(order)), (others, tuple(order))]
    return [(baselines, tuple(order)), ([taken(others, order, sources)], tuple(range(len(order))))]


def taken(models: Sequence[ShuffleViT], order: Sequence[int], sources: Sequence[int]) -> ShuffleViT:
    """The model whose p-th layer is layer `order[p]` of `models[sources[p]]`; the rest is the first model's."""
    layers = (models[source].vit.layers[index] for index, source in zip(order, sources, strict=True))
    merged = with_layers(models[0], layers)
    merged.config = type(merged.config)(**{**merged.config.to_dict(), "num_hidden_layers": len(order)})
    return merged
