"""A swarm, its load and its misfortunes: how nodes hold layers, what befalls them, and what a simulation makes of it.

simulated(Trial("nearly", nodes=24, kill=4, slow=2, in_flight=12, deadline=10, patience=3), layers=12, requests=100)
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lsnotebook.core.profiles import Approach
from lsnotebook.core.randomness import stream
from lsnotebook.swarm.driver import Fault, poisson
from lsnotebook.swarm.hops import Block, Node, SwarmError
from lsnotebook.swarm.simulation import simulate

SLOWER = 10.0
"""A slow node's hop takes so many times as long."""
STARTING = 300.0
"""Hops until a replacement serves: 9 s where a hop takes 30 ms, as a new process does that loads torch."""
JITTER = 0.1
"""A hop takes so much longer than one on average, by chance."""
HORIZON = 400.0
"""Hops in which nodes fail at random."""


@dataclass(frozen=True)
class Trial:
    """A swarm, its load and its misfortunes. All times are in hops."""

    rule: str = "nearly"
    nodes: int = 12
    kill: int = 0
    """Nodes that die, each at a random time while the first requests are on their way."""
    slow: int = 0
    in_flight: int | None = None
    """Requests on their way at any time, a new one for each that is answered."""
    load: float = 0.5
    """Otherwise requests arrive at random (Poisson), and keep a node busy for this share of the time on average."""
    deadline: float = math.inf
    patience: float = math.inf
    planned: bool = True
    """Layers are dealt to the nodes in turn; else each node draws its own, as without any coordination."""
    holds: int = 1
    """Layers that a node holds."""
    networks: int = 1
    """The networks that the layers are of, drawn at random for each node."""
    replaced: float = math.inf
    """A node that holds the same joins so long after a death."""
    mtbf: float = math.inf
    """Mean time between failures of a node, in its first `HORIZON` hops, replacements included."""

    def check(self, layers: int) -> None:
        """Raise `SwarmError` where there can be no such swarm."""
        if self.kill + self.slow > self.nodes:
            raise SwarmError(
                f"{self.kill} nodes are to die and {self.slow} to be slow, but there are {self.nodes}; "
                f"take at most {self.nodes} together."
            )
        if not 1 <= self.holds <= layers:
            raise SwarmError(f"A node is to hold {self.holds} layers, but there are {layers}; take 1 to {layers}.")
        for name in ("deadline", "patience", "mtbf"):
            if not getattr(self, name) > 0:
                raise SwarmError(f"The {name} is {getattr(self, name)} hops, but should be more than 0.")
        may_lack = self.kill or self.mtbf < math.inf or not self.planned or self.nodes * self.holds < layers
        if self.rule == "pipeline" and self.deadline == self.replaced == math.inf and may_lack:
            raise SwarmError("A pipeline waits for what nobody holds: give it a deadline.")

    def layout(self, layers: int, rng: np.random.Generator) -> dict[Node, tuple[Block, ...]]:
        """What each node holds."""
        of: np.ndarray
        if self.planned:
            of = np.arange(self.nodes * self.holds).reshape(self.nodes, self.holds) % layers
        else:
            of = np.array([rng.choice(layers, self.holds, replace=False) for _ in range(self.nodes)])
        networks = rng.integers(self.networks, size=self.nodes).tolist()
        return {k: tuple(Block(networks[k], layer) for layer in held) for k, held in enumerate(of.tolist())}

    def faults(self, held: Mapping[Node, tuple[Block, ...]], layers: int, rng: np.random.Generator) -> list[Fault]:
        """Who dies when, who is slow, and who joins."""
        chosen = rng.permutation(self.nodes)[: self.kill + self.slow].tolist()
        dead, slow = chosen[: self.kill], chosen[self.kill :]
        times = zip(dead, rng.uniform(0, layers, self.kill).tolist(), strict=True)
        found = [Fault(0.0, "slow", node, factor=SLOWER) for node in slow]
        found += [one for node, time in times for one in self._deaths(node, held[node], [time])]
        if self.mtbf < math.inf:
            for node in (one for one in range(self.nodes) if one not in dead):
                lives = rng.exponential(self.mtbf, size=1 + math.ceil(HORIZON / min(self.replaced, HORIZON))).tolist()
                found += self._deaths(node, held[node], lives)
        return found

    def _deaths(self, node: int, blocks: tuple[Block, ...], lives: Sequence[float]) -> Iterator[Fault]:
        """Of a node and of those that replace it, which live for so long."""
        begun = 0.0
        for life in lives:
            if (died := begun + life) >= HORIZON:
                return
            yield Fault(died, "kill", node)
            if (begun := died + self.replaced) == math.inf:
                return
            node += self.nodes
            yield Fault(begun, "join", node, blocks=blocks)

    def arrivals(self, layers: int, requests: int, rng: np.random.Generator) -> list[float]:
        """When the requests come; those in flight at first begin at random, not in lockstep."""
        if self.in_flight:
            return sorted(rng.uniform(0, layers, requests).tolist())
        return poisson(self.load * self.nodes / (layers * (1 + JITTER)), requests, rng).tolist()

    def drawn(self, layers: int, requests: int, rng: np.random.Generator) -> tuple[dict, list[Fault], list[float]]:
        """`layout`, `faults` and `arrivals` of one draw."""
        held = self.layout(layers, rng)
        return held, self.faults(held, layers, rng), self.arrivals(layers, requests, rng)


def simulated(trial: Trial, layers: int, requests: int, draw: int = 0) -> pd.DataFrame:
    """A trial on the virtual clock: the rows of `driver.drive`. Its chance is the draw's. Raises `SwarmError`."""
    trial.check(layers)
    rng = stream(draw, "swarm")
    held, faults, arrivals = trial.drawn(layers, requests, rng)
    limits = trial.patience, trial.deadline, trial.in_flight
    return simulate(layers, held, arrivals, trial.rule, faults, *limits, rng=rng, jitter=JITTER)


def summary(rows: pd.DataFrame) -> dict[str, float]:
    """Of the requests of one trial: layers, latency (p50, p99, in hops) and throughput (answers a hop)."""
    latency = rows["answered"] - rows["born"]
    return {
        "layers": rows["layers"].mean(),
        "p50": latency.quantile(0.5),
        "p99": latency.quantile(0.99),
        "throughput": len(rows) / (rows["answered"].max() - rows["born"].min()),
    }


def varied(trial: Trial, **values: Sequence) -> dict[str, Trial]:
    """The trial with each value of one of its fields: {"0.5": ..., "0.9": ...}."""
    ((name, chosen),) = values.items()
    return {f"{value:g}" if isinstance(value, float) else str(value): dataclasses.replace(trial, **{name: value})
            for value in chosen}  # fmt: skip


@dataclass(frozen=True)
class Carried:
    """What real nodes did, and what the simulation says of the same trial."""

    figure: str
    approach: Approach
    trial: Trial
    rows: pd.DataFrame
    faults: list[Fault]
    agreement: float | None
    """The largest difference of a logit from the network's own along the recorded route; None: simulated."""
    simulated: pd.DataFrame
