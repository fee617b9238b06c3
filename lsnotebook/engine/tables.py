"""Tables that are computed from trained networks: each once, then cached, and many side by side.

A table's recipe is the runs that it is computed from, the function that computes it, and its arguments.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd
import torch
from joblib import cpu_count

from lsnotebook.core.progress import Progress
from lsnotebook.core.source import code_version
from lsnotebook.core.store import hashed, recalled, remembered
from lsnotebook.engine import runs
from lsnotebook.engine.run import Run
from lsnotebook.engine.workers import Advance, side_by_side

ATTENTION = "lsnotebook.engine.attention"
"""It changes what tables hold, by rounding."""


@dataclass(frozen=True)
class Table:
    """`compute(models, splits, **arguments)` of the networks of some runs of one profile, and its images."""

    name: str
    compute: Callable[..., pd.DataFrame]
    """A module-level function: the code of its module, with its imports, is part of the recipe."""
    runs: tuple[Run, ...]
    arguments: dict = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name} of {', '.join(map(str, self.runs))}"

    @cached_property  # with which it goes to a worker
    def recipe(self) -> dict:
        return {
            "runs": [run.key for run in self.runs],
            "compute": f"{self.compute.__module__}.{self.compute.__qualname__}",
            "arguments": self.arguments,
            "code": code_version(self.compute.__module__, ATTENTION),
        }

    def fill(self, advance: Advance = lambda count: None) -> pd.DataFrame:
        """The table, computed where it is not in the store."""
        table = remembered(self.recipe, self.name, self.fresh)
        advance(1)
        return table

    def fresh(self) -> pd.DataFrame:
        from lsnotebook.engine.attention import for_few_tokens  # compiles; a page that finds its tables does not wait

        models = [for_few_tokens(runs.load(run)) for run in self.runs]
        return self.compute(models, runs.splits_of(self.runs[0]), **self.arguments)


def tables(wanted: Sequence[Table], what: str, workers: int | None = None) -> list[pd.DataFrame]:
    """All of the tables, those that are missing computed side by side in `workers` processes of one thread each.

    By default there is one worker a core where the networks run on the CPU; on a GPU, this process alone.
    """
    runs.ensure(run for table in wanted for run in table.runs)
    found = [recalled(table.recipe, table.name) for table in wanted]
    asked = {hashed(table.recipe): table for table, known in zip(wanted, found, strict=True) if known is None}
    missing = list(asked.values())  # each once, however often it is asked for
    on_cpu = all(run.schedule.cpu for table in missing for run in table.runs) or not torch.accelerator.is_available()
    workers = workers or (cpu_count() if on_cpu else 1)
    with Progress(len(missing), f"evaluating {what}", delay=1) as progress:
        if min(workers, len(missing)) > 1:
            runs.splits_of(missing[0].runs[0])  # what is left out of the images is said once, not by each worker
            imports = [name for table in missing for name in (table.compute.__module__, table.runs[0].approach.network)]
            side_by_side(Table.fill, missing, workers, progress.advance, [ATTENTION, *imports])
        else:
            with runs.one_thread():
                for table in missing:
                    table.fill(progress.advance)
    return [table.fill() if known is None else known for table, known in zip(wanted, found, strict=True)]
