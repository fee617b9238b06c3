"""What `lsnotebook sortednet accumulate` records of sorted convolutions, and how a page reads it."""

import dataclasses
from pathlib import Path
from typing import ClassVar

import pandas as pd
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from lsnotebook.core.profiles import Part, Result
from lsnotebook.core.store import data_root
from lsnotebook.pages import results
from lsnotebook.pages.rows import Row, Share
from lsnotebook.sortednet.convolution_profiles import SEEDS, ConvolutionStudy
from lsnotebook.sortednet.convolution_runs import accumulated, made

NAME = "accumulation"


class Accumulated(Row):
    """A row of `convolution_runs.scored`."""

    key: ClassVar[tuple[str, ...]] = ("accumulation", "updates", "seed", "width")

    accumulation: PositiveInt
    updates: PositiveInt
    seed: NonNegativeInt
    width: PositiveInt
    top1: Share
    shared: Share
    loss: NonNegativeFloat
    seconds: NonNegativeFloat


def keys(study: ConvolutionStudy) -> list[tuple]:
    """The rows that there must be."""
    return [
        (setting.accumulation, setting.updates, seed, 100 * width // setting.widths)
        for seed in SEEDS[: study.seeds]
        for setting in study.settings
        for width in range(1, setting.widths + 1)
    ]


RESULT = Result("", f"{__name__}:Accumulated", f"{__name__}:keys", networks=lambda study: ())
RECORDS = Part("Sorted convolutions", results={NAME: RESULT})
"""Not one of the command line's: these networks are trained by a loop of their own."""


def record(study: ConvolutionStudy, seeds: int | None = None) -> Path:
    """Train what is missing, and write `data/results/<study>/accumulation.json`. Raises `RunStoreError`."""
    study = dataclasses.replace(study, seeds=seeds or study.seeds)
    rows = accumulated(study)
    return results.write(RECORDS, study, NAME, rows, made(study, rows))  # type: ignore[arg-type]


@dataclasses.dataclass(frozen=True)
class Recorded(results.Recorded):
    """With the command that records it."""

    @property
    def again(self) -> str:
        return f"lsnotebook sortednet accumulate {self.profile.name} --seeds {self.made['seeds']}"


def recorded(study: ConvolutionStudy) -> tuple[pd.DataFrame, str]:
    """The recorded rows of a study, none where there are none, and what stands below them: what made them, or why a
    file is not shown."""
    path = results.path_of(study, NAME)  # type: ignore[arg-type]
    try:
        content = results.parsed(path)
        if content is None:
            return pd.DataFrame(), f"Not recorded yet: lsnotebook sortednet accumulate {study.name}"
        rows = results.table(content, RESULT, study, NAME)  # type: ignore[arg-type]
        return rows, str(Recorded(study, NAME, content.made.model_dump(), rows))  # type: ignore[arg-type]
    except results.ResultError as error:
        again = f"take it from version control again, or make it anew: lsnotebook sortednet accumulate {study.name}"
        return pd.DataFrame(), f"{path.relative_to(data_root())} is not shown: {error}; {again}."
