"""The order of least peak memory, by best-first search; proven where the search comes to an end.

It is exact by itself: ROAM divides the graph and gives the pieces to an integer program. What makes it quick is a
lossless rule, `settle`: an operator that fits below the peak and leaves no more live bytes can run at once. Whatever
the best order is, moving this operator to the front raises no later step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from lsnotebook.roam.graph import Graph, Schedule, peak
from lsnotebook.roam.orders import CHOICES, Partial, lescea

LIMIT = 2_000


@dataclass(frozen=True)
class Found:
    """The best order that the search has found."""

    order: Schedule
    peak: int
    """In bytes."""
    proven: bool
    """Whether no order needs less."""
    bound: int
    """Every order needs at least so many bytes; the peak itself where it is proven."""
    states: int
    """How many partial orders were expanded."""


def lower_bound(graph: Graph) -> int:
    """What the largest operator needs by itself: what it reads and what it makes."""
    needed = graph.made.copy()
    for size, readers in zip(graph.sizes, graph.readers, strict=True):
        for operator in readers:
            needed[operator] += size
    return max(needed, default=0)


def settle(partial: Partial, bound: int) -> None:
    """Run at once whatever fits below `bound` and leaves no more live bytes: it loses no order with such a peak."""
    progress = True
    while progress:
        progress = False
        for operator in partial.ready.copy():
            during, after = partial.cost(operator)
            if during <= bound and after <= partial.live:
                partial.run(operator)
                progress = True


def completed(partial: Partial, bound: int, choose: Callable[[Partial], int] = lescea) -> Schedule:
    """A partial order to the end, greedily but for the rule."""
    partial = partial.copy()
    settle(partial, bound)
    while partial.ready:
        partial.run(choose(partial))
        settle(partial, max(bound, partial.peak))
    return partial.order


def optimum(graph: Graph, limit: int = LIMIT) -> Found:
    """The order of least peak memory. After `limit` states the search stops; then the best order so far is not proven,
    but no order has a peak below `bound`."""
    bound = lower_bound(graph)
    orders = [completed(Partial(graph), bound, choose) for choose in CHOICES.values()]
    best = min(orders, key=lambda order: peak(graph, order))
    least, numbers = peak(graph, best), count()
    seen: set[int] = set()
    waiting = [(bound, 0, 0, Partial(graph))]
    while waiting:
        low, *_, partial = heappop(waiting)
        if low >= least:
            break
        bound = low
        settle(partial, bound)
        if not partial.ready:  # nothing that waits has a lower peak
            best, least = partial.order, bound
            break
        if partial.done in seen:
            continue
        if len(seen) == limit:
            order = completed(partial, bound)
            best = min(best, order, key=lambda one: peak(graph, one))
            least = peak(graph, best)
            return Found(best, least, least == bound, bound, len(seen))
        seen.add(partial.done)
        for operator in partial.ready:
            child = partial.copy()
            child.run(operator)
            low = max(bound, child.peak)
            if low < least:
                heappush(waiting, (low, -child.done.bit_count(), next(numbers), child))
    return Found(best, peak(graph, best), True, peak(graph, best), len(seen))
