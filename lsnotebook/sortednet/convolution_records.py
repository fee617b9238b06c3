"""What `lsnotebook sortednet accumulate` records of sorted convolutions, and how a page reads it."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pandas as pd
import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from lsnotebook.core.profiles import Part, Result
from lsnotebook.engine.provenance import PACKAGES, commit, provenance
from lsnotebook.pages import results
from lsnotebook.pages.rows import Row, Share
from lsnotebook.sortednet.convolution_profiles import PROFILES, SEEDS, ConvolutionStudy
from lsnotebook.sortednet.convolution_runs import accumulated

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
    widths = [100 * width // study.widths for width in range(1, study.widths + 1)]
    return [(*of, seed, width) for seed in SEEDS[: study.seeds] for of in study.settings for width in widths]


RESULT = Result(
    compute="",
    row=f"{__name__}:Accumulated",
    keys=f"{__name__}:keys",
    networks=lambda study: (),
    command="lsnotebook sortednet accumulate {profile}",
)
RECORDS = Part("Sorted convolutions", PROFILES, results={NAME: RESULT})  # type: ignore[arg-type]
"""Not one of the command line's: these networks are trained by a loop of their own."""


def record(study: ConvolutionStudy, seeds: int | None = None) -> Path:
    """Train what is missing, and write `data/results/<study>/accumulation.json`. Raises `RunStoreError`."""
    study = dataclasses.replace(study, seeds=seeds or study.seeds)
    rows, versions = accumulated(study), provenance(torch.device("cpu"))
    each = rows.drop_duplicates(["accumulation", "updates", "seed"])
    made = {
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "devices": [f"one core ({versions['machine']})"],
        "versions": {name: [versions[name]] for name in ("python", *PACKAGES)},
        "networks": len(each),
        "seeds": study.seeds,
        "hours": float(each["seconds"].sum() / 3600),
        "kilowatt_hours": None,
    }
    return results.write(RECORDS, study, NAME, rows, made)  # type: ignore[arg-type]


def recorded(study: ConvolutionStudy) -> tuple[pd.DataFrame, str]:
    """The recorded rows of a study, none where there are none, and what stands below them: what made them, or why a
    file is not shown."""
    found, refused = results.recorded(RECORDS, NAME, [study])  # type: ignore[list-item]
    for one in found.values():
        return one.rows, str(one)
    return pd.DataFrame(), "".join(refused) or f"Not recorded yet: {RESULT.command.format(profile=study.name)}"
