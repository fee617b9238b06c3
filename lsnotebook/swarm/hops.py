"""What a router and those who turn it speak of: blocks, hops, answers. A node imports this, so it imports little."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from lsnotebook.core.errors import LsnotebookError

Node: TypeAlias = Hashable
"""The name of a node."""


class SwarmError(LsnotebookError, ValueError):
    """A swarm that cannot be, or that a request cannot be served by."""


class Block(NamedTuple):
    """A layer of one of the networks whose layers the nodes hold."""

    network: int
    layer: int


@dataclass(frozen=True)
class Hop:
    """A layer that a node is to run for a request. No two have the same number."""

    request: int
    node: Node
    block: Block
    number: int


@dataclass(frozen=True)
class Answer:
    """A request that is answered from the state after its last hop."""

    request: int
    route: tuple[Block, ...]
    """What it ran, in this order."""
    nodes: tuple[Node, ...]
    """Where."""
    retries: int
    """Hops that were begun and given up, because the node died or was too slow."""


Action: TypeAlias = Hop | Answer
