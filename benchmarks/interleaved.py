"""Ways to do the same thing, timed turn by turn in one process, so that what else the machine does falls on all."""

import random
import time
from collections.abc import Callable, Mapping

import pandas as pd
import torch

from lsnotebook.core.progress import Progress


def interleaved(ways: Mapping[str, Callable[[], object]], rounds: int) -> pd.DataFrame:
    """Seconds, one row for each round and one column for each way, in an order drawn anew for each round.

    Each way is called once before, unmeasured.
    """
    rows, draw = [], random.Random(0)
    with Progress((rounds + 1) * len(ways), "measuring") as progress:
        for _ in range(rounds + 1):
            row = {}
            for name in draw.sample(list(ways), len(ways)):
                finished()
                start = time.perf_counter()
                ways[name]()
                finished()
                row[name] = time.perf_counter() - start
                progress.advance()
            rows.append(row)
    return pd.DataFrame(rows[1:], columns=list(ways))


def ratio(seconds: pd.DataFrame, to: str) -> pd.Series:
    """Each way's time as a multiple of that of `to`: the median over the rounds."""
    return seconds.div(seconds[to], axis=0).median()


def finished() -> None:
    """Wait for the GPU, which works on while Python goes on."""
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
