"""More ways to draw sizes, in a module by itself, so that no run of `samplers` depends on them."""

from dataclasses import dataclass

import numpy as np

from lsnotebook.core.orders import Order, Sampler
from lsnotebook.sortednet.samplers import Prefix


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
