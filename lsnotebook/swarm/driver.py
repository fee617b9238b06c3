"""Turns a router: real nodes and simulated ones take the same loop, and give the same columns.

Time is counted in hops, the usual duration of one: so are patience and deadline, which then mean the same on every
machine.
"""

import heapq
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import pandas as pd

from lsnotebook.swarm.hops import Action, Answer, Block, Hop, Node, SwarmError
from lsnotebook.swarm.router import Router

Times: TypeAlias = Sequence[float] | np.ndarray


@dataclass(frozen=True)
class Finished:
    """A node has run a hop."""

    hop: Hop
    result: Any = field(default=None, compare=False)
    """What the request is after it; None where nothing is computed."""


@dataclass(frozen=True)
class Died:
    """A node was found dead."""

    node: Node


@dataclass(frozen=True)
class Joined:
    """A node is there, and ready."""

    node: Node
    blocks: tuple[Block, ...]


Event: TypeAlias = Finished | Died | Joined


@dataclass(frozen=True)
class Fault:
    """What is done to a node, and when: it is killed, its process crashes, it gets slower, or it joins with blocks."""

    time: float
    kind: Literal["kill", "crash", "slow", "join"]
    node: Node
    factor: float = 1.0
    blocks: tuple[Block, ...] = ()


class World(Protocol):
    """Nodes that run hops, and a clock that counts in hops."""

    def now(self) -> float:
        """The time, in hops."""

    def begin(self, hop: Hop) -> None:
        """Let its node run a hop."""

    def counts(self, event: Finished) -> None:
        """The hop's result is its request's state from now on; that of a hop that was given up never is."""

    def answered(self, request: int) -> None:
        """A request is answered from its state after the last hop that counts."""

    def cause(self, fault: Fault) -> None:
        """Do something to a node."""

    def next(self, until: float) -> Event | None:
        """What happens next; None where nothing does before `until`."""


def drive(
    router: Router,
    world: World,
    arrivals: Times,
    faults: Iterable[Fault] = (),
    patience: float = math.inf,
    deadline: float = math.inf,
    in_flight: int | None = None,
) -> pd.DataFrame:
    """Serve requests that arrive at these times, and let these faults happen; all times in hops.

    A request whose hop takes longer than `patience`, or that waits as long for the next one, goes on without the node
    or the layer; at `deadline` after its arrival it is answered from what has run. With `in_flight`, so many arrive at
    their times, and each of the others when one is answered. One row for each request, in the order of their arrival:

    - `request`, `born`, `answered`: the latter two are times
    - `route`: the blocks that it ran, a tuple of (network, layer)
    - `nodes`, `begun`, `ended`: where and when it ran them, tuples as long
    - `retries`: hops that were begun and given up
    - `layers`: how many layers it ran

    Raises `SwarmError` where requests are left that nobody will ever answer.
    """
    course = _Course(router, world, arrivals, patience, deadline, in_flight)
    for fault in faults:
        course.at(fault.time, course.befall, fault)
    while len(course.rows) < len(arrivals):
        course.go_on()
    return pd.DataFrame([course.rows[request] for request in range(len(arrivals))])


class _Course:
    """What has happened so far, and what will at a time that is known already."""

    def __init__(
        self,
        router: Router,
        world: World,
        arrivals: Times,
        patience: float,
        deadline: float,
        in_flight: int | None,
    ):
        self.router, self.world, self.patience, self.deadline = router, world, patience, deadline
        self.arrivals, self.in_flight = arrivals, in_flight
        self.rows: dict[int, dict[str, Any]] = {}
        self._born: dict[int, float] = {}
        self._begun: dict[int, float] = {}
        self._ended: dict[int, float] = {}
        self._routes: dict[int, list[int]] = {}
        self._moves: dict[int, int] = {}
        self._timers: list[tuple[float, int, partial[list[Action]]]] = []
        self._numbers = itertools.count()
        first = len(arrivals) if in_flight is None else in_flight
        for request, time in enumerate(arrivals[:first]):
            self.at(time, self.arrive, request)
        self._following = iter(range(len(arrivals))[first:])

    def at(self, time: float, happen: Callable[..., list[Action]], *of: Any) -> None:
        if time < math.inf:
            heapq.heappush(self._timers, (time, next(self._numbers), partial(happen, *of)))

    def go_on(self) -> None:
        """Do what follows from the next event in the world, or from the next that was to come at a time."""
        event = self.world.next(self._timers[0][0] if self._timers else math.inf)
        if event:
            actions = self.told(event)
        elif self._timers:
            actions = heapq.heappop(self._timers)[2]()
        else:
            raise SwarmError(
                f"{len(self.arrivals) - len(self.rows)} requests wait for layers that no living node holds, and no "
                "node will join: give the swarm a deadline, spare nodes, or a rule that skips layers."
            )
        for action in actions:
            if isinstance(action, Answer):
                self.answer(action)
            else:
                self._begun[action.number] = self.world.now()
                self.moved(action.request)
                self.world.begin(action)

    def told(self, event: Event) -> list[Action]:
        if isinstance(event, Died):
            return self.router.died(event.node)
        if isinstance(event, Joined):
            return self.router.joined(event.node, event.blocks)
        hop = event.hop
        self._ended[hop.number] = self.world.now()
        if self.router.expects(hop):
            self.world.counts(event)
            self._routes[hop.request].append(hop.number)
            self.moved(hop.request)
        return self.router.finished(hop)

    def arrive(self, request: int) -> list[Action]:
        self._born[request] = self.world.now() if self.in_flight else float(self.arrivals[request])
        self._routes[request], self._moves[request] = [], 0
        self.moved(request)
        self.at(self._born[request] + self.deadline, self.router.due, request)
        return self.router.arrived(request)

    def moved(self, request: int) -> None:
        """Patience begins anew whenever something happens to a request."""
        self._moves[request] += 1
        self.at(self.world.now() + self.patience, self.lose_patience, request, self._moves[request])

    def lose_patience(self, request: int, moves: int) -> list[Action]:
        if request not in self.router.requests or self._moves[request] > moves:
            return []
        actions = self.router.lost_patience(request)
        one = self.router.requests.get(request)
        if one and (one.hop or self.router.rule != "pipeline"):  # in a pipeline there is nothing else to wait for
            self.moved(request)
        return actions

    def befall(self, fault: Fault) -> list[Action]:
        self.world.cause(fault)
        return []

    def answer(self, answer: Answer) -> None:
        self.world.answered(answer.request)
        hops = self._routes.pop(answer.request)
        self.rows[answer.request] = {
            "request": answer.request,
            "born": self._born[answer.request],
            "answered": self.world.now(),
            "route": answer.route,
            "nodes": answer.nodes,
            "begun": tuple(self._begun[hop] for hop in hops),
            "ended": tuple(self._ended[hop] for hop in hops),
            "retries": answer.retries,
            "layers": len(answer.route),
        }
        if (new := next(self._following, None)) is not None:
            self.at(self.world.now(), self.arrive, new)


def poisson(rate: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """The times of `count` arrivals at `rate` a hop."""
    return np.cumsum(rng.exponential(1 / rate, count))
