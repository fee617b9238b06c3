"""Independent jobs side by side in worker processes, which report their progress to this one."""

import logging
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from typing import Any

import torch

Advance = Callable[[int], None]
_reports: list = []
"""In a worker: the queue that it reports to."""


def side_by_side(
    do: Callable[[Any, Advance], object], jobs: Sequence, workers: int, advance: Advance, imports: Iterable[str] = ()
) -> None:
    """Call `do(job, advance)` for every job, `workers` at a time, each in one thread.

    Raises the first failure, which ends the wait. `do` must be a module-level function, and `imports` names the
    modules that are slow to import: workers are forked from a server that has imported them and done nothing else,
    since a torch that has computed may hang when it is forked.
    """
    can_fork = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if can_fork else "spawn")
    if can_fork:
        context.set_forkserver_preload([do.__module__, *dict.fromkeys(imports)])
    reports = context.SimpleQueue()  # written at once: reports of a job arrive before its result
    started = start, (reports, dict(os.environ))
    with ProcessPoolExecutor(min(workers, len(jobs)), context, *started) as pool:
        try:
            waiting = {pool.submit(work, do, job) for job in jobs}
            while waiting:
                done, waiting = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                while not reports.empty():
                    advance(reports.get())
                for future in done:
                    future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def start(reports: "multiprocessing.SimpleQueue[int]", environment: dict[str, str]) -> None:
    """In a worker, before its first job. The fork server has the environment of an earlier time."""
    _reports.append(reports)
    os.environ.clear()
    os.environ.update(environment)
    logging.getLogger("lsnotebook.data").setLevel(logging.ERROR)  # what it warns of, the parent has said
    torch.set_num_threads(1)  # more threads than cores would wait for each other
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """End with the parent: if that is killed, a worker would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
    os._exit(1)


def work(do: Callable[[Any, Advance], object], job: object) -> None:
    do(job, _reports[-1].put)
