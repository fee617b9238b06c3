"""Algorithm 1 with gradient accumulation, by SGD with momentum and a cosine schedule: Tables 5 and 6's training.

For each batch a sub-model of its own is drawn; the gradients of `accumulation` batches are averaged, and then one
update moves what at least one of these sub-models uses. Weight decay and momentum move nothing else, either.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.core.randomness import stream
from lsnotebook.data.augmentation import augmented
from lsnotebook.data.batches import Batches
from lsnotebook.sortednet.convolutions import Part, blocks_of, skeleton, touched
from lsnotebook.sortednet.submodels import run, tensors
from lsnotebook.sortednet.updates import update_only


class DivergedError(LsnotebookError, RuntimeError):
    """A loss that is not finite."""


@dataclass(frozen=True)
class Setting:
    """How one network is trained. The paper's values (Table 7)."""

    accumulation: int
    """Batches of an update."""
    updates: int
    widths: int = 4
    """Sub-models have 1, 2 ... so many of as many parts of the width, each as likely."""
    depth: bool = False
    """Whether the number of first blocks is drawn, too."""
    batch_size: int = 128
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    augment: bool = True

    @property
    def batches(self) -> int:
        return self.accumulation * self.updates


def optimizer_of(network: nn.Module, setting: Setting) -> torch.optim.SGD:
    """SGD whose momentum is there, and zero, before the first step: so that what is outside of the first sub-models has
    no momentum after it."""
    optimizer = torch.optim.SGD(
        network.parameters(), setting.learning_rate, setting.momentum, weight_decay=setting.weight_decay
    )
    for parameter in network.parameters():
        optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return optimizer


def learning_rate(setting: Setting, update: int) -> float:
    """From the setting's down to zero, along half a cosine."""
    return setting.learning_rate * (1 + math.cos(math.pi * update / setting.updates)) / 2


def drawn(setting: Setting, blocks: int, seed: int, batch: int) -> Part:
    """The sub-model of a batch."""
    rng = stream(seed, "sub-model", batch)
    width = int(rng.integers(1, setting.widths + 1))
    return Part(width, setting.widths, int(rng.integers(1, blocks + 1)) if setting.depth else None)


def fit(
    network: PreTrainedModel,
    optimizer: torch.optim.SGD,
    pixels: Tensor,
    labels: Tensor,
    setting: Setting,
    seed: int,
    start: int = 0,
) -> Iterator[float]:
    """Train on images (N, channels, height, width) and labels (N,) from update `start` on; yields the mean loss of each
    update. Raises `DivergedError`."""
    count, blocks = setting.accumulation, blocks_of(network)
    batches = iter(Batches(len(labels), setting.batch_size, seed, start * count, setting.batches))
    parameters, weights = tensors(network.train()), dict(network.named_parameters())
    skeletons: dict[Part, PreTrainedModel] = {}
    for update in range(start, setting.updates):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(setting, update)
        parts = [drawn(setting, blocks, seed, update * count + k) for k in range(count)]
        total = 0.0
        for k, part in enumerate(parts):
            if part not in skeletons:
                skeletons[part] = skeleton(network, part)
            chosen = next(batches)
            images = pixels[chosen]
            if setting.augment:
                images = augmented(images, stream(seed, "augment", update * count + k))
            loss = run(skeletons[part], parameters, images, labels=labels[chosen]).loss / count
            loss.backward()
            total += loss.item()
        if not math.isfinite(total):
            raise DivergedError(f"The loss is {total} at update {update}; lower the learning rate.")
        update_only(touched(weights, [skeletons[part] for part in set(parts)]).items())
        optimizer.step()
        optimizer.zero_grad()
        yield total


@torch.no_grad()
def accuracy(small: PreTrainedModel, pixels: Tensor, labels: Tensor) -> float:
    """The share of the images that a network classifies correctly."""
    small.eval()
    chunks = zip(pixels.split(250), labels.split(250), strict=True)
    return sum(int((small(x).logits.argmax(-1) == y).sum()) for x, y in chunks) / len(labels)
