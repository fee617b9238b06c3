"""Independent jobs side by side in worker processes, which report their progress to this one."""

import contextlib
import gc
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from lsnotebook.core.errors import LsnotebookError

Advance = Callable[[int], None]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables by which libraries for linear algebra are told, when they are loaded, how many to take."""
_reports: list = []
"""In a worker: the queue that it reports to."""


class WorkerError(LsnotebookError, RuntimeError):
    """A worker that could not be started, or was killed; what is finished is kept."""


def side_by_side(
    do: Callable[[Any, Advance], object], jobs: Sequence, workers: int, advance: Advance, imports: Iterable[str] = ()
) -> None:
    """Call `do(job, advance)` for every job, `workers` at a time, each in one thread.

    Raises the first failure, and `WorkerError` where a worker cannot be started or is killed; that, or Ctrl-C, ends
    the other workers.
    `do` must be a module-level function, and `imports` names the modules that are slow to import: workers are forked
    from a server that has imported them and done nothing else, since a torch that has computed may hang when it is
    forked.
    """
    context = multiprocessing.get_context("forkserver" if can_fork() else "spawn")
    begun: dict[int, Any] = {}
    with contextlib.ExitStack() as held:
        try:
            start_server([do.__module__, *imports])
            reports = context.SimpleQueue()  # written at once: reports of a job arrive before its result
            ending, end = context.Pipe(duplex=False)
            started = start, (reports, ending, dict(os.environ))
            pool = held.enter_context(ProcessPoolExecutor(min(workers, len(jobs)), context, *started))
            held.push(lambda kind, *_: end.send_bytes(b"now") if kind else None)  # else the pool waits for all jobs
            waiting = {pool.submit(work, do, number, job): number for number, job in enumerate(jobs)}
        except (OSError, EOFError, RuntimeError) as error:
            reason, mend = str(error) or type(error).__name__, "free memory, or end other processes"
            if "AF_UNIX" in reason:
                mend = "name a shorter folder for temporary files in TMPDIR, such as /tmp"
            raise WorkerError(
                f"Worker processes could not be started ({reason}): {mend}, and run the same command again."
            ) from error
        try:
            while waiting:
                done, _ = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                while not reports.empty():
                    number, steps = reports.get()
                    begun[number] = jobs[number]
                    advance(steps)
                for future in done:
                    future.result()
                    begun.pop(waiting.pop(future), None)
        except BrokenProcessPool as error:
            raise WorkerError(
                "A worker process was killed, perhaps since memory was short, in the midst of "
                f"{' or '.join(map(str, begun.values())) or 'its start'}: what is finished is kept, so run the same "
                "command again, with less beside it or fewer workers."
            ) from error


def can_fork() -> bool:
    return "forkserver" in multiprocessing.get_all_start_methods()


def start_server(imports: Iterable[str]) -> None:
    """Start the server that workers are forked from, where there can be one, out of reach of Ctrl-C, which this process
    answers for them. It imports while this process goes on."""
    if not can_fork():
        return
    multiprocessing.set_forkserver_preload(list(dict.fromkeys(imports)))
    resource_tracker.ensure_running()  # the server would start it, and lets Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def start(reports: "multiprocessing.SimpleQueue", ending: Connection, environment: dict[str, str]) -> None:
    """In a worker, before its first job. The fork server has the environment of an earlier time."""
    gc.freeze()  # what the server imported is never collected, so that it is not searched, nor copied, either
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _reports.append(reports)
    os.environ.clear()
    os.environ.update(environment)
    logging.getLogger("lsnotebook.data").setLevel(logging.ERROR)  # what it warns of, the parent has said
    take_one_thread()
    threading.Thread(target=end_with_parent, args=(ending,), daemon=True).start()


def take_one_thread() -> None:
    """More threads than cores wait for one another, ten times as long as they compute: those of torch, of NumPy, SciPy
    and scikit-learn, and of libraries that are not loaded yet."""
    torch.set_num_threads(1)
    threadpool_limits(1)
    os.environ.update(dict.fromkeys(THREADS, "1"))


def end_with_parent(ending: Connection) -> None:
    """End with the parent, or when it says so: if that is killed, a worker would wait for work for ever."""
    parent = multiprocessing.parent_process()
    wait_for([ending, *([parent.sentinel] if parent else [])])
    os._exit(1)


def work(do: Callable[[Any, Advance], object], number: int, job: object) -> None:
    _reports[-1].put((number, 0))  # it has begun
    do(job, lambda steps: _reports[-1].put((number, steps)))
