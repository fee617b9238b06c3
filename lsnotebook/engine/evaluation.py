"""Accuracy of forward passes over a data set: every batch is read once for all of them."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from joblib import cpu_count
from torch import Tensor
from torch.utils.data import Dataset
from transformers.utils import ModelOutput

from lsnotebook.data.batches import in_turn, reading

READERS = 16
"""DataLoader workers at most: each prefetches two batches."""
BATCH, PIXELS = 500, 250 * 3 * 224**2
"""Images of a batch on a CPU, and the values of their pixels, at most: the activations of large images fill memory."""
Measure = Callable[[ModelOutput, Tensor], Tensor]
"""A value for each image (B,), from an output and the labels (B,)."""


def top1(output: ModelOutput, labels: Tensor) -> Tensor:
    return output.logits.argmax(-1) == labels


def top5(output: ModelOutput, labels: Tensor) -> Tensor:
    return (output.logits.topk(min(5, output.logits.shape[-1])).indices == labels[:, None]).any(-1)


def cross_entropy(output: ModelOutput, labels: Tensor) -> Tensor:
    return F.cross_entropy(output.logits.float(), labels, reduction="none")


MEASURES: Mapping[str, Measure] = {"top1": top1, "top5": top5, "loss": cross_entropy}


def score(
    outputs: Callable[[Tensor], Iterable[ModelOutput]],
    images: Dataset,
    device: torch.device | str = "cpu",
    batch_size: int | None = None,
    measures: Mapping[str, Measure] = MEASURES,
) -> pd.DataFrame:
    """The mean of each measure over the images: one row for each of the `outputs` of a batch (of a model in several
    orders, of several models), of which one is held at a time.

    Without autograd; on a GPU in bf16, as in training, with a DataLoader worker for each core. By default the batches
    are of `BATCH` small images, and on a GPU of 250.
    """
    sums, on_gpu = 0.0, torch.device(device).type == "cuda"
    batch_size = batch_size or (250 if on_gpu else min(BATCH, max(1, PIXELS // images[0][0].numel())))
    batches = in_turn(images, batch_size, device, min(cpu_count(), READERS) if on_gpu else 0)
    with reading(), torch.inference_mode(), torch.autocast("cuda", torch.bfloat16, enabled=on_gpu):
        for pixel_values, labels in batches:
            found, labels = outputs(pixel_values.to(device)), labels.to(device)
            sums += np.array([[of(output, labels).sum().item() for of in measures.values()] for output in found])
    return pd.DataFrame(sums / len(images), columns=list(measures))
