"""Look for a `digits` profile that shows the paper's picture: the base falls to chance out of order, LayerShuffle
does not, and pays moderately for it in order.

    python benchmarks/digits_search.py refine.learning_rate=5e-4,1e-3,2e-3 backbone.initial_std=0.1,0.15 --seeds 1

Every combination of the given values is trained into a store of its own and evaluated on the selection images,
never on those that the book reports. Prints one row a combination: top-1 in sequential and in arbitrary order,
and the positions predicted correctly where a model predicts them, all in %.
"""

import ast
import dataclasses
import itertools
import os
import tempfile
import time

import click
import pandas as pd

from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.core.profiles import named
from lsnotebook.engine import runs
from lsnotebook.engine.run import study
from lsnotebook.layershuffle.approaches import APPROACHES
from lsnotebook.layershuffle.measurements import accuracies
from lsnotebook.layershuffle.profiles import DIGITS


@click.command()
@click.argument("grid", nargs=-1)
@click.option("--seeds", default=1)
@click.option("--approaches", default="base,baseline,layershuffle")
@click.option("--orders", default=10)
@click.option("--part", default="selection")
def main(grid: tuple[str, ...], seeds: int, approaches: str, orders: int, part: str) -> None:
    names = [entry.partition("=")[0] for entry in grid]
    choices = [[ast.literal_eval(v) for v in entry.partition("=")[2].split(",")] for entry in grid]
    os.environ.setdefault("LSNOTEBOOK_DATA", tempfile.mkdtemp())
    rows = []
    for values in itertools.product(*choices):
        trial = DIGITS
        for name, value in zip(names, values, strict=True):
            part_name, field = name.split(".")
            changed = dataclasses.replace(getattr(trial, part_name), **{field: value})
            trial = dataclasses.replace(trial, **{part_name: changed})
        models = study(trial, [named(name, APPROACHES, "approach") for name in approaches.split(",")], seeds)
        start = time.monotonic()
        runs.ensure(models)
        row = {**dict(zip(names, values, strict=True)), "seconds": round(time.monotonic() - start)}
        for sampler in (sequential, arbitrary):
            results, policy = accuracies(models, sampler, orders, part), sampler.policy
            for approach, group in results.groupby("approach", sort=False):
                row[f"{approach} {policy[:3]}"] = round(100 * group["top1"].mean(), 1)
                if group["position"].notna().any():
                    row[f"{approach} positions {policy[:3]}"] = round(100 * group["position"].mean(), 1)
        rows.append(row)
        print(pd.DataFrame(rows).T.to_string(header=False), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
