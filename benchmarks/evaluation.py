"""Evaluating networks in many orders: `layershuffle.evaluation.evaluate` against the stock class in a plain loop, and
several networks side by side against one after another.

    python benchmarks/evaluation.py --scale digits --orders 10
    python benchmarks/evaluation.py --scale imagenet --images 32 --orders 2 --rounds 3

The plain loop reads the images and runs the stock class in sequence once for each order, as a script that calls an
evaluation function again and again does; it runs in float32, ours on a GPU in bf16. The weights are fresh: time does
not depend on them.

The second table, of the CPU only: some networks under the same orders, in the plain loop or in ours, in one process
with a thread a core, or as `engine.tables` does it, in a process of one thread for each core. All are measured alone
and beside a process that multiplies matrices in a loop. The processes are there already and have their networks:
their start, once for all tables of a page, is left out. The share is of the speed that the matrix products of the
layers reach when they are all that is computed: the faster of both ways, in the same round, and beside the neighbour
likewise.
"""

import dataclasses
from collections.abc import Callable
from functools import partial

import click
import pandas as pd
import torch
from beside import Job, neighbour, plain_loop, pool, prepare, stock_of
from interleaved import interleaved, ratio
from joblib import cpu_count
from torch.utils.data import TensorDataset

from lsnotebook.core.draws import draw
from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.core.profiles import Profile
from lsnotebook.engine.attention import for_few_tokens
from lsnotebook.layershuffle.approaches import LAYERSHUFFLE
from lsnotebook.layershuffle.evaluation import evaluate
from lsnotebook.layershuffle.networks import initial
from lsnotebook.layershuffle.profiles import PROFILES

PLAIN, TOGETHER, APART = "plain loop, one process", "one process", "side by side"


@click.command()
@click.option("--scale", default="digits", type=click.Choice(list(PROFILES)), help="Whose model.")
@click.option("--images", "count", default=997)
@click.option("--orders", default=10)
@click.option("--rounds", default=10)
@click.option("--batch", default=500, help="Images at a time, for all ways.")
@click.option("--runs", default=4, help="Networks that are evaluated side by side.")
def main(scale: str, count: int, orders: int, rounds: int, batch: int, runs: int) -> None:
    profile = PROFILES[scale]
    profile = dataclasses.replace(profile, backbone=dataclasses.replace(profile.backbone, checkpoint=None))
    one_network(profile, count, orders, rounds, batch)
    if not torch.cuda.is_available():
        several_networks(profile, [Job(profile, seed, count, orders, batch) for seed in range(runs)], rounds)


def one_network(profile: Profile, count: int, orders: int, rounds: int, batch: int) -> None:
    backbone = profile.backbone
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = initial(profile, LAYERSHUFFLE).eval().to(device)
    stock = stock_of(model)
    for_few_tokens(model)  # as `engine.tables` does
    pixel_values = torch.randn(count, backbone.channels, *[backbone.image_size] * 2)
    images = TensorDataset(pixel_values, torch.randint(profile.images.classes, (count,)))

    drawn, straight = draw(arbitrary, backbone.layers, orders), [sequential(backbone.layers)]
    seconds = interleaved(
        {
            "stock in sequence, plain loop": lambda: plain_loop(stock, images, orders, batch),
            "ours, in sequence": lambda: [evaluate(model, images, straight, batch) for _ in range(orders)],
            "ours, shuffled": lambda: evaluate(model, images, drawn, batch),
        },
        rounds,
    )
    table = pd.DataFrame(
        {
            "ms an order": 1000 * seconds.median() / orders,
            "images/s": count * orders / seconds.median(),
            "time, of the plain loop": ratio(seconds, "stock in sequence, plain loop"),
            "time, of ours in sequence": ratio(seconds, "ours, in sequence"),
        }
    )
    threads = torch.get_num_threads()
    print(f"{profile.name}: {count} images, {orders} orders on {device}, {threads} threads, {rounds} rounds")
    print(table.to_string(float_format="{:.2f}".format))


def several_networks(profile: Profile, jobs: list[Job], rounds: int) -> None:
    cores, threads = cpu_count(), torch.get_num_threads()
    prepare(jobs, cores)

    def together(do: Callable[[Job], None]) -> None:
        for job in jobs:
            do(job)

    with pool(jobs, cores) as apart, neighbour() as beside:
        ways = {
            (what, where): partial(run, do)
            for what, do in (("evaluated", Job.evaluated), ("multiplied", Job.multiplied))
            for where, run in ((TOGETHER, together), (APART, apart))
        }
        ways["evaluated", PLAIN] = partial(together, Job.looped)
        ways = {(*name, "alone"): way for name, way in ways.items()} | {
            (*name, "busy"): beside(way) for name, way in ways.items()
        }
        seconds = interleaved(ways, rounds).set_axis(pd.MultiIndex.from_tuples(ways), axis=1)
    torch.set_num_threads(threads)
    columns = {}
    for neighbours in ("alone", "busy"):
        there = seconds.xs(neighbours, axis=1, level=2)
        evaluated, multiplied = there["evaluated"], there["multiplied"].min(axis=1)
        columns["ms a network and order", neighbours] = 1000 * evaluated.median() / len(jobs) / jobs[0].orders
        columns["time, of the plain loop", neighbours] = ratio(evaluated, PLAIN)
        columns["time, of one process", neighbours] = ratio(evaluated, TOGETHER)
        columns["share of the matrix products", neighbours] = evaluated.rdiv(multiplied, axis=0).median()
    alone, busy = (seconds.xs(name, axis=1, level=2)["evaluated"] for name in ("alone", "busy"))
    columns["time, of alone", "busy"] = (busy / alone).median()
    print(f"{profile.name}: {len(jobs)} networks under {jobs[0].orders} orders, {jobs[0].images} images, ", end="")
    print(f"one process of {cores} threads or {cores} of one thread, {rounds} rounds")
    print(pd.DataFrame(columns).to_string(float_format="{:.2f}".format))


if __name__ == "__main__":
    main()
