"""Turns a router: real nodes and simulated ones take the same loop, and give the same columns.

Time is counted in hops, the usual duration of one: so are patience and deadline, which then mean the same on every
machine.
"""

import heapq
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd

from lsnotebook.swarm.hops import Action, Answer, Block, Hop, Node, SwarmError
from lsnotebook.swarm.router import Router


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

    def next(self, until: float) -> Finished | Died | Joined | None:
        """What happens next; None where nothing does before `until`."""


def drive(
    router: Router,
    world: World,
    arrivals: Sequence[float],
    faults: Iterable[Fault] = (),
    patience: float = math.inf,
    deadline: float = math.inf,
    in_flight: int | None = None,
) -> pd.DataFrame:
    """Serve requests that arrive at these times, and let these faults happen; all times in hops.

    A request whose hop takes longer than `patience`, or that waits as long for the next one, goes on without the node
    or the layer; at `deadline` after its arrival it is answered from what has run. With `in_flight`, so many arrive at
    their times, and each of the others when one is answered. One row for each request, in the order of their arrival:

        request, born, answered    the latter two are times
        route                      the blocks that it ran: a tuple of (network, layer)
        nodes, begun, ended        where and when it ran them: tuples as long
        retries                    hops that were begun and given up
        layers                     how many layers it ran

    Raises `SwarmError` where requests are left that nobody will ever answer.
    """
    number = itertools.count()
    timers: list[tuple[float, int, str, object]] = []

    def at(time: float, kind: str, what: object) -> None:
        if time < math.inf:
            heapq.heappush(timers, (time, next(number), kind, what))

    for request, time in enumerate(arrivals[:in_flight]):
        at(time, "arrival", request)
    following = iter(range(len(arrivals))[in_flight:] if in_flight else ())
    for fault in faults:
        at(fault.time, "fault", fault)
    progress = dict.fromkeys(range(len(arrivals)), 0)
    born: dict[int, float] = {}
    begun: dict[int, float] = {}
    ended: dict[int, float] = {}
    routes: dict[int, list[int]] = {request: [] for request in progress}
    rows: dict[int, dict] = {}

    def moved(request: int) -> None:
        progress[request] += 1
        at(world.now() + patience, "patience", (request, progress[request]))

    def happened() -> Iterator[Action]:
        event = world.next(timers[0][0] if timers else math.inf)
        if isinstance(event, Finished):
            ended[event.hop.number] = world.now()
            if router.expects(event.hop):
                world.counts(event)
                routes[event.hop.request].append(event.hop.number)
                moved(event.hop.request)
            yield from router.finished(event.hop)
        elif isinstance(event, Died):
            yield from router.died(event.node)
        elif isinstance(event, Joined):
            yield from router.joined(event.node, event.blocks)
        elif timers:
            _, _, kind, what = heapq.heappop(timers)
            if isinstance(what, Fault):
                world.cause(what)
            elif kind == "arrival":
                moved(what)
                born[what] = world.now() if in_flight else float(arrivals[what])
                at(born[what] + deadline, "deadline", what)
                yield from router.arrived(what)
            elif kind == "deadline":
                yield from router.due(what)
            elif what[0] in router.requests and progress[what[0]] == what[1]:
                actions = router.lost_patience(what[0])
                one = router.requests.get(what[0])
                if one and (one.hop or router.rule != "pipeline"):  # in a pipeline there is nothing else to wait for
                    moved(what[0])
                yield from actions
        else:
            waiting = len(progress) - len(rows)
            raise SwarmError(
                f"{waiting} requests wait for layers that no living node holds, and no node will join: give the swarm "
                "a deadline, spare nodes, or a rule that skips layers."
            )

    while len(rows) < len(progress):
        for action in happened():
            if isinstance(action, Answer):
                world.answered(action.request)
                numbers = routes.pop(action.request)
                rows[action.request] = {
                    "request": action.request,
                    "born": born[action.request],
                    "answered": world.now(),
                    "route": action.route,
                    "nodes": action.nodes,
                    "begun": tuple(begun[hop] for hop in numbers),
                    "ended": tuple(ended[hop] for hop in numbers),
                    "retries": action.retries,
                    "layers": len(action.route),
                }
                if (new := next(following, None)) is not None:
                    at(world.now(), "arrival", new)
            else:
                begun[action.number] = world.now()
                moved(action.request)
                world.begin(action)
    return pd.DataFrame([rows[request] for request in sorted(rows)])


def poisson(rate: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """The times of `count` arrivals at `rate` a hop."""
    return np.cumsum(rng.exponential(1 / rate, count))
