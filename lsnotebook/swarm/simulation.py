"""A swarm on a virtual clock: what thousands of nodes would do, in seconds."""

import heapq
import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lsnotebook.swarm.driver import Died, Fault, Finished, Joined, drive
from lsnotebook.swarm.hops import Block, Hop, Node
from lsnotebook.swarm.router import Router


class Simulation:
    """Nodes whose hops take one unit of time, more where they are slow or by chance.

    A hop takes its node's factor times 1 + `jitter` x E, with E exponential of mean 1. A death is noticed `notice`
    after it, and a node that joins is ready `starting` after it was asked for.
    """

    def __init__(
        self,
        nodes: Mapping[Node, tuple[Block, ...]],
        jitter: float = 0.0,
        notice: float = 0.0,
        starting: float = 0.0,
        rng: np.random.Generator | None = None,
    ):
        self.jitter, self.notice, self.starting = jitter, notice, starting
        self._rng = rng or np.random.default_rng(0)
        self._time, self._order = 0.0, itertools.count()
        self._slow: dict[Node, float] = {}
        self._dead: set[Node] = set()
        self._events: list[tuple[float, int, Finished | Died | Joined]] = []
        for node, blocks in nodes.items():
            self._at(0.0, Joined(node, blocks))

    def now(self) -> float:
        return self._time

    def begin(self, hop: Hop) -> None:
        if hop.node not in self._dead:  # else its death is about to be noticed
            late = self.jitter * self._rng.exponential() if self.jitter else 0.0
            self._at(self._time + self._slow.get(hop.node, 1.0) * (1 + late), Finished(hop))

    def counts(self, event: Finished) -> None:
        pass

    def answered(self, request: int) -> None:
        pass

    def cause(self, fault: Fault) -> None:
        if fault.kind in ("kill", "crash"):
            self._dead.add(fault.node)
            self._at(self._time + self.notice, Died(fault.node))
        elif fault.kind == "slow":
            self._slow[fault.node] = fault.factor
        else:
            self._at(self._time + self.starting, Joined(fault.node, fault.blocks))

    def next(self, until: float) -> Finished | Died | Joined | None:
        while self._events and self._events[0][0] <= until:
            self._time, _, event = heapq.heappop(self._events)
            if not (isinstance(event, Finished) and event.hop.node in self._dead):
                return event
        self._time = max(self._time, until)
        return None

    def _at(self, time: float, event: Finished | Died | Joined) -> None:
        heapq.heappush(self._events, (time, next(self._order), event))


def simulate(
    layers: int,
    held: Mapping[Node, Sequence[Block]],
    arrivals: Sequence[float],
    rule: str = "nearly",
    faults: Sequence[Fault] = (),
    patience: float = math.inf,
    deadline: float = math.inf,
    in_flight: int | None = None,
    rng: np.random.Generator | None = None,
    **nodes: float,
) -> pd.DataFrame:
    """The rows of `driver.drive` on nodes that hold these blocks; `nodes` are jitter, notice, starting (`Simulation`).

    Raises `SwarmError`.
    """
    rng = rng or np.random.default_rng(0)
    networks = 1 + max((block.network for blocks in held.values() for block in blocks), default=0)
    router = Router(layers, rule, networks, seed=int(rng.integers(2**32)))
    world = Simulation({node: tuple(blocks) for node, blocks in held.items()}, rng=rng, **nodes)
    return drive(router, world, arrivals, faults, patience, deadline, in_flight)
