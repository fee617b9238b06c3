"""The numbers that ROAM's authors have published, and the networks that they are of.

`published/memory.csv` is from the tables under `results/` of their repository (github.com/HuiyaoShu/ROAM): peak memory
in MiB, weights included, and seconds of planning. PyTorch's memory is its theoretical peak over one less its
fragmentation; MODeL's seconds are those of its order and of its addresses. These readings give the numbers of the
abstract (arXiv:2310.19295), which are in `published/abstract.csv`.
"""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import torch
import torchvision
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

FILES = Path(__file__).with_name("published")
NETWORKS = {
    "alexnet": "alexnet",
    "vgg": "vgg11",
    "mnasnet": "mnasnet0_5",
    "mobilenet": "mobilenet_v2",
    "efficientnet": "efficientnet_b0",
    "vit": "vit_b_16",
}
"""By the authors' name that of torchvision; all but their BERT, which is torchtext's RoBERTa."""
BATCHES = 1, 32
COMPARED = {
    "PyTorch": ("PyTorch", "ROAM, single-stream"),
    "PyTorch without fragmentation": ("PyTorch, theoretical", "ROAM, single-stream"),
    "heuristics": ("LESCEA + LLFB", "ROAM, single-stream"),
    "MODeL": ("MODeL, multi-stream", "ROAM, multi-stream"),
}
"""What ROAM is compared with: (theirs, ROAM's) in `published`."""


def published() -> pd.DataFrame:
    """The authors' tables: network and batch (as index), method, mib, seconds."""
    return pd.read_csv(FILES / "memory.csv").set_index(["network", "batch"])


def abstract() -> dict[str, float]:
    """The abstract's numbers: the memory that ROAM saves, in %, against each of those `COMPARED` that it names; and
    "planning", how many times as fast as MODeL it plans."""
    return pd.read_csv(FILES / "abstract.csv").set_index("compared")["number"].to_dict()


def saved(compared: str) -> pd.DataFrame:
    """The share of memory that ROAM saves in the published tables: networks in rows, batch sizes in columns."""
    tables = published()
    theirs, ours = (tables[tables["method"] == method]["mib"] for method in COMPARED[compared])
    return (1 - ours / theirs).unstack()


def quicker() -> pd.DataFrame:
    """How many times as long MODeL plans as ROAM: networks in rows, batch sizes in columns."""
    tables = published()
    theirs, ours = (tables[tables["method"] == method]["seconds"] for method in COMPARED["MODeL"])
    return (theirs / ours).unstack()


class Classifier(nn.Module):
    """A network of torchvision with a loss, as `capture.captured` wants it."""

    def __init__(self, name: str):
        super().__init__()
        self.network = torchvision.models.get_model(NETWORKS[name], weights=None)

    def forward(self, pixel_values: Tensor, labels: Tensor) -> SimpleNamespace:
        return SimpleNamespace(loss=cross_entropy(self.network(pixel_values), labels))


def network(name: str) -> Classifier:
    """One of `NETWORKS` on the meta device, in training mode."""
    with torch.device("meta"):
        return Classifier(name).train()


def batch(size: int) -> dict[str, Tensor]:
    """Images and labels, without values."""
    with torch.device("meta"):
        return {"pixel_values": torch.empty(size, 3, 224, 224), "labels": torch.empty(size, dtype=torch.int64)}
