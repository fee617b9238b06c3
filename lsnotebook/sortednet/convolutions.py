"""The one rule of this part (see `submodels`) for convolutional networks: of every weight a sub-model has the first
channels, in and out, of the classifier the first columns, and of a normalisation the first parameters and running
statistics.

Width is counted in parts of all channels, such as 3 of 4; depth in blocks. The classes are our `resnet.PreResNet`, in
width, and transformers' `MobileNetV2ForImageClassification`, in both.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers import MobileNetV2ForImageClassification, PreTrainedConfig, PreTrainedModel
from transformers.models.mobilenet_v2.modeling_mobilenet_v2 import MobileNetV2ConvLayer

from lsnotebook.sortednet.resnet import PreResNetConfig
from lsnotebook.sortednet.submodels import SizeError, block, leading, parts, take


class Part(NamedTuple):
    """How much of a network runs: the first `width` of `of` equal parts of its channels, in its first `blocks`."""

    width: int
    of: int
    blocks: int | None = None
    """None: all."""


def cut(config: PreTrainedConfig, part: Part) -> PreTrainedConfig:
    """The config of the stock network with the first channels alone. Raises `SizeError`.

    MobileNetV2 has its own rule for widths, a multiplier whose channels are rounded to multiples of eight; with the
    last convolution narrowed like the rest (`finegrained_output` would keep it at 1,280).
    """
    width, of, _ = part
    channels = [config.stem, *config.planes] if isinstance(config, PreResNetConfig) else []
    possible = [count for count in range(1, of + 1) if not any(one * count % of for one in channels)]
    if width not in possible:
        counts = ", ".join(map(str, possible))
        raise SizeError(
            f"This network can be cut to {counts} of {of} parts of its channels, but not to {width}; take another."
        )
    if width == of:
        return config
    if isinstance(config, PreResNetConfig):
        stem, *planes = (one * width // of for one in channels)
        changed = {"stem": stem, "planes": planes}
    else:
        changed = {"depth_multiplier": config.depth_multiplier * width / of, "finegrained_output": False}
    return type(config).from_dict({**config.to_dict(), **changed})


def is_mobilenet(network: PreTrainedModel) -> bool:
    """Whether it can be cut in depth, too."""
    return isinstance(network, MobileNetV2ForImageClassification)


def blocks_of(network: PreTrainedModel) -> int:
    return len(network.mobilenet_v2.layer if is_mobilenet(network) else network.blocks)


def build(network: PreTrainedModel, part: Part) -> PreTrainedModel:
    """A network of the class of `network` and of the size of a part, with weights of its own. Raises `SizeError`."""
    whole = blocks_of(network)
    blocks = part.blocks or whole
    if not 1 <= blocks <= whole or (blocks < whole and not is_mobilenet(network)):
        possible = f"1 to {whole}" if is_mobilenet(network) else f"all {whole}"
        raise SizeError(f"This network can be cut to {possible} of its blocks, but not to {blocks}.")
    small = type(network)(cut(network.config, part))
    if blocks < whole:
        shorten(small, blocks)
    return small


def shorten(network: MobileNetV2ForImageClassification, blocks: int) -> None:
    """Keep the first blocks alone. The last convolution then takes the channels of the last block that is left."""
    body = network.mobilenet_v2
    body.layer = body.layer[:blocks]
    given = body.layer[-1].reduce_1x1.convolution.out_channels
    body.conv_1x1 = MobileNetV2ConvLayer(network.config, given, body.conv_1x1.convolution.out_channels, kernel_size=1)


def skeleton(network: PreTrainedModel, part: Part) -> PreTrainedModel:
    """The sub-model for `submodels.run`, with what it has of `network`. Raises `SizeError`.

    In training mode a BatchNorm counts what it sees into the first of the big network's running statistics: all
    sub-models share them, as they share the weights.
    """
    with torch.device("meta"):
        small = build(network, part)
    return take(small, network).train(network.training)


def extract(network: PreTrainedModel, part: Part) -> PreTrainedModel:
    """The sub-model as a network by itself. With all blocks its class is the stock one, config and all, so that
    `from_pretrained` reads what `save_pretrained` writes; no config of MobileNetV2 has fewer blocks. Raises
    `SizeError`."""
    small = build(network, part)
    small.load_state_dict(leading(network.state_dict(), {name: one.shape for name, one in small.state_dict().items()}))
    return small.train(network.training)


@torch.no_grad()
def recounted(network: PreTrainedModel, part: Part, batches: Iterable[Tensor]) -> PreTrainedModel:
    """`extract`, with running statistics of its own: the means over batches of training images (B, channels, height,
    width). Those that it shares were counted by sub-models of every width, as slimmable networks found (Yu et al.
    2019). Without BatchNorm nothing changes."""
    small = extract(network, part).train()
    norms = [one for one in small.modules() if isinstance(one, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean
    for pixel_values in batches if norms else ():
        small(pixel_values)
    return small.eval()


def touched(drawn: Iterable[nn.Module]) -> dict[nn.Parameter, Tensor]:
    """For each parameter that some of the drawn sub-models use, and none wholly, where they use it: a mask. Those that
    were drawn for one update need not contain one another."""
    masks: dict[nn.Parameter, Tensor] = {}
    for small in drawn:
        for one, shape in parts(small).items():
            masks.setdefault(one, torch.zeros_like(one, dtype=torch.bool))[block(shape)] = True
    return {one: mask for one, mask in masks.items() if not mask.all()}
