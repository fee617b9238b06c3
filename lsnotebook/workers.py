"""Independent jobs side by side in processes of their own, whose progress is heard here."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait

Advance = Callable[[int], None]


def side_by_side(do: Callable[[object, Advance], None], jobs: Sequence, workers: int, advance: Advance) -> None:
    """Call `do(job, advance)` for every job, `workers` at a time. The first failure is raised and ends the wait.

    `do` must be a function of a module: the processes are spawned, since a forked torch may hang.
    """
    context = multiprocessing.get_context("spawn")
    heard = context.SimpleQueue()  # written at once: what a job has told is here before the job is known to be done
    with ProcessPoolExecutor(workers, context, initializer=_hear, initargs=(heard,)) as pool:
        try:
            waiting = {pool.submit(_work, do, job) for job in jobs}
            while waiting:
                done, waiting = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                while not heard.empty():
                    advance(heard.get())
                for future in done:
                    future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _hear(heard: "multiprocessing.SimpleQueue[int]") -> None:
    global _heard
    _heard = heard
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker of a pool whose process was killed would wait for work for ever."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _work(do: Callable[[object, Advance], None], job: object) -> None:
    do(job, _heard.put)
