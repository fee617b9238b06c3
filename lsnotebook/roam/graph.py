"""A training step as a graph: operators, the blocks of memory that they make and read, and what must run before what.

A block is a storage. Views of it are the block itself. What is there before the step (weights, the optimizer's state,
the batch) is no block: the memory here is the *dynamic* memory, which comes and goes within the step.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TypeAlias

Schedule: TypeAlias = Sequence[int]
"""A permutation of all operators that respects what must run before what."""

KINDS = "gradients of weights", "activations", "the backward pass's own"


@dataclass(frozen=True)
class Graph:
    """Operators 0 … n-1 in the order of the program, and blocks 0 … m-1."""

    names: tuple[str, ...]
    """Of each operator."""
    before: tuple[frozenset[int], ...]
    """For each operator those that must have run: they make what it reads, or use what it overwrites."""
    sizes: tuple[int, ...]
    """Of each block, in bytes."""
    makers: tuple[int, ...]
    """For each block the operator that allocates it."""
    readers: tuple[frozenset[int], ...]
    """For each block the operators that use it later. It is freed after the last of them."""
    kept: frozenset[int] = frozenset()
    """Blocks that outlive the step: what it returns."""
    updates: frozenset[int] = frozenset()
    """Operators that update a weight by its gradient."""
    forward: int = 0
    """How many operators the forward pass has; they are the first."""

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def after(self) -> list[list[int]]:
        """For each operator those that wait for it."""
        waiting: list[list[int]] = [[] for _ in self.names]
        for operator, needed in enumerate(self.before):
            for one in needed:
                waiting[one].append(operator)
        return waiting

    @cached_property
    def waits(self) -> list[int]:
        """`before` as bit sets."""
        return [bits(needed) for needed in self.before]

    @cached_property
    def users(self) -> list[int]:
        """For each block its maker and its readers, as bit sets."""
        return [bits(readers) | 1 << maker for maker, readers in zip(self.makers, self.readers, strict=True)]

    @cached_property
    def made(self) -> list[int]:
        """For each operator the bytes that it allocates."""
        total = [0] * len(self)
        for maker, size in zip(self.makers, self.sizes, strict=True):
            total[maker] += size
        return total

    @cached_property
    def freeable(self) -> list[list[int]]:
        """For each operator the blocks that may be freed after it."""
        blocks: list[list[int]] = [[] for _ in self.names]
        for block, (maker, readers) in enumerate(zip(self.makers, self.readers, strict=True)):
            for operator in {maker, *readers} if block not in self.kept and self.sizes[block] else ():
                blocks[operator].append(block)
        return blocks

    def kind(self, block: int) -> str:
        """One of `KINDS`: what the block is for."""
        if self.readers[block] & self.updates:
            return KINDS[0]
        return KINDS[1 if self.makers[block] < self.forward else 2]


def bits(numbers: Iterator[int] | frozenset[int]) -> int:
    return sum(1 << number for number in numbers)


def lifetimes(graph: Graph, order: Schedule) -> list[tuple[int, int]]:
    """For each block the first and the last step, counted from 0, at which it is there."""
    at = {operator: step for step, operator in enumerate(order)}
    return [
        (at[maker], len(order) - 1 if block in graph.kept else max([at[maker], *(at[reader] for reader in readers)]))
        for block, (maker, readers) in enumerate(zip(graph.makers, graph.readers, strict=True))
    ]


def live(graph: Graph, order: Schedule, sizes: Sequence[int] | None = None) -> list[int]:
    """The bytes that are allocated while each operator runs: what it reads, what it makes, and what others still
    need. `sizes` are those of the blocks where they are others than the graph's."""
    changes = [0] * (len(order) + 1)
    for (first, last), size in zip(lifetimes(graph, order), sizes or graph.sizes, strict=True):
        changes[first] += size
        changes[last + 1] -= size
    return list(accumulate(changes))[:-1]


def peak(graph: Graph, order: Schedule) -> int:
    return max(live(graph, order), default=0)


def at_peak(graph: Graph, order: Schedule) -> dict[str, int]:
    """The bytes of each of `KINDS` at the first step of the highest memory."""
    memory = live(graph, order)
    step, found = memory.index(max(memory)), dict.fromkeys(KINDS, 0)
    for block, (first, last) in enumerate(lifetimes(graph, order)):
        found[graph.kind(block)] += graph.sizes[block] if first <= step <= last else 0
    return found
