"""Real nodes: Ray actors that hold layers, and the world that a driver turns with them.

with nodes(12) as pool:
    rows, logits = serve(pool, models, held, pixel_values, arrivals, rule="nearly")
"""

import contextlib
import math
import os
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lsnotebook.engine.cluster import connected
from lsnotebook.layershuffle.model import ShuffleViT
from lsnotebook.swarm.blocks import block as run_block
from lsnotebook.swarm.driver import Died, Fault, Finished, Joined, drive
from lsnotebook.swarm.replay import check_models
from lsnotebook.swarm.router import Block, Hop, Node, Router, SwarmError

HOP = 0.03
"""Seconds that a hop takes at least: nodes that share cores sleep for the rest, and so run truly side by side."""


class Holder:
    """What runs on a node: some layers, one hop at a time."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self.weights: dict[Block, dict[str, Tensor]] = {}

    def hold(self, weights: Mapping[Block, Mapping[str, np.ndarray]], heads: int, eps: float) -> None:
        copied = {
            block: {name: torch.from_numpy(one.copy()) for name, one in of.items()} for block, of in weights.items()
        }
        self.weights, self.heads, self.eps = copied, heads, eps

    def run(self, block: Block, z: np.ndarray, seconds: float) -> np.ndarray:
        """The tokens (N, T, D) after a layer; takes at least so many seconds."""
        began = time.monotonic()
        after = run_block(torch.from_numpy(z.copy()), self.weights[block], self.heads, self.eps).numpy()
        time.sleep(max(0.0, seconds - (time.monotonic() - began)))
        return after

    def crash(self) -> None:
        """As a process ends that runs out of memory."""
        os.kill(os.getpid(), signal.SIGKILL)


class Pool:
    """Actors that wait for layers to hold."""

    def __init__(self, ray: Any, count: int):
        self.ray, self._kind = ray, ray.remote(Holder)
        self.actors = [self.start() for _ in range(count)]

    def start(self) -> Any:
        # Two at once: the hop, and the order to crash in the middle of it.
        return self._kind.options(num_cpus=0, max_restarts=0, max_task_retries=0, max_concurrency=2).remote()

    def discard(self, actor: Any) -> None:
        """Replace an actor that is of no more use."""
        self.ray.kill(actor)
        self.actors[self.actors.index(actor)] = self.start()


@contextlib.contextmanager
def nodes(count: int, address: str | None = None) -> Iterator[Pool]:
    """Start so many nodes, on the Ray cluster at `address` or on this machine, and stop them in the end.

    Raises `SwarmError`, and `SweepError` where there is no Ray or no such cluster.
    """
    if count < 1:
        raise SwarmError(f"A swarm has at least one node, but {count} are asked for.")
    ray = connected(address)
    hush()
    try:
        yield Pool(ray, count)
    finally:
        ray.shutdown()


def hush() -> None:
    """Ray prints each death to the driver's output, whatever its logging is set to; here deaths are expected."""
    from ray._private import worker

    worker.print_to_stdstream = lambda *arguments, **options: None


class Cluster:
    """The world of real nodes: hops are tasks of actors, and time is this machine's."""

    def __init__(
        self,
        pool: Pool,
        models: Sequence[ShuffleViT],
        held: Mapping[Node, Sequence[Block]],
        pixel_values: Tensor,
        hop: float = HOP,
    ):
        self.pool, self.hop, self._models, self._images = pool, hop, models, pixel_values
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
        self._hops: dict[int, int] = {}
        self.logits: dict[int, Tensor] = {}
        self._actors = dict(zip(held, pool.actors, strict=False))
        pool.ray.get([self._hold(node, held[node]) for node in held])
        self._joined = deque(Joined(node, tuple(blocks)) for node, blocks in held.items())
        self._began = time.monotonic()

    def now(self) -> float:
        return (time.monotonic() - self._began) / self.hop

    def begin(self, hop: Hop) -> None:
        if hop.request not in self._states:
            self._states[hop.request] = self._embedded(hop.request)
        self._hops[hop.request] = hop.number
        seconds = self.hop * self._slow.get(hop.node, 1.0)
        task = self._actors[hop.node].run.remote(hop.block, self._states[hop.request], seconds)
        self._pending[task] = Finished(hop)

    def answered(self, request: int) -> None:
        self._hops.pop(request, None)
        z = self._states.pop(request, None)
        with torch.no_grad():
            z = torch.from_numpy((self._embedded(request) if z is None else z).copy())
            self.logits[request] = self._models[0].output(z, ()).logits

    def cause(self, fault: Fault) -> None:
        if fault.kind == "kill":
            self.pool.ray.kill(self._actors[fault.node])
        elif fault.kind == "crash":
            self._actors[fault.node].crash.remote()
        elif fault.kind == "slow":
            self._slow[fault.node] = fault.factor
        else:
            self._actors[fault.node] = self.pool.start()
            self.pool.actors.append(self._actors[fault.node])
            self._pending[self._hold(fault.node, fault.blocks)] = Joined(fault.node, fault.blocks)

    def next(self, until: float) -> Finished | Died | Joined | None:
        if self._joined:
            return self._joined.popleft()
        left = None if until == math.inf else max(0.0, until - self.now()) * self.hop
        if not self._pending:
            time.sleep(left or 0.0)
            return None
        ray = self.pool.ray
        done, _ = ray.wait(list(self._pending), num_returns=1, timeout=left)
        if not done:
            return None
        event = self._pending.pop(done[0])
        try:
            after = ray.get(done[0])
        except (ray.exceptions.RayActorError, ray.exceptions.ObjectLostError):  # the latter: a large state died with it
            return Died(event.node if isinstance(event, Joined) else event.hop.node)
        if isinstance(event, Finished) and self._hops.get(event.hop.request) == event.hop.number:
            self._states[event.hop.request] = after
        return event

    def _embedded(self, request: int) -> np.ndarray:
        with torch.no_grad():
            return self._models[0].embedded(self._images[request]).numpy()

    def _hold(self, node: Node, blocks: Iterable[Block]) -> Any:
        return self._actors[node].hold.remote({block: self._weights[block] for block in blocks}, *self._shape)

    def mend(self) -> None:
        """Replace the actors that died or that still run a hop, so that the pool can be used again."""
        busy = {event.hop.node for event in self._pending.values() if isinstance(event, Finished)}
        for node, actor in self._actors.items():
            if node in busy or not self._is_alive(actor):
                self.pool.discard(actor)

    def _is_alive(self, actor: Any) -> bool:
        try:
            self.pool.ray.get(actor.hold.remote({}, *self._shape))
        except self.pool.ray.exceptions.RayActorError:
            return False
        return True


def serve(
    pool: Pool,
    models: Sequence[ShuffleViT],
    held: Mapping[Node, Sequence[Block]],
    pixel_values: Tensor,
    arrivals: Sequence[float],
    rule: str = "nearly",
    faults: Sequence[Fault] = (),
    patience: float = math.inf,
    deadline: float = math.inf,
    in_flight: int | None = None,
    hop: float = HOP,
) -> tuple[pd.DataFrame, Tensor]:
    """Answer requests on real nodes: the rows of `driver.drive`, and the logits (R, N, classes).

    `pixel_values` (R, N, channels, height, width) are N images for each of the R requests. Raises `SwarmError`.
    """
    check_models(models)
    if len(held) > len(pool.actors):
        raise SwarmError(f"{len(held)} nodes hold layers, but the pool has {len(pool.actors)}; start more.")
    router = Router(models[0].config.num_hidden_layers, rule, len(models))
    world = Cluster(pool, models, held, pixel_values, hop)
    rows = drive(router, world, arrivals, faults, patience, deadline, in_flight)
    world.mend()
    return rows, torch.stack([world.logits[request] for request in range(len(arrivals))])
