"""Orders for evaluations: many drawn with seeds of their own, some of them with fewer layers (§4.1, §4.2)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lsnotebook.core.orders import Order, OrderError, Sampler, arbitrary
from lsnotebook.core.randomness import stream


def draw(sampler: Sampler, layers: int, count: int, seed: int = 0) -> list[Order]:
    """`count` orders for an evaluation, or the only one of a deterministic sampler; the k-th is always the same."""
    count = 1 if sampler.is_deterministic(layers) else count
    return [sampler(layers, stream(seed, f"evaluate {sampler.policy}", k)) for k in range(count)]


KEEP = ("random", "even", "first")
"""Which layers a pruned model keeps."""


@dataclass(frozen=True)
class Pruned(Sampler):
    """Run `keep` of the layers, in sequence or, if `shuffled`, in arbitrary order (§4.2).

    `which` says which layers stay: a "random" subset, drawn anew for each order as in the paper; "even", evenly
    spaced ones from the first to the last; or the "first" ones. Random layers are those that a uniform permutation
    begins with; if `shuffled`, the k-th order of an evaluation is what the k-th of `arbitrary` begins with.
    """

    keep: int
    which: str = "random"
    shuffled: bool = False
    skips_layers = True

    @property
    def policy(self) -> str:  # type: ignore[override]  # a class attribute of the others
        return "arbitrary" if self.shuffled else "sequential"

    def __call__(self, layers: int, rng: np.random.Generator) -> Order:
        """Raises `OrderError` where the model has fewer layers."""
        if not 1 <= self.keep <= layers:
            raise OrderError(
                f"This model can keep 1 to {layers} of its layers, but not {self.keep}; take another number."
            )
        if self.which == "random":
            begins = arbitrary(layers, rng)[: self.keep]
            return begins if self.shuffled else tuple(sorted(begins))
        if self.which == "even":
            kept = np.linspace(0, layers - 1, self.keep).round().astype(int)
        elif self.which == "first":
            kept = np.arange(self.keep)
        else:
            raise OrderError(f"The layers to keep are one of {', '.join(KEEP)}, but got {self.which!r}.")
        return tuple((rng.permutation(kept) if self.shuffled else kept).tolist())

    def is_deterministic(self, layers: int) -> bool:
        return not self.shuffled and (self.which != "random" or self.keep == layers)


def inversions(order: Sequence[int]) -> int:
    """Pairs of layers that run out of their original order: 0 in sequence, L(L-1)/2 reversed.

    Kendall's tau distance from the original order; repeats and omissions are allowed.
    """
    return sum(a > b for i, a in enumerate(order) for b in order[i + 1 :])


def as_text(order: Sequence[int]) -> str:
    """An order as tables show it: "3 0 2 1"."""
    return " ".join(map(str, order))
