"""Real nodes: the processes of a pool hold layers, and a driver turns their world.

with nodes(12) as pool:
    rows, logits = serve(pool, models, held, pixel_values, arrivals, rule="nearly")
"""

import contextlib
import math
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import psutil
import torch
from torch import Tensor

from lsnotebook.core.progress import Progress
from lsnotebook.engine.cluster import connected, is_connected
from lsnotebook.layershuffle.model import ShuffleViT
from lsnotebook.swarm.driver import Died, Event, Fault, Finished, Joined, Times, drive
from lsnotebook.swarm.hops import Block, Hop, Node, SwarmError
from lsnotebook.swarm.pool import Pool, hushed
from lsnotebook.swarm.replay import check_models
from lsnotebook.swarm.router import Router

HOP = 0.03
"""Seconds that a hop takes at least: nodes that share cores sleep for the rest, and so run truly side by side."""

MEMORY = 400e6
"""Bytes that a node takes, most of them torch."""


@contextlib.contextmanager
def nodes(count: int, address: str | None = None) -> Iterator[Pool]:
    """Start so many nodes, on the Ray cluster at `address` or on this machine, and stop them in the end.

    Raises `SweepError` where there is no Ray or no such cluster, and `SwarmError` where its machines cannot run layers,
    where this machine has no memory for so many, or the cluster itself fails.
    """
    if count < 1:
        raise SwarmError(f"A swarm has at least one node, but {count} are asked for.")
    room = int(psutil.virtual_memory().available / MEMORY)
    if address is None and count > room:
        raise SwarmError(
            f"{count} nodes take {count * MEMORY / 1e9:.0f} GB of memory, which this machine does not have free: take "
            f"at most {max(1, room)}, or the machines of a cluster."
        )
    ours = not is_connected()
    ray = connected(address)
    pool = Pool(ray, count)
    with contextlib.ExitStack() as held:
        held.enter_context(hushed())
        held.callback(ray.shutdown if ours else pool.close)  # the former ends all actors
        try:
            pool.ready(count)
            yield pool
        except ray.exceptions.RayError as error:  # not a node's: those are expected, and treated where they occur
            raise SwarmError(
                f"The cluster itself failed ({str(error).splitlines()[0]}); see that it runs, and begin again."
            ) from error


class Cluster:
    """The world of real nodes: hops are tasks of actors, and time is this machine's.

    Nodes that are to join are started before the clock, and join within the time that a message takes.
    """

    def __init__(
        self,
        pool: Pool,
        models: Sequence[ShuffleViT],
        held: Mapping[Node, Sequence[Block]],
        pixel_values: Tensor,
        joining: Sequence[Node] = (),
        hop: float = HOP,
    ):
        self.hop, self._ray, self._models, self._images = hop, pool.ray, models, pixel_values
        self.progress: Progress | None = None
        config = models[0].config
        self._weights = {
            Block(m, i): {name: one.numpy() for name, one in layer.state_dict().items()}
            for m, model in enumerate(models)
            for i, layer in enumerate(model.vit.layers)
        }
        self._shape = (config.num_attention_heads, config.layer_norm_eps)
        self._pending: dict[Any, Finished | Joined] = {}
        self._slow: dict[Node, float] = {}
        self._states: dict[int, np.ndarray] = {}
        self.logits: dict[int, Tensor] = {}
        named = (*held, *joining)
        self._actors = dict(zip(named, pool.ready(len(named)), strict=True))
        holding = {node: self._hold(node, held[node]) for node in held}
        self._joined: deque[Event] = deque(
            Joined(node, tuple(held[node])) if pool.lives(task) else Died(node) for node, task in holding.items()
        )
        self._began = time.monotonic()

    def now(self) -> float:
        return (time.monotonic() - self._began) / self.hop

    def begin(self, hop: Hop) -> None:
        if hop.request not in self._states:
            self._states[hop.request] = self._embedded(hop.request)
        seconds = self.hop * self._slow.get(hop.node, 1.0)
        task = self._actors[hop.node].run.remote(hop.block, self._states[hop.request], seconds)
        self._pending[task] = Finished(hop)

    def counts(self, event: Finished) -> None:
        self._states[event.hop.request] = event.result

    def answered(self, request: int) -> None:
        z = self._states.pop(request, None)
        with torch.no_grad():
            z = torch.from_numpy((self._embedded(request) if z is None else z).copy())
            self.logits[request] = self._models[0].output(z, ()).logits
        if self.progress:
            self.progress.advance()

    def cause(self, fault: Fault) -> None:
        if fault.kind == "kill":
            self._ray.kill(self._actors[fault.node])
        elif fault.kind == "crash":
            self._actors[fault.node].crash.remote()
        elif fault.kind == "slow":
            self._slow[fault.node] = fault.factor
        else:
            self._pending[self._hold(fault.node, fault.blocks)] = Joined(fault.node, fault.blocks)

    def next(self, until: float) -> Event | None:
        if self._joined:
            return self._joined.popleft()
        left = None if until == math.inf else max(0.0, until - self.now()) * self.hop
        if not self._pending:
            time.sleep(left or 0.0)
            return None
        done, _ = self._ray.wait(list(self._pending), num_returns=1, timeout=left)
        if not done:
            return None
        event = self._pending.pop(done[0])
        try:
            result = self._ray.get(done[0])
        except (self._ray.exceptions.RayActorError, self._ray.exceptions.ObjectLostError):
            # The latter: the machine died after the hop, and with it the result, which Ray keeps there above 100 KB.
            return Died(event.node if isinstance(event, Joined) else event.hop.node)
        return Finished(event.hop, result) if isinstance(event, Finished) else event

    def _embedded(self, request: int) -> np.ndarray:
        with torch.no_grad():
            return self._models[0].embedded(self._images[request]).numpy()

    def _hold(self, node: Node, blocks: Iterable[Block]) -> Any:
        return self._actors[node].hold.remote({block: self._weights[block] for block in blocks}, *self._shape)


def serve(
    pool: Pool,
    models: Sequence[ShuffleViT],
    held: Mapping[Node, Sequence[Block]],
    pixel_values: Tensor,
    arrivals: Times,
    rule: str = "nearly",
    faults: Sequence[Fault] = (),
    patience: float = math.inf,
    deadline: float = math.inf,
    in_flight: int | None = None,
    hop: float = HOP,
) -> tuple[pd.DataFrame, Tensor]:
    """Answer requests on real nodes: the rows of `driver.drive`, and the logits (R, N, classes).

    `pixel_values` (R, N, channels, height, width) are N images for each of the R requests; they and the models are on
    the CPU. Raises `SwarmError`.
    """
    check_models(models)
    if len(held) > pool.count:
        raise SwarmError(f"{len(held)} nodes hold layers, but the pool has {pool.count}; start more.")
    joining = [fault.node for fault in faults if fault.kind == "join"]
    if len({*held, *joining}) < len(held) + len(joining):
        raise SwarmError("A node that joins has a name of its own, not that of one that is there or was there before.")
    router = Router(models[0].config.num_hidden_layers, rule, len(models))
    world = Cluster(pool, models, held, pixel_values, joining, hop)
    with Progress(len(arrivals), f"answering {len(arrivals)} requests", delay=1) as progress:
        world.progress = progress
        rows = drive(router, world, arrivals, faults, patience, deadline, in_flight)
    return rows, torch.stack([world.logits[request] for request in range(len(arrivals))])
