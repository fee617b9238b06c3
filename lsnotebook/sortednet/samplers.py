"""Which size runs: the samplers of this part. They stand in the place of orders, and each batch draws one anew."""

from dataclasses import dataclass

import numpy as np

from lsnotebook.core.orders import Order, Sampler


@dataclass(frozen=True)
class Prefix(Sampler):
    """(layers, heads): each a uniform number from 1 on, or all, independently (SortedNet, Algorithm 1)."""

    heads: int
    """Of the whole network."""
    depth: bool = True
    """Whether the number of layers is drawn."""
    width: bool = True
    """Whether the number of heads is drawn."""
    policy = "prefix"
    skips_layers = True

    def __call__(self, layers: int, rng: np.random.Generator) -> Order:
        first = int(rng.integers(1, layers + 1)) if self.depth else layers
        return first, int(rng.integers(1, self.heads + 1)) if self.width else self.heads

    def is_deterministic(self, layers: int) -> bool:
        return not (self.depth or self.width)


@dataclass(frozen=True)
class Only(Sampler):
    """One size alone, as if there were no more of the network."""

    layers: int
    heads: int
    policy = "only"
    skips_layers = True

    def __call__(self, layers: int, rng: np.random.Generator | None = None) -> Order:
        return min(self.layers, layers), self.heads

    def is_deterministic(self, layers: int) -> bool:
        return True


@dataclass(frozen=True)
class Largest(Prefix):
    """(layers, heads) among the largest alone: the last quarter of the depths and the upper half of the widths, which
    are the 13 to 16 of 16 blocks and the 60 to 100 % of the width of Figure 3."""

    def __call__(self, layers: int, rng: np.random.Generator) -> Order:
        least, fewest = 3 * layers // 4 + 1, self.heads // 2 + 1
        return int(rng.integers(least, layers + 1)), int(rng.integers(fewest, self.heads + 1))


@dataclass(frozen=True)
class Several(Sampler):
    """(layers, heads, layers, heads ...): so many sizes, drawn one by one (Algorithm 1 with gradient accumulation)."""

    each: Prefix
    count: int
    policy = "several"
    skips_layers = True

    def __call__(self, layers: int, rng: np.random.Generator) -> Order:
        return tuple(number for _ in range(self.count) for number in self.each(layers, rng))
