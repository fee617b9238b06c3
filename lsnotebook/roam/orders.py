"""Orders of a step's operators that take no search: the program's, weights updated at once, and three heuristics."""

from __future__ import annotations

from collections.abc import Callable

from lsnotebook.roam.graph import Graph, Schedule


class Partial:
    """The beginning of an order: which operators have run, which can run next, and the memory so far."""

    def __init__(self, graph: Graph):
        self.graph, self.done, self.live, self.peak = graph, 0, 0, 0
        self.ready = [operator for operator, needed in enumerate(graph.before) if not needed]
        self.ran: tuple | None = None
        """The operators that have run, the last one first: (operator, those before)."""

    def copy(self) -> Partial:
        other = object.__new__(Partial)
        other.graph, other.done, other.live, other.peak = self.graph, self.done, self.live, self.peak
        other.ready, other.ran = self.ready.copy(), self.ran
        return other

    def cost(self, operator: int) -> tuple[int, int]:
        """The bytes that are live while a ready operator runs next, and after it."""
        graph, done = self.graph, self.done | 1 << operator
        during = self.live + graph.made[operator]
        freed = sum(graph.sizes[block] for block in graph.freeable[operator] if not graph.users[block] & ~done)
        return during, during - freed

    def run(self, operator: int) -> None:
        during, after = self.cost(operator)
        self.peak, self.live = max(self.peak, during), after
        self.done |= 1 << operator
        self.ready.remove(operator)
        self.ready += [one for one in self.graph.after[operator] if not self.graph.waits[one] & ~self.done]
        self.ran = (operator, self.ran)

    @property
    def order(self) -> list[int]:
        found, ran = [], self.ran
        while ran:
            operator, ran = ran
            found.append(operator)
        return found[::-1]


def listed(graph: Graph, choose: Callable[[Partial], int]) -> Schedule:
    """List scheduling: run whichever of the operators that can run next is chosen."""
    partial = Partial(graph)
    while partial.ready:
        partial.run(choose(partial))
    return partial.order


def lescea(partial: Partial) -> int:
    """LESCEA's choice: of the operators that do not raise the peak so far the one that leaves the fewest live bytes;
    where all raise it, the one that raises it least. As in the authors' repository, which compares ROAM with it."""
    costs = {operator: partial.cost(operator) for operator in partial.ready}
    if fitting := [operator for operator, (during, _) in costs.items() if during <= partial.peak]:
        return min(fitting, key=lambda operator: (costs[operator][1], operator))
    return min(costs, key=lambda operator: (costs[operator][0], operator))


CHOICES: dict[str, Callable[[Partial], int]] = {
    "program": lambda partial: min(partial.ready),
    "update at once": lambda partial: min(partial.ready, key=lambda one: (one not in partial.graph.updates, one)),
    "breadth first": lambda partial: partial.ready[0],
    "depth first": lambda partial: partial.ready[-1],
    "LESCEA": lescea,
}
"""By name, what chooses the next operator. "Program": all weights are updated after the backward pass, as an
optimizer's `step` does. Breadth first takes the operator that has been ready for longest, depth first the newest."""


def heuristic(graph: Graph) -> dict[str, Schedule]:
    """The orders of all `CHOICES`."""
    return {name: listed(graph, choose) for name, choose in CHOICES.items()}
