"""Sorted neurons (SortedNet, D.6, Table 9): one hidden layer of ten neurons on four blobs, many networks at once.

Each parameter of all networks is one tensor with the network as its first dimension, so that 200 networks train in
seconds. Adam works element by element, so each is trained as it would be alone.

The text names no activation, and none at all fits its numbers best; that was chosen with its numbers in sight. It says
nothing of the momentum of neurons that are not drawn, either (see `updates`). The centres and deviations of its
Figure 9 are not at hand: `CENTRES` is a square where the best possible accuracy is that of the paper's data, 95 %.
"""

import itertools

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from sklearn.datasets import make_blobs
from torch import Tensor, nn

from lsnotebook.core.randomness import stream
from lsnotebook.core.source import code_version
from lsnotebook.core.store import remembered
from lsnotebook.engine.runs import one_thread
from lsnotebook.sortednet.updates import Drawn

POINTS, NEURONS, CLASSES, BATCH, EPOCHS, LEARNING_RATE = 1_000, 10, 4, 16, 10, 0.01
CENTRES, DEVIATION = ((-2.0, -2.0), (-2.0, 2.0), (2.0, -2.0), (2.0, 2.0)), 1.0
ACTIVATIONS = {"none": lambda z: z, "tanh": torch.tanh, "elu": F.elu, "relu": F.relu}
UPDATES = ("drawn", "all")
"""What a step moves: the drawn neurons alone (Algorithm 1), or all, as momentum does."""
ORDERS = ("target", "reverse")
"""The first neurons, or the last ones."""
APPROACHES = ("ordinary", "sorted")


def points() -> tuple[Tensor, Tensor]:
    """The points (1000, 2) and their classes (1000,)."""
    where, classes = make_blobs(POINTS, centers=np.array(CENTRES), cluster_std=DEVIATION, random_state=42)[:2]
    return torch.tensor(where, dtype=torch.float32), torch.tensor(classes)


def bayes() -> float:
    """The accuracy of Bayes' rule on these points: the nearest centre, since all deviations are equal."""
    where, classes = points()
    return (torch.cdist(where, torch.tensor(CENTRES)).argmin(1) == classes).float().mean().item()


class Networks(nn.Module):
    """R independent networks of H hidden neurons, each with the initial weights of two `nn.Linear`."""

    def __init__(self, count: int, activation: str, seed: int):
        super().__init__()
        generator = torch.Generator().manual_seed(int(stream(seed, "neurons").integers(2**63)))

        def uniform(*shape: int, fan_in: int) -> nn.Parameter:
            return nn.Parameter((2 * torch.rand(count, *shape, generator=generator) - 1) / fan_in**0.5)

        self.activation = ACTIVATIONS[activation]
        self.inner, self.inner_bias = uniform(2, NEURONS, fan_in=2), uniform(1, NEURONS, fan_in=2)
        self.outer, self.outer_bias = uniform(NEURONS, CLASSES, fan_in=NEURONS), uniform(1, CLASSES, fan_in=NEURONS)

    def forward(self, where: Tensor, drawn: Tensor) -> Tensor:
        """Logits (R, B, 4) at points (R, B, 2), with the `drawn` (R, H) neurons alone."""
        hidden = self.activation(where @ self.inner + self.inner_bias) * drawn[:, None]
        return hidden @ self.outer + self.outer_bias

    def moved(self, drawn: Tensor) -> dict[nn.Parameter, Tensor]:
        """Each parameter that belongs to single neurons, and where it belongs to a drawn one: a mask."""
        masks = {self.inner: drawn[:, None], self.inner_bias: drawn[:, None], self.outer: drawn[:, :, None]}
        return {one: mask.bool().expand_as(one) for one, mask in masks.items()}


def first(counts: Tensor | int, order: str = "target") -> Tensor:
    """(..., H): 1 for the first (target) or the last (reverse) so many neurons."""
    drawn = (torch.arange(NEURONS) < torch.as_tensor(counts)[..., None]).float()
    return drawn if order == "target" else drawn.flip(-1)


def trained(count: int, is_sorted: bool, activation: str = "none", update: str = "drawn", seed: int = 0) -> Networks:
    """`count` networks after training; the k-th sorted and the k-th ordinary one begin alike and see the same batches.

    Sorted: for each batch each network draws how many of its first neurons run, 1 to 10.
    """
    where, classes = points()
    networks = Networks(count, activation, seed)
    optimizer = torch.optim.Adam(networks.parameters(), lr=LEARNING_RATE)
    for epoch in range(EPOCHS):
        rng = stream(seed, "neurons' data", epoch)
        shuffled = torch.tensor(rng.permuted(np.tile(np.arange(POINTS), (count, 1)), axis=1))
        for batch in shuffled.split(BATCH, dim=1):
            counts = torch.tensor(rng.integers(1, NEURONS + 1, count)) if is_sorted else torch.full((count,), NEURONS)
            drawn = first(counts)
            logits = networks(where[batch], drawn)
            loss = F.cross_entropy(logits.flatten(0, 1), classes[batch].flatten()) * count  # each its own mean
            optimizer.zero_grad()
            loss.backward()
            if is_sorted and update == "drawn":
                Drawn(networks.moved(drawn)).update_only()
            optimizer.step()
    return networks


@torch.no_grad()
def scored(networks: Networks) -> pd.DataFrame:
    """Accuracy over all points, in %, for each network, order and number of neurons: network, order, neurons, top1."""
    (where, classes), count = points(), len(networks.inner)
    tables = []
    for order, neurons in itertools.product(ORDERS, range(NEURONS + 1)):
        drawn = first(neurons, order).expand(count, -1)
        top1 = 100 * (networks(where.expand(count, -1, -1), drawn).argmax(-1) == classes).float().mean(1)
        tables.append(pd.DataFrame({"network": range(count), "order": order, "neurons": neurons, "top1": top1.numpy()}))
    return pd.concat(tables, ignore_index=True)


def accuracies(count: int, activation: str = "none", update: str = "drawn", seed: int = 0) -> pd.DataFrame:
    """`scored` of ordinary and of sorted networks, with the column approach; in the store once it is computed."""

    def compute() -> pd.DataFrame:
        with one_thread():
            tables = [
                scored(trained(count, name == "sorted", activation, update, seed)).assign(approach=name)
                for name in APPROACHES
            ]
        return pd.concat(tables, ignore_index=True)

    arguments = {"count": count, "activation": activation, "update": update, "seed": seed}
    return remembered({"neurons": arguments, "code": code_version(__name__)}, "neurons", compute)


def by_network(table: pd.DataFrame, approach: str, order: str, neurons: int | None = None) -> np.ndarray:
    """(R,): each network's accuracy with so many neurons; None: its mean over 1 to 9."""
    there = table.query("approach == @approach and order == @order")
    there = there[there["neurons"].between(1, NEURONS - 1) if neurons is None else there["neurons"] == neurons]
    return there.groupby("network")["top1"].mean().to_numpy()
