"""Orders: what runs, and when. Every approach is a way to draw one (§3.2, §4.2).

A *layer* is known by its index 0 ... L-1, an *order* is a sequence of layer indices, a *position* a place in it.
A *sampler* draws an order from the number of layers and a random generator. Here are those that networks are trained
with; those of evaluations alone are in `draws`, since a change here can make every run stale.
"""

import operator
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lsnotebook.core.errors import LsnotebookError

Order = tuple[int, ...]


class OrderError(LsnotebookError, ValueError):
    """A sequence that is no order for the model at hand."""


class Sampler:
    """A way to draw orders: each is a frozen dataclass, whose `repr` stands for it in recipes."""

    policy: str
    """Its name in tables, and in the purpose of its random stream in evaluations."""
    skips_layers = False
    """Whether an order may leave layers out, which then have no gradient."""

    def __call__(self, layers: int, rng: np.random.Generator) -> Order:
        raise NotImplementedError

    def is_deterministic(self, layers: int) -> bool:
        """Whether a model of so many layers has one such order only."""
        return False


@dataclass(frozen=True)
class Sequential(Sampler):
    """0, 1, ... L-1: the order that the model was pre-trained in."""

    policy = "sequential"

    def __call__(self, layers: int, rng: np.random.Generator | None = None) -> Order:
        return tuple(range(layers))

    def is_deterministic(self, layers: int) -> bool:
        return True


@dataclass(frozen=True)
class Arbitrary(Sampler):
    """A uniform permutation of all layers (LayerShuffle, Algorithm 1)."""

    policy = "arbitrary"

    def __call__(self, layers: int, rng: np.random.Generator) -> Order:
        return tuple(rng.permutation(layers).tolist())


@dataclass(frozen=True)
class LayerDrop(Sampler):
    """In sequence, each layer left out with probability `p` (LayerDrop, §4.2); never all of them."""

    p: float = 0.2
    policy = "layerdrop"
    skips_layers = True

    def __call__(self, layers: int, rng: np.random.Generator) -> Order:
        kept = np.flatnonzero(rng.random(layers) >= self.p)
        return tuple(kept.tolist()) or self(layers, rng)


sequential, arbitrary, layerdrop = Sequential(), Arbitrary(), LayerDrop()


def check_order(order: Iterable[int], layers: int) -> Order:
    """Return `order` as a tuple of ints, or raise `OrderError` in one sentence.

    Any non-empty sequence of the indices 0 ... `layers`-1 is an order, repeats and omissions included.
    """
    try:
        checked = tuple(operator.index(index) for index in order)
    except TypeError:
        raise OrderError(f"An order is a sequence of layer indices such as [0, 2, 1], but got {order!r}.") from None
    if not checked:
        raise OrderError(f"The order is empty; name at least one layer from 0 to {layers - 1}.")
    unknown = sorted({index for index in checked if not 0 <= index < layers})
    if unknown:
        raise OrderError(
            f"The order names layer {', '.join(map(str, unknown))}, but this model's layers are 0 to {layers - 1}; "
            "leave it out or take another index."
        )
    return checked
