"""cPreResNet20, the pre-activation ResNet of Tables 5 and 6: three stages of two bottleneck blocks for images of 32x32
(He et al. 2016), as Nunez et al. (2023, *Learning Compressible Subspaces*) build and train it: their published settings
are those of the paper. Neither torchvision nor transformers has it."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import ImageClassifierOutputWithNoAttention

from lsnotebook.core.errors import LsnotebookError


class NormError(LsnotebookError, ValueError):
    """A normalisation that there is not."""


NORMS = {"instance": lambda channels: nn.InstanceNorm2d(channels, affine=True), "batch": nn.BatchNorm2d}
EXPANSION = 4
"""Channels that a block returns for each one inside of it."""


class PreResNetConfig(PreTrainedConfig):
    model_type = "cpreresnet"

    stem: int = 16
    """Channels of the first convolution."""
    planes: list[int] | tuple[int, ...] = (16, 32, 64)
    """Channels inside of the blocks of each stage."""
    blocks: int = 2
    """Of a stage: 2 are 20 layers."""
    norm: str = "instance"
    num_channels: int = 3


class Bottleneck(nn.Module):
    """Three convolutions, each behind a normalisation and a ReLU, beside the identity or a convolution of 1x1."""

    def __init__(self, given: int, inside: int, stride: int, norm: str):
        super().__init__()
        returned = EXPANSION * inside
        self.norm1, self.norm2, self.norm3 = (NORMS[norm](channels) for channels in (given, inside, inside))
        self.conv1 = nn.Conv2d(given, inside, 1, bias=False)
        self.conv2 = nn.Conv2d(inside, inside, 3, stride, 1, bias=False)
        self.conv3 = nn.Conv2d(inside, returned, 1, bias=False)
        self.shortcut = nn.Conv2d(given, returned, 1, stride, bias=False) if (stride, given) != (1, returned) else None

    def forward(self, z: Tensor) -> Tensor:
        y = self.conv1(F.relu(self.norm1(z)))
        y = self.conv2(F.relu(self.norm2(y)))
        y = self.conv3(F.relu(self.norm3(y)))
        return y + (z if self.shortcut is None else self.shortcut(z))


class PreResNet(PreTrainedModel):
    """The network, with the methods of transformers' models: `save_pretrained`, `from_pretrained`.

    Raises `NormError`.
    """

    config_class = PreResNetConfig
    main_input_name = "pixel_values"

    def __init__(self, config: PreResNetConfig):
        super().__init__(config)
        if config.norm not in NORMS:
            raise NormError(f"There is no norm {config.norm!r}: take one of {', '.join(NORMS)}.")
        self.stem = nn.Conv2d(config.num_channels, config.stem, 3, padding=1, bias=False)
        ends, blocks = [config.stem, *(EXPANSION * inside for inside in config.planes)], []
        for stage, ((given, returned), inside) in enumerate(zip(pairwise(ends), config.planes, strict=True)):
            first = Bottleneck(given, inside, 2 if stage else 1, config.norm)
            blocks += [first, *(Bottleneck(returned, inside, 1, config.norm) for _ in range(config.blocks - 1))]
        self.blocks, self.norm = nn.Sequential(*blocks), NORMS[config.norm](ends[-1])
        self.classifier = nn.Linear(ends[-1], config.num_labels)
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, pixel_values: Tensor, labels: Tensor | None = None) -> ImageClassifierOutputWithNoAttention:
        """Classify `pixel_values` (B, channels, height, width)."""
        z = F.relu(self.norm(self.blocks(self.stem(pixel_values))))
        logits = self.classifier(z.mean((2, 3)))
        return ImageClassifierOutputWithNoAttention(
            loss=None if labels is None else F.cross_entropy(logits, labels), logits=logits
        )
