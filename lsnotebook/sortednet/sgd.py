"""Algorithm 1 with gradient accumulation, by SGD with momentum and a cosine schedule: Tables 5 and 6's training.

For each batch a sub-model of its own is drawn; the gradients of several batches are averaged, and then one update moves
what at least one of these sub-models uses. Weight decay and momentum move nothing else, either.
"""

import itertools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.core.randomness import stream
from lsnotebook.data.augmentation import augmented
from lsnotebook.data.batches import Batches
from lsnotebook.sortednet.convolutions import Part, blocks_of, is_mobilenet, skeleton, touched
from lsnotebook.sortednet.submodels import run
from lsnotebook.sortednet.updates import Drawn

if TYPE_CHECKING:
    from lsnotebook.sortednet.convolution_profiles import ConvolutionStudy, Setting

MOMENTUM, WEIGHT_DECAY = 0.9, 5e-4
"""The paper's (Table 7)."""


class DivergedError(LsnotebookError, RuntimeError):
    """A loss that is not finite."""


def optimizer_of(network: nn.Module) -> torch.optim.SGD:
    """SGD whose momentum is there, and zero, before the first step: so that what is outside of the first sub-models has
    no momentum after it."""
    optimizer = torch.optim.SGD(network.parameters(), momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    for parameter in network.parameters():
        optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return optimizer


def cosine(update: int, updates: int) -> float:
    """The share of the learning rate at an update: from one down to zero, along half a cosine."""
    return (1 + math.cos(math.pi * update / updates)) / 2


def drawn(network: PreTrainedModel, widths: int, seed: int, batch: int) -> Part:
    """The sub-model of a batch: some of the width, and of a network that can be cut in depth some of the blocks."""
    rng = stream(seed, "sub-model", batch)
    width = int(rng.integers(1, widths + 1))
    return Part(width, widths, int(rng.integers(1, blocks_of(network) + 1)) if is_mobilenet(network) else None)


def fit(
    network: PreTrainedModel,
    optimizer: torch.optim.SGD,
    images: tuple[Tensor, Tensor],
    study: "ConvolutionStudy",
    setting: "Setting",
    seed: int,
    start: int = 0,
) -> Iterator[float]:
    """Train on images (N, channels, height, width) and labels (N,) from update `start` on; yields the mean loss of each
    update. Raises `DivergedError`."""
    (pixels, labels), (count, updates) = images, setting
    batches = enumerate(Batches(len(labels), study.batch_size, seed, start * count, updates * count), start * count)
    network.train()
    skeletons: dict[Part, PreTrainedModel] = {}
    for update in range(start, updates):
        parts, total = set(), 0.0
        for batch, chosen in itertools.islice(batches, count):
            parts.add(part := drawn(network, study.widths, seed, batch))
            if part not in skeletons:
                skeletons[part] = skeleton(network, part)
            seen = pixels[chosen]
            if study.images.augment:
                seen = augmented(seen, stream(seed, "augment", batch))
            loss = run(skeletons[part], seen, labels=labels[chosen]).loss / count
            loss.backward()
            total += loss.item()
        if not math.isfinite(total):
            raise DivergedError(f"The loss is {total} at update {update}; lower the learning rate.")
        for group in optimizer.param_groups:
            group["lr"] = study.learning_rate * cosine(update, updates)
        Drawn(touched([skeletons[part] for part in parts])).update_only()
        optimizer.step()
        optimizer.zero_grad()
        yield total


@torch.no_grad()
def accuracy(small: PreTrainedModel, images: tuple[Tensor, Tensor]) -> float:
    """The share of some images and labels that a network classifies correctly."""
    small.eval()
    chunks = zip(*(part.split(250) for part in images), strict=True)
    return sum(int((small(x).logits.argmax(-1) == y).sum()) for x, y in chunks) / len(images[1])
