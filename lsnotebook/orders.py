"""Orders: what runs, and when. Everything in the paper is a way to draw one (§3.2, §4.1-4.4).

A *layer* is known by its index 0 ... L-1, an *order* is a sequence of layer indices, a *position* a place in it.
A sampler is a pure function of the number of layers and a random generator.
"""

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

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


def layerdrop(layers: int, rng: np.random.Generator, p: float = 0.2) -> Order:
    """In sequence, each layer left out with probability `p` (LayerDrop, §4.2); never all of them."""
    kept = np.flatnonzero(rng.random(layers) >= p)
    return tuple(kept.tolist()) or layerdrop(layers, rng, p)


@dataclass(frozen=True)
class Pruned:
    """A policy: run `keep` of the layers, in sequence or, if `shuffled`, in arbitrary order (§4.2).

    `which` says which layers stay: a "random" subset, drawn anew for each order as in the paper; "even", evenly
    spaced ones from the first to the last; or the "first" ones.
    """

    keep: int
    which: str = "random"
    shuffled: bool = False

    def __call__(self, layers: int, rng: np.random.Generator) -> Order:
        """Raises `OrderError` where the model has fewer layers."""
        if not 1 <= self.keep <= layers:
            raise OrderError(
                f"This model can keep 1 to {layers} of its layers, but not {self.keep}; take another number."
            )
        if self.which == "random":
            kept = np.sort(rng.choice(layers, self.keep, replace=False))
        elif self.which == "even":
            kept = np.linspace(0, layers - 1, self.keep).round().astype(int)
        elif self.which == "first":
            kept = np.arange(self.keep)
        else:
            raise OrderError(f"The layers to keep are one of {', '.join(KEEP)}, but got {self.which!r}.")
        return tuple((rng.permutation(kept) if self.shuffled else kept).tolist())

    def is_certain(self, layers: int) -> bool:
        """Whether there is one such order only."""
        return not self.shuffled and (self.which != "random" or self.keep == layers)

    def __str__(self) -> str:
        return "arbitrary" if self.shuffled else "sequential"


KEEP = ("random", "even", "first")
"""Which layers a pruned model keeps."""

POLICIES: dict[str, Sampler] = {"sequential": sequential, "arbitrary": arbitrary, "layerdrop": layerdrop}


def draw(policy: str | Sampler, layers: int, count: int, seed: int = 0) -> list[Order]:
    """`count` orders of a policy for an evaluation: the k-th is the same whatever the count.

    A policy without chance has one order only, and gives that one.
    """
    sampler = POLICIES[policy] if isinstance(policy, str) else policy
    if sampler is sequential or (isinstance(sampler, Pruned) and sampler.is_certain(layers)):
        count = 1
    return [sampler(layers, stream(seed, f"evaluate {policy}", k)) for k in range(count)]


def inversions(order: Sequence[int]) -> int:
    """Pairs of layers that run in the other order than in the original: 0 in sequence, L(L-1)/2 reversed.

    Kendall's tau distance from the original order; repeats and omissions are allowed.
    """
    return sum(a > b for i, a in enumerate(order) for b in order[i + 1 :])
