"""Where each block lies in one arena: blocks that are there at the same time must not overlap.

No layout is smaller than the most bytes that are live at once. How much larger it is, is fragmentation.
"""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np

from lsnotebook.roam.graph import Graph, Schedule, lifetimes, live

ALIGNMENT = 64
"""Bytes that every address is a multiple of, as torch's allocator on the CPU has it."""


class Block(NamedTuple):
    """A rectangle in the plane of time and address, without its address."""

    first: int
    last: int
    size: int


Layout = Sequence[int]
"""For each block its address, in bytes."""


def blocks(graph: Graph, order: Schedule) -> list[Block]:
    """The blocks of a graph in an order, their sizes rounded up to the alignment."""
    return [
        Block(first, last, -(-size // ALIGNMENT) * ALIGNMENT)
        for (first, last), size in zip(lifetimes(graph, order), graph.sizes, strict=True)
    ]


def placed(them: Sequence[Block], sequence: Sequence[int], tightest: bool = False) -> Layout:
    """Place the blocks one after another, each at the lowest address that is free for as long as it lives; or, where
    asked, in the tightest gap."""
    first, last, size = (np.array([block[k] for block in them], dtype=np.int64) for k in range(3))
    address: np.ndarray = np.full(len(them), -1, dtype=np.int64)
    for block in sequence:
        beside = np.flatnonzero((address >= 0) & (first <= last[block]) & (first[block] <= last) & (size > 0))
        beside = beside[np.argsort(address[beside])]
        starts: np.ndarray = np.append(address[beside], np.iinfo(np.int64).max)
        ends: np.ndarray = np.append(0, np.maximum.accumulate(address[beside] + size[beside]))
        gaps = starts - ends
        fitting = np.flatnonzero(gaps >= size[block])
        address[block] = ends[fitting[np.argmin(gaps[fitting])] if tightest else fitting[0]]
    return address.tolist()


def omnimalloc(them: Sequence[Block]) -> Layout:
    """The layout of the package omnimalloc, which is not needed elsewhere: where it is installed."""
    from omnimalloc import Allocation, allocate

    given = [(k, block.size, block.first, block.last + 1) for k, block in enumerate(them) if block.size]
    found = allocate([Allocation(*one) for one in given])
    offsets = {one.id: one.offset for one in found}
    return [offsets.get(number, 0) for number in range(len(them))]


def by(them: Sequence[Block], key: Callable[[Block], int]) -> list[int]:
    """The numbers of the blocks, those with the lowest key first."""
    return sorted(range(len(them)), key=lambda one: key(them[one]))


LAYOUTS: dict[str, Callable[[Sequence[Block]], Layout]] = {
    "first fit": lambda them: placed(them, by(them, lambda block: block.first)),
    "best fit": lambda them: placed(them, by(them, lambda block: block.first), tightest=True),
    "longest-lived first": lambda them: placed(them, by(them, lambda block: block.first - block.last)),
    "largest first": lambda them: placed(them, by(them, lambda block: -block.size)),
    **({"omnimalloc": omnimalloc} if find_spec("omnimalloc") else {}),
}
"""By name, how blocks are placed. First and best fit take them as they are allocated, as an allocator must that does
not know the future; the others need the whole step beforehand."""


def layouts(them: Sequence[Block]) -> dict[str, Layout]:
    """Every layout by name."""
    return {name: place(them) for name, place in LAYOUTS.items()}


def extent(them: Sequence[Block], layout: Layout) -> int:
    """The bytes of the arena that a layout needs."""
    return max((address + block.size for address, block in zip(layout, them, strict=True)), default=0)


def least(graph: Graph, order: Schedule) -> int:
    """The most aligned bytes that are live at once: no layout is smaller."""
    return max(live(graph, order, [block.size for block in blocks(graph, order)]), default=0)


def best(them: Sequence[Block]) -> Layout:
    return min(layouts(them).values(), key=lambda layout: extent(them, layout))
