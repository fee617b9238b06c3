"""Which node runs which missing layer of which request next: a state machine without clock, network or weights.

A request has to pass through the layers of a network (§1, §5: layers on loosely coupled nodes). A *hop* is one layer
that one node runs for one request. A driver tells the router what happened, and does what it answers:

    router = Router(layers=12, rule="nearly")
    router.joined("a", [Block(0, 3)])      # a node that holds layer 3 of network 0
    router.arrived(7)                      # [Hop(request=7, node="a", block=Block(0, 3), number=0)]
"""

import heapq
import itertools
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from lsnotebook.core.profiles import named
from lsnotebook.swarm.hops import Action, Answer, Block, Hop, Node, SwarmError

RULES = {
    "nearly": "any order, but of the missing layers that are free the lowest",
    "any": "any of the missing layers that are free, at random",
    "in-order": "in sequence; a layer that no living node holds is skipped",
    "pipeline": "in sequence; a layer that no living node holds is waited for",
    "similar": "as many layers as the network has, any layers of any of the networks",
}
"""What a request may run next."""
IN_SEQUENCE = ("in-order", "pipeline")

Slot: TypeAlias = int | Block
"""What counts as run: a layer, whichever network it is from, or under "similar" the block itself."""


@dataclass
class _Request:
    number: int
    missing: list[Slot]
    """Sorted."""
    route: list[Hop] = field(default_factory=list)
    hop: Hop | None = None
    """The one that runs now."""
    waits_for: tuple[Slot, ...] = ()
    shunned: set[Node] = field(default_factory=set)
    """Nodes on which a hop of it took too long."""
    retries: int = 0


class Router:
    """The requests and nodes of one swarm. Each method is something that happened; it returns what is to be done.

    Requests are numbers: the lower one came earlier, and goes first. News may be late and in any sequence: a hop that
    was given up and is finished after all frees its node, and no more; a node that was told dead stays dead, whatever
    else is heard of it, so that one which comes back needs a new name.
    """

    def __init__(self, layers: int, rule: str = "nearly", networks: int = 1, seed: int = 0):
        named(rule, RULES, "rule")
        self.layers, self.rule, self.networks = layers, rule, networks
        self.requests: dict[int, _Request] = {}
        self._holds: dict[Node, dict[Slot, Block]] = {}
        self._dead: set[Node] = set()
        self._runs: dict[Node, Hop] = {}
        self._holders: dict[Slot, set[Node]] = defaultdict(set)
        self._free: dict[Slot, dict[Node, None]] = defaultdict(dict)  # in the order in which they became free
        self._waiting: dict[Slot, list[int]] = defaultdict(list)  # heaps; entries that are out of date are skipped
        self._numbers, self._rng = itertools.count(), random.Random(seed)

    def joined(self, node: Node, blocks: Iterable[Block]) -> list[Action]:
        """A node that holds these blocks, one or several, is there. Raises `SwarmError`."""
        blocks = list(blocks)
        for network, layer in blocks:
            if not (0 <= layer < self.layers and 0 <= network < self.networks):
                raise SwarmError(
                    f"Node {node!r} holds layer {layer} of network {network}, but there are layers 0 to "
                    f"{self.layers - 1} of networks 0 to {self.networks - 1}."
                )
        if not blocks or node in self._holds:
            raise SwarmError(f"Node {node!r} holds no layer, or is there already; give each node a name and a layer.")
        if node in self._dead:
            return []
        slots = {self._slot(block): block for block in blocks}
        self._holds[node] = dict(sorted(slots.items()))
        for slot in self._holds[node]:
            self._holders[slot].add(node)
        return self._freed(node)

    def arrived(self, request: int) -> list[Action]:
        """A new request."""
        missing: list[Slot] = list(range(self.layers))
        if self.rule == "similar":
            missing = [Block(m, i) for i in range(self.layers) for m in range(self.networks)]
        self.requests[request] = _Request(request, missing)
        return self._next(self.requests[request])

    def finished(self, hop: Hop) -> list[Action]:
        """The node of a hop has run it."""
        actions: list[Action] = []
        request = self.requests[hop.request] if self.expects(hop) else None
        if request:
            request.hop = None
            request.route.append(hop)
            request.missing.remove(self._slot(hop.block))
        if self._runs.get(hop.node) == hop:
            del self._runs[hop.node]
            actions += self._freed(hop.node)  # others have waited for the node
        return actions + (self._next(request) if request else [])

    def expects(self, hop: Hop) -> bool:
        """Whether the result of a hop still counts: its request is not answered, and has not given it up."""
        request = self.requests.get(hop.request)
        return request is not None and request.hop == hop

    def died(self, node: Node) -> list[Action]:
        """A node is gone, with the hop that it ran."""
        self._dead.add(node)
        lost, hop = self._holds.pop(node, {}), self._runs.pop(node, None)
        for slot in lost:
            self._holders[slot].discard(node)
            self._free[slot].pop(node, None)
        actions: list[Action] = []
        if hop and self.expects(hop):
            request = self.requests[hop.request]
            request.hop, request.retries = None, request.retries + 1
            actions += self._next(request)
        for number in sorted({number for slot in lost for number in self._waiting[slot]}):
            waiting = self.requests.get(number)
            if waiting and not waiting.hop and not lost.keys().isdisjoint(waiting.waits_for):
                actions += self._next(waiting)  # no one else may hold what it waits for
        return actions

    def lost_patience(self, request: int) -> list[Action]:
        """A request has made no progress for too long: it does without the node that keeps it, or that it waits for."""
        one = self.requests[request]
        if one.hop:
            slot = self._slot(one.hop.block)
            if self.rule == "pipeline" and not self._holders[slot] - one.shunned - {one.hop.node}:
                return []
            one.shunned.add(one.hop.node)
            one.hop, one.retries = None, one.retries + 1
            return self._next(one)
        if self.rule == "pipeline":
            return []
        if self.rule == "in-order":
            one.missing = one.missing[1:]
            return self._next(one)
        return [self._answer(one)]

    def due(self, request: int) -> list[Action]:
        """The deadline of a request has come."""
        return [self._answer(self.requests[request])] if request in self.requests else []

    def _answer(self, request: _Request) -> Answer:
        del self.requests[request.number]
        route = request.route
        return Answer(
            request.number, tuple(hop.block for hop in route), tuple(hop.node for hop in route), request.retries
        )

    def _slot(self, block: Block) -> Slot:
        return block if self.rule == "similar" else block.layer

    def _living(self, request: _Request, slot: Slot) -> bool:
        return not self._holders[slot] <= request.shunned

    def _next(self, request: _Request) -> list[Action]:
        """Begin the next hop of a request that runs none, or let it wait, or answer it."""
        if self.rule == "in-order":
            while request.missing and not self._living(request, request.missing[0]):
                request.missing.pop(0)
        if self.rule == "pipeline" and request.missing and not self._living(request, request.missing[0]):
            request.shunned.clear()  # a slow node is better than none
        if not request.missing or len(request.route) == self.layers:
            return [self._answer(request)]
        slots = request.missing[:1] if self.rule in IN_SEQUENCE else request.missing
        free = [(slot, node) for slot in slots if (node := self._first_free(request, slot)) is not None]
        if free:
            slot, node = free[0] if self.rule in ("nearly", *IN_SEQUENCE) else self._rng.choice(free)
            return [self._begin(request, node, slot)]
        if self.rule != "pipeline" and not any(self._living(request, slot) for slot in slots):
            return [self._answer(request)]
        request.waits_for = tuple(slots)
        for slot in slots:
            heapq.heappush(self._waiting[slot], request.number)
        return []

    def _first_free(self, request: _Request, slot: Slot) -> Node | None:
        return next((node for node in self._free[slot] if node not in request.shunned), None)

    def _begin(self, request: _Request, node: Node, slot: Slot) -> Hop:
        hop = Hop(request.number, node, self._holds[node][slot], next(self._numbers))
        request.hop, request.waits_for = hop, ()
        self._runs[node] = hop
        for other in self._holds[node]:
            self._free[other].pop(node, None)
        return hop

    def _freed(self, node: Node) -> list[Action]:
        """Give a node without a hop to the request that came first among those that wait for what it holds."""
        if node not in self._holds:  # it died
            return []
        first = min(
            ((number, slot) for slot in self._holds[node] for number in self._first_waiting(node, slot)),
            key=lambda pair: pair[0],  # of several slots of one request, the lowest: they are listed in this order
            default=None,
        )
        if first:
            return [self._begin(self.requests[first[0]], node, first[1])]
        for slot in self._holds[node]:
            self._free[slot][node] = None
        return []

    def _first_waiting(self, node: Node, slot: Slot) -> Iterator[int]:
        """The first request that waits for a slot and would take this node, if any."""
        heap, others = self._waiting[slot], []
        while heap:
            request = self.requests.get(heap[0])
            if request and slot in request.waits_for:
                if node not in request.shunned:
                    yield request.number
                    break
                others.append(heap[0])
            heapq.heappop(heap)
        for number in others:
            heapq.heappush(heap, number)
