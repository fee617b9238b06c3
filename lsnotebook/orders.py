"""Orders: what runs, and when. Everything in the paper is a way to draw one (§3.2, §4.1-4.4).

A *layer* is known by its index 0 ... L-1, an *order* is a sequence of layer indices, a *position* a place in it.
A sampler is a pure function of the number of layers and a random generator.
"""

import operator
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from lsnotebook.randomness import stream

Order = tuple[int, ...]
Sampler = Callable[[int, np.random.Generator], Order]


class OrderError(ValueError):
    """A sequence that is no order for the model at hand."""


def check_order(order: Iterable[int], layers: int) -> Order:
    """Return `order` as a tuple of ints, or raise `OrderError` in one sentence.

    Any sequence of the indices 0 ... `layers`-1 is an order: repeats and omissions included, but not nothing.
    """
    try:
        checked = tuple(operator.index(index) for index in order)
    except TypeError:
        raise OrderError(f"An order is a sequence of layer indices such as [0, 2, 1], but got {order!r}.") from None
    if not checked:
        raise OrderError(f"The order is empty; name at least one layer from 0 to {layers - 1}.")
    unknown = sorted({index for index in checked if not 0 <= index < layers})
    if unknown:
        names = ", ".join(map(str, unknown))
        raise OrderError(
            f"The order names layer {names}, but this model's layers are 0 to {layers - 1}; "
            "leave it out or take another index."
        )
    return checked


def sequential(layers: int, rng: np.random.Generator | None = None) -> Order:
    """0, 1, ... L-1: the order that the model was pre-trained in. `rng` is not used."""
    return tuple(range(layers))


def arbitrary(layers: int, rng: np.random.Generator) -> Order:
    """A uniform permutation of all layers (LayerShuffle, Algorithm 1)."""
    return tuple(rng.permutation(layers).tolist())


POLICIES: dict[str, Sampler] = {"sequential": sequential, "arbitrary": arbitrary}


def draw(policy: str, layers: int, count: int, seed: int = 0) -> list[Order]:
    """`count` orders of a policy for an evaluation: the k-th is the same whatever the count.

    A policy without chance has one order only, and gives that one.
    """
    if policy == "sequential":
        return [sequential(layers)]
    sampler = POLICIES[policy]
    return [sampler(layers, stream(seed, f"evaluate {policy}", k)) for k in range(count)]


def inversions(order: Sequence[int]) -> int:
    """Pairs of layers that run in the other order than in the original: 0 in sequence, L(L-1)/2 reversed.

    Kendall's tau distance from the original order; repeats and omissions are allowed.
    """
    return sum(a > b for i, a in enumerate(order) for b in order[i + 1 :])
