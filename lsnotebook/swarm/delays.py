"""A network between nodes and router: what they report comes later than it happened, and in another sequence."""

import heapq
import itertools
import math
from collections.abc import Callable

from lsnotebook.swarm.driver import Event, Fault, Finished, World
from lsnotebook.swarm.hops import Hop


class Delayed:
    """A world whose messages take time: `delay()` draws the hops that the next one takes, so they overtake others."""

    def __init__(self, world: World, delay: Callable[[], float]):
        self.world, self.delay = world, delay
        self._on_their_way: list[tuple[float, int, Event]] = []
        self._sent = itertools.count()

    def now(self) -> float:
        return self.world.now()

    def begin(self, hop: Hop) -> None:
        self.world.begin(hop)

    def counts(self, event: Finished) -> None:
        self.world.counts(event)

    def answered(self, request: int) -> None:
        self.world.answered(request)

    def cause(self, fault: Fault) -> None:
        self.world.cause(fault)

    def next(self, until: float) -> Event | None:
        while True:
            first = self._on_their_way[0][0] if self._on_their_way else math.inf
            event = self.world.next(min(until, first))
            if event:
                heapq.heappush(self._on_their_way, (self.now() + self.delay(), next(self._sent), event))
            elif first <= until and self._on_their_way:
                return heapq.heappop(self._on_their_way)[2]
            else:
                return None
