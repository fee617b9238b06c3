"""The base of `smoke`, trained in a process of its own that may die while it does."""

import importlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

from lsnotebook.engine import runs, training
from lsnotebook.engine.run import Run
from lsnotebook.layershuffle.approaches import BASE
from lsnotebook.layershuffle.profiles import SMOKE


def train_base(environment: dict[str, str], *killed_at: object) -> None:
    """Leaves a file that says who trained. With a function and a number, SIGKILLs itself at that call of it."""
    os.environ.update(environment)
    if killed_at:
        owner, name, calls = killed_at
        owner = importlib.import_module(owner)
        setattr(owner, name, killing(getattr(owner, name), calls))
    train = training.train

    def counted(*arguments):
        Path(os.environ["LSNOTEBOOK_DATA"], f"trained-by-{os.getpid()}").touch()
        return train(*arguments)

    training.train = counted
    runs.train(Run(SMOKE, BASE, 0))


def killing(function: Callable, calls: int) -> Callable:
    """The function, which kills the process in the place of a call after so many."""

    def call(*arguments, **options):
        nonlocal calls
        if calls == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        calls -= 1
        return function(*arguments, **options)

    return call
