"""Swarms as the page asks for them: how nodes hold layers, what befalls them, and how good their answers are."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from lsnotebook.core.profiles import Approach, Profile
from lsnotebook.core.randomness import stream
from lsnotebook.data.splits import Splits
from lsnotebook.engine.run import Run, study
from lsnotebook.engine.tables import Table, tables
from lsnotebook.layershuffle.approaches import BASELINE, LAYERDROP, LAYERSHUFFLE
from lsnotebook.layershuffle.model import ShuffleViT
from lsnotebook.swarm.driver import Fault, poisson
from lsnotebook.swarm.replay import replay
from lsnotebook.swarm.router import Block, Node, SwarmError
from lsnotebook.swarm.simulation import simulate

SERVED = {LAYERSHUFFLE: "nearly", LAYERDROP: "in-order", BASELINE: "pipeline"}
"""The rule by which a network is served, as its training allows."""
SKIPPING = {**SERVED, BASELINE: "in-order"}
"""The same, where nobody waits for what is missing."""
SLOWER = 10.0
"""A slow node's hop takes so many times as long."""
BATCH = 500


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
    """Node k holds layer k mod L; else each a layer drawn at random, as without any coordination."""
    networks: int = 1
    """The networks that the layers are of, drawn at random for each node."""
    replaced: float = math.inf
    """A node that holds the same joins so long after a death."""

    def check(self, layers: int) -> None:
        """Raise `SwarmError` where there can be no such swarm."""
        if self.kill + self.slow > self.nodes:
            raise SwarmError(
                f"{self.kill} nodes are to die and {self.slow} to be slow, but there are {self.nodes}; "
                f"take at most {self.nodes} together."
            )
        for name in ("deadline", "patience"):
            if not getattr(self, name) > 0:
                raise SwarmError(f"The {name} is {getattr(self, name)} hops, but should be more than 0.")
        if self.rule == "pipeline" and self.deadline == self.replaced == math.inf and self.kill:
            raise SwarmError("A pipeline waits for what the dead held: give it a deadline, or let nodes be replaced.")

    def layout(self, layers: int, rng: np.random.Generator) -> dict[Node, tuple[Block, ...]]:
        """What each node holds."""
        of = np.arange(self.nodes) % layers if self.planned else rng.integers(layers, size=self.nodes)
        networks = rng.integers(self.networks, size=self.nodes)
        return {k: (Block(int(networks[k]), int(of[k])),) for k in range(self.nodes)}

    def faults(self, held: Mapping[Node, tuple[Block, ...]], layers: int, rng: np.random.Generator) -> list[Fault]:
        """Who dies when, who is slow, and who joins."""
        chosen = rng.permutation(self.nodes)[: self.kill + self.slow].tolist()
        dead, slow = chosen[: self.kill], chosen[self.kill :]
        times = dict(zip(dead, rng.uniform(0, layers, self.kill).tolist(), strict=True))
        found = [Fault(0.0, "slow", node, factor=SLOWER) for node in slow]
        found += [Fault(time, "kill", node) for node, time in times.items()]
        if self.replaced < math.inf:
            found += [
                Fault(time + self.replaced, "join", self.nodes + node, blocks=held[node])
                for node, time in times.items()
            ]
        return found

    def arrivals(self, layers: int, requests: int, rng: np.random.Generator) -> np.ndarray:
        """When the requests come; those in flight at first begin at random, not in lockstep."""
        if self.in_flight:
            return np.sort(rng.uniform(0, layers, requests))
        return poisson(self.load * self.nodes / layers, requests, rng)


def simulated(trial: Trial, layers: int, requests: int, draw: int = 0, jitter: float = 0.1) -> pd.DataFrame:
    """A trial on the virtual clock: the rows of `driver.drive`. Its chance is the draw's. Raises `SwarmError`."""
    trial.check(layers)
    rng = stream(draw, "swarm")
    held = trial.layout(layers, rng)
    faults, arrivals = trial.faults(held, layers, rng), trial.arrivals(layers, requests, rng)
    limits = {"patience": trial.patience, "deadline": trial.deadline, "in_flight": trial.in_flight}
    return simulate(layers, held, arrivals, trial.rule, faults, **limits, rng=rng, jitter=jitter)


def answers(models: Sequence[Run], trials: Mapping[str, Trial], requests: int, draws: int) -> pd.DataFrame:
    """Each trial simulated `draws` times, and its routes run by each network. One row for each (network, trial, draw):

        approach, seed, policy     the latter is the trial's name
        draw                       the number of the draw of nodes, faults and arrivals, the same for all networks
        top1                       the share of the requests that were answered correctly
        layers                     that ran for a request, on average
        p50, p99                   latency in hops
        throughput                 answers a hop

    Raises `SwarmError`.
    """
    layers = models[0].layers
    took, routes = {}, {}
    for name, trial in trials.items():
        rows = [simulated(trial, layers, requests, draw) for draw in range(draws)]
        took[name] = pd.DataFrame([summary(one) for one in rows])
        routes[name] = [[list(block) for block in route] for one in rows for route in one["route"]]
    ran = [(run, name) for name in trials for run in models]
    wanted = [
        Table("swarm", right, together(run, models, trials[name].networks), {"routes": routes[name]})
        for run, name in ran
    ]
    found = []
    for (run, name), table in zip(ran, tables(wanted, "routes through swarms"), strict=True):
        top1 = table["right"].to_numpy().reshape(draws, requests).mean(1)
        columns = {"approach": run.approach.name, "seed": run.seed, "policy": name, "draw": range(draws), "top1": top1}
        found.append(pd.concat([pd.DataFrame(columns), took[name]], axis=1))
    return pd.concat(found, ignore_index=True)


def compared(
    profile: Profile,
    trials: Trial | Mapping[str, Trial],
    requests: int,
    draws: int,
    seeds: int | None = None,
    rules: Mapping[Approach, str] = SERVED,
) -> pd.DataFrame:
    """`answers` of several approaches, each under a rule of its own."""
    trials = {"as you say": trials} if isinstance(trials, Trial) else trials
    found = []
    for approach, rule in rules.items():
        ruled = {name: dataclasses.replace(one, rule=rule) for name, one in trials.items()}
        found.append(answers(study(profile, [approach], seeds), ruled, requests, draws))
    return pd.concat(found, ignore_index=True)


def together(run: Run, models: Sequence[Run], networks: int) -> tuple[Run, ...]:
    """The networks whose layers the nodes hold: a run and those of the same approach that follow it."""
    of = [one for one in models if one.approach == run.approach]
    first = of.index(run)
    if networks > len(of):
        raise SwarmError(f"The nodes are to hold layers of {networks} networks, but there are {len(of)}; take fewer.")
    return tuple(of[(first + k) % len(of)] for k in range(networks))


def summary(rows: pd.DataFrame) -> dict[str, float]:
    """Of the requests of one trial: layers, latency (p50, p99, in hops) and throughput (answers a hop)."""
    latency = rows["answered"] - rows["born"]
    return {
        "layers": rows["layers"].mean(),
        "p50": latency.quantile(0.5),
        "p99": latency.quantile(0.99),
        "throughput": len(rows) / (rows["answered"].max() - rows["born"].min()),
    }


def right(models: Sequence[ShuffleViT], splits: Splits, routes: Sequence[Sequence[Sequence[int]]]) -> pd.DataFrame:
    """Whether each request is answered correctly; request k is about validation image k, and begins again after the
    last one."""
    images, found = splits.validation, []
    for first in range(0, len(routes), BATCH):
        some = routes[first : first + BATCH]
        pairs = [images[(first + k) % len(images)] for k in range(len(some))]
        pixel_values = torch.stack([pixels for pixels, _ in pairs]).to(models[0].device)
        logits = replay(models, pixel_values, [[Block(*block) for block in route] for route in some])
        found.append(logits.argmax(-1).cpu() == torch.tensor([label for _, label in pairs]))
    return pd.DataFrame({"right": torch.cat(found).numpy()})


def varied(trial: Trial, **values: Sequence) -> dict[str, Trial]:
    """The trial with each value of one of its fields: {"0.5": ..., "0.9": ...}."""
    ((name, chosen),) = values.items()
    return {f"{value:g}" if isinstance(value, float) else str(value): dataclasses.replace(trial, **{name: value})
            for value in chosen}  # fmt: skip
