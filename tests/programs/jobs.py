"""Jobs that tests give to workers."""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from lsnotebook.engine.workers import side_by_side

if TYPE_CHECKING:
    from torch import nn

    from lsnotebook.data.splits import Splits

Advance = Callable[[int], None]


def write(path: Path, advance: Advance) -> None:
    path.write_text("done")
    advance(2)


def fail(path: Path, advance: Advance) -> None:
    raise ValueError(f"no {path.name}")


def kill(path: Path, advance: Advance) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def write_pid_and_wait(path: Path, advance: Advance) -> None:
    path.write_text(str(os.getpid()))
    threading.Event().wait(120)  # until it is killed


def run_until_killed(paths: Sequence[Path]) -> None:
    side_by_side(write_pid_and_wait, paths, 2, lambda steps: None)


def mean_pixel(models: "Sequence[nn.Module]", splits: "Splits", part: str, scale: float) -> pd.DataFrame:
    """A table that a test can compute by itself: of each network its first weight, and the images' mean."""
    images = [image for image, _ in getattr(splits, part)]
    mean = scale * sum(image.mean().item() for image in images) / len(images)
    return pd.DataFrame([(next(model.parameters()).flatten()[0].item(), mean) for model in models], columns=["w", "x"])


def failing_table(models: "Sequence[nn.Module]", splits: "Splits", number: int) -> pd.DataFrame:
    raise ValueError(f"no table {number}")
