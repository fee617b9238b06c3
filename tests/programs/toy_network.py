"""A part of a few lines: a residual network that runs its layers from the last to the first, on the digits."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import ImageClassifierOutput

from lsnotebook.core.orders import Order, Sampler
from lsnotebook.core.profiles import Approach, Profile


@dataclass(frozen=True)
class Backwards(Sampler):
    """L-1, ... 1, 0."""

    policy = "backwards"

    def __call__(self, layers: int, rng: np.random.Generator | None = None) -> Order:
        return tuple(reversed(range(layers)))

    def is_deterministic(self, layers: int) -> bool:
        return True


class ToyConfig(PretrainedConfig):
    num_hidden_layers: int = 2


class ToyNetwork(PreTrainedModel):
    config_class = ToyConfig

    def __init__(self, config: ToyConfig):
        super().__init__(config)
        self.layers = nn.ModuleList(nn.Linear(64, 64) for _ in range(config.num_hidden_layers))
        self.head = nn.Linear(64, 10)
        self.post_init()

    def forward(
        self, pixel_values: Tensor, order: Order | None = None, labels: Tensor | None = None
    ) -> ImageClassifierOutput:
        z = pixel_values.flatten(1)  # (B, 64)
        for index in range(len(self.layers)) if order is None else order:
            z = z + torch.tanh(self.layers[index](z))
        logits = self.head(z)
        return ImageClassifierOutput(None if labels is None else F.cross_entropy(logits, labels), logits)


def initial(
    profile: Profile, approach: Approach, base: Mapping[str, Tensor] | None = None, checkpoint: Path | None = None
) -> ToyNetwork:
    return ToyNetwork(ToyConfig(num_hidden_layers=profile.backbone.layers))


def restored(config: Mapping[str, object]) -> ToyNetwork:
    return ToyNetwork(ToyConfig(**config))
