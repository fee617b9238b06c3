"""The processes that are nodes: actors of Ray, started once and used by one swarm after another."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from lsnotebook.core.progress import Progress
from lsnotebook.swarm.holder import Holder, version
from lsnotebook.swarm.hops import SwarmError

ANSWERING = 5.0
"""Seconds after which an actor that does not answer is given up."""
ALONE = {
    "num_cpus": 0,  # as many on a machine as are asked for
    "max_restarts": 0,  # a death is a death
    "max_task_retries": 0,
    "max_concurrency": 2,  # the hop, and the order to crash in the middle of it
    "scheduling_strategy": "SPREAD",  # over the machines of the cluster
}


class Pool:
    """Actors that wait for layers to hold, `count` of them or more."""

    def __init__(self, ray: Any, count: int):
        self.ray, self.count = ray, count
        self.actors: list[Any] = []
        self._kind = ray.remote(Holder).options(**ALONE)

    def ready(self, count: int) -> list[Any]:
        """So many actors that live: those that there are, and new ones. Raises `SwarmError` where they cannot run
        layers."""
        asked = {actor.version.remote(): actor for actor in self.actors}
        if asked:
            answered, _ = self.ray.wait(list(asked), num_returns=len(asked), timeout=ANSWERING)
            dead = [actor for task, actor in asked.items() if task not in answered or not self.lives(task)]
            for actor in dead:
                self.ray.kill(actor)
                self.actors.remove(actor)
        if len(self.actors) < count:
            self._start(count - len(self.actors))
        return self.actors[:count]

    def lives(self, task: Any) -> bool:
        """Whether an actor has done this."""
        try:
            self.ray.get(task)
        except self.ray.exceptions.RayActorError:
            return False
        return True

    def _start(self, count: int) -> None:
        new = [self._kind.remote() for _ in range(count)]
        self.actors += new
        waiting = [actor.version.remote() for actor in new]
        with Progress(count, "starting nodes", delay=1) as progress:
            while waiting:
                (done,), waiting = self.ray.wait(waiting)
                try:
                    theirs = self.ray.get(done)
                except self.ray.exceptions.RayError as error:
                    last = str(error).strip().splitlines()[-1]
                    if "never ran" in last:
                        raise SwarmError(
                            f"A node did not start ({last}): see that its machine runs, and that this process and the "
                            "cluster have one RAY_AUTH_MODE and one token."
                        ) from error
                    raise SwarmError(
                        f"A node cannot run layers ({last}): install there the version of lsnotebook that you have "
                        "here."
                    ) from error
                if theirs != version():
                    raise SwarmError(
                        "The nodes have another version of lsnotebook than this machine; install the same there."
                    )
                progress.advance()

    def close(self) -> None:
        for actor in self.actors:
            self.ray.kill(actor)


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Ray prints each death to the driver's output, whatever its logging is set to; here deaths are expected."""
    from ray._private import worker

    printed, ignored = worker.print_to_stdstream, os.environ.get("RAY_IGNORE_UNHANDLED_ERRORS")
    worker.print_to_stdstream = lambda *arguments, **options: None
    os.environ["RAY_IGNORE_UNHANDLED_ERRORS"] = "1"  # of hops that nobody waits for any more
    try:
        yield
    finally:
        worker.print_to_stdstream = printed
        if ignored is None:
            del os.environ["RAY_IGNORE_UNHANDLED_ERRORS"]
