"""What changes with the way of training: tables that pages compare, of networks in the store."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from lsnotebook.core.profiles import Approach
from lsnotebook.engine.run import Run, study
from lsnotebook.engine.tables import Table, tables
from lsnotebook.sortednet import claims, scores
from lsnotebook.sortednet.approaches import ACCUMULATED, BOTH, LARGEST, LOSSES
from lsnotebook.sortednet.grids import check_alike, joined
from lsnotebook.sortednet.profiles import SortedStudy

WAYS = {"updates": "Table 5: as many updates", "data": "Table 6: as many images"}
"""What is the same for every number of accumulated batches."""
DRAWS = 5
"""Draws of the layers to keep."""


def by_size(
    profile: SortedStudy, approaches: Sequence[Approach], seeds: int | None = None, part: str = "validation"
) -> pd.DataFrame:
    """`scores.sizes` of the networks of some approaches: approach, seed, layers, heads, top1."""
    wanted = study(profile, approaches, seeds)
    return joined(wanted, [sized(run, part) for run in wanted], "sub-models")


def sized(run: Run, part: str = "validation") -> Table:
    return Table("sizes", scores.sizes, (run,), {"part": part})


def with_updates(profile: SortedStudy, count: int, way: str) -> SortedStudy:
    """The profile where `count` batches make an update. With one, there are three tenths of the profile's steps, as a
    number that 1 to 4 divide; the weights are those of the last step."""
    refine = profile.refine
    steps = max(1, 3 * refine.steps // 120) * 12 // (count if way == "data" else 1)
    batch = count * refine.batch_size
    return replace(profile, refine=replace(refine, steps=steps, batch_size=batch, check_every=steps))


def accumulations(profile: SortedStudy, seeds: int | None = None) -> pd.DataFrame:
    """Networks sorted in both, with 1 to 4 accumulated batches: way, accumulation, updates, seed, layers, heads,
    top1."""
    wanted = [
        (run, {"way": way, "accumulation": count, "updates": run.schedule.steps, "seed": run.seed})
        for way in WAYS
        for count, approach in ACCUMULATED.items()
        for run in study(with_updates(profile, count, way), [approach], seeds)
    ]
    found = tables([sized(run) for run, _ in wanted], "sub-models")
    return pd.concat([table.assign(**of) for table, (_, of) in zip(found, wanted, strict=True)], ignore_index=True)


def layers_kept(models: Sequence[Run]) -> pd.DataFrame:
    """`scores.kept` of networks of any part: approach, seed, kind, layers, draw, top1. Raises `ProfileError`."""
    check_alike(models)
    whole = models[0].layers
    counts = sorted({1, 2, *(whole * quarter // 4 for quarter in (1, 2, 3, 4))} & set(range(1, whole + 1)))
    given = {"counts": counts, "draws": DRAWS}
    return joined(models, [Table("kept", scores.kept, (run,), given) for run in models], "layers")


def best(table: pd.DataFrame, costs: pd.DataFrame, approach: Approach, share: float) -> tuple[int, int]:
    """(layers, heads) of the sub-model that is best on average over the networks of an approach, among those that cost
    at most this share of the whole network's operations (the cheapest, if none does); `table` is of the selection
    images."""
    mean = table[table["approach"] == approach.name].groupby(["layers", "heads"], as_index=False)["top1"].mean()
    mean = mean.merge(costs)
    cheap = mean[mean["flops"] <= max(share * mean["flops"].max(), mean["flops"].min())]
    row = cheap.loc[cheap["top1"].idxmax()]
    return int(row["layers"]), int(row["heads"])


def prepare(profile: SortedStudy) -> None:
    """Compute what the pages show by default."""
    claims.check(profile)
    by_size(profile, [*LOSSES, LARGEST])
    by_size(profile, [BOTH], part="selection")
    accumulations(profile)
