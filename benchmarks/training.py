"""What a training step costs: `ShuffleViT` as this project trains it against the stock class in a plain loop.

    python benchmarks/training.py                                     digits, its own batches
    python benchmarks/training.py --scale cifar100-mini --steps 2 --without bf16          on a CPU
    python benchmarks/training.py --scale imagenet --batch 4 --steps 1 --rounds 5         ViT-B/16, on a CPU; one that
                                                            has no bf16 emulates it for minutes: --without bf16
    python benchmarks/training.py --scale imagenet --batch 256 --steps 10 --rounds 5      ViT-B/16, on a GPU

All ways learn from the same images, which lie on the device already, and take turns. A plain loop is the stock class in
float32 with PyTorch's unfused Adam. The share of the matrix product (model FLOP utilisation) relates the products of
the model's forward and backward pass, counted once, to what one large product reaches in this run, for the bf16 ways in
bf16 or in float32, whichever is faster here. What is kept are the activations that the forward pass leaves for the way
back. Below, what the time of a step is spent on, with the profile's own images where they are there.
"""

import dataclasses
import itertools
import time
from collections.abc import Callable

import click
import pandas as pd
import torch
from interleaved import finished, interleaved, ratio
from torch.utils.flop_counter import FlopCounterMode
from transformers import ViTForImageClassification

from lsnotebook.core.orders import Sampler, arbitrary, sequential
from lsnotebook.core.profiles import PLAIN, Machine, Profile
from lsnotebook.core.randomness import stream
from lsnotebook.data.augmentation import augmented
from lsnotebook.data.batches import Batches
from lsnotebook.data.loading import load
from lsnotebook.data.splits import DataError
from lsnotebook.engine.launch import accelerator_for, prepare, read
from lsnotebook.engine.loop import gradients
from lsnotebook.layershuffle.approaches import BASELINE, LAYERSHUFFLE
from lsnotebook.layershuffle.networks import initial
from lsnotebook.layershuffle.profiles import PROFILES

LOOP, STOCK = "stock, plain loop", "stock, fused Adam"


def stock(profile: Profile, images: torch.Tensor, labels: torch.Tensor, fused: bool) -> Callable[[], None]:
    model = ViTForImageClassification(initial(profile, BASELINE).config)
    model.train().to(images.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=fused)

    def step() -> None:
        model(images, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def ours(
    profile: Profile, images: torch.Tensor, labels: torch.Tensor, sampler: Sampler, precision: str, machine: Machine
) -> Callable[[], None]:
    schedule = dataclasses.replace(profile.refine, mixed_precision=precision)
    launch = prepare(initial(profile, LAYERSHUFFLE), schedule, sampler, machine)
    launch.network.train()
    number = itertools.count()

    def step() -> None:
        order = sampler(profile.backbone.layers, stream(0, "order", next(number)))
        gradients(launch, images, labels, order)
        launch.optimizer.step()
        launch.optimizer.zero_grad()

    return step


def stages(profile: Profile, batch: int, steps: int) -> pd.Series:
    """The share of a step's time, in %: reading and augmenting a batch, forward, backward, optimizer."""
    schedule = dataclasses.replace(profile.refine, mixed_precision="no")
    launch = prepare(initial(profile, LAYERSHUFFLE), schedule, arbitrary, profile.machine)
    images = load(profile.images, profile.backbone).train
    batches = read(images, Batches(len(images), batch, 0, 0, steps + 1), launch.accelerator, profile.machine)
    seconds = dict.fromkeys(("data", "forward", "backward", "optimizer"), 0.0)
    for number in range(steps + 1):
        times = [now()]
        pixel_values, labels = next(batches)
        if profile.images.augment:
            pixel_values = augmented(pixel_values, stream(0, "augment", number))
        times.append(now())
        loss = launch.network(pixel_values, order=arbitrary(profile.backbone.layers, stream(0, "order", number)),
                              labels=labels).loss  # fmt: skip
        times.append(now())
        launch.accelerator.backward(loss)
        times.append(now())
        launch.optimizer.step()
        launch.optimizer.zero_grad()
        times.append(now())
        if number:  # the first step is slower than the others
            for stage, (start, end) in zip(seconds, itertools.pairwise(times), strict=True):
                seconds[stage] += end - start
    return 100 * pd.Series(seconds) / sum(seconds.values())


def now() -> float:
    finished()
    return time.perf_counter()


def product(size: int, dtype: torch.dtype, device: torch.device) -> Callable[[], None]:
    left, right = (torch.randn(size, size, dtype=dtype, device=device) for _ in range(2))
    return lambda: left @ right


def kept(step: Callable[[], None]) -> float:
    """MiB of what a step keeps for its way back, weights not counted twice."""
    seen = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        if not isinstance(tensor, torch.nn.Parameter):
            storage = tensor.untyped_storage()
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        step()
    return sum(seen.values()) / 2**20


@click.command()
@click.option("--scale", default="digits", type=click.Choice(list(PROFILES)), help="Whose model and batches.")
@click.option("--batch", type=int, help="Images a step; the profile's if not given.")
@click.option("--rounds", default=20)
@click.option("--steps", default=10, help="Steps that a way takes when it is its turn.")
@click.option("--matrix", type=int, help="Rows of the large product; 8192 on a GPU, 512 on a CPU.")
@click.option("--without", multiple=True, type=click.Choice(["bf16", "compiled", "recomputed"]), help="Leave ways out.")
def main(scale: str, batch: int | None, rounds: int, steps: int, matrix: int | None, without: tuple[str, ...]) -> None:
    profile = PROFILES[scale]
    profile = dataclasses.replace(profile, backbone=dataclasses.replace(profile.backbone, checkpoint=None))
    backbone, batch = profile.backbone, batch or profile.refine.batch_size
    device = torch.device("cpu") if profile.refine.cpu else accelerator_for(profile.refine, arbitrary).device
    if profile.refine.cpu:
        torch.set_num_threads(1)  # as such profiles are trained
    images = torch.randn(batch, backbone.channels, *[backbone.image_size] * 2, device=device)
    labels = torch.randint(profile.images.classes, (batch,), device=device)

    given = (profile, images, labels)
    made: dict[str, Callable[[], Callable[[], None]]] = {
        LOOP: lambda: stock(*given, fused=False),
        STOCK: lambda: stock(*given, fused=True),
        "in sequence": lambda: ours(*given, sequential, "no", PLAIN),
        "shuffled": lambda: ours(*given, arbitrary, "no", PLAIN),
        "shuffled, recomputed": lambda: ours(*given, arbitrary, "no", Machine(recompute=True)),
        "shuffled, compiled": lambda: ours(*given, arbitrary, "no", Machine(compile=True)),
        "shuffled, bf16": lambda: ours(*given, arbitrary, "bf16", PLAIN),
        "shuffled, bf16, compiled": lambda: ours(*given, arbitrary, "bf16", Machine(compile=True)),
    }
    ways, first, memory = {}, {}, {}
    for name, make in made.items():
        if any(word in name for word in without):
            continue
        step = make()
        start = time.perf_counter()
        step()
        first[name] = time.perf_counter() - start
        memory[name] = kept(step)
        ways[name] = lambda step=step: [step() for _ in range(steps)]
    with FlopCounterMode(display=False) as counter:
        made[STOCK]()()
    flops = counter.get_total_flops()
    rows = matrix or (8192 if device.type == "cuda" else 512)
    dtypes = (torch.float32,) if "bf16" in without else (torch.float32, torch.bfloat16)
    products = {dtype: product(rows, dtype, device) for dtype in dtypes}
    seconds = interleaved({**ways, **products}, rounds)
    reached = {dtype: 2 * rows**3 / seconds.pop(dtype) for dtype in products}  # FLOP/s in each round

    seconds /= steps
    median = seconds.median()
    fastest = pd.DataFrame(reached).max(axis=1)  # where bf16 is emulated, float32 is faster
    peak = {name: fastest if "bf16" in name else reached[torch.float32] for name in ways}
    compiled_ways = [name for name in ways if "compiled" in name]
    back = {name: first[name] / (median[name.removesuffix(", compiled")] - median[name]) for name in compiled_ways}
    table = pd.DataFrame(
        {
            "ms": 1000 * median,
            "images/s": batch / median,
            "times as fast as the plain loop": 1 / ratio(seconds, LOOP),
            "time, of stock with fused Adam": ratio(seconds, STOCK),
            "share of the matrix product, %": {
                name: 100 * (flops / seconds[name] / peak[name]).median() for name in ways
            },
            "kept, MiB": memory,
            "first step, s": first,
            "steps to pay that back": pd.Series(back, dtype=float).where(lambda steps: steps > 0),
        }
    ).loc[list(ways)]
    where = torch.cuda.get_device_name() if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    print(f"{scale}: {batch} images a step on {where}, torch {torch.__version__}, {rounds} rounds of {steps} steps;")
    print(f"a product of {rows} x {rows} matrices reaches ", end="")
    print(", ".join(f"{rate.median() / 1e9:,.0f} GFLOP/s in {str(dtype)[6:]}" for dtype, rate in reached.items()))
    print(table.T.to_string(float_format="{:.2f}".format, na_rep=""))
    try:
        print("share of a shuffled step, %:", stages(profile, batch, max(steps, 5)).round(1).to_dict())
    except DataError as error:
        print(f"share of a shuffled step: not measured. {error}")


if __name__ == "__main__":
    main()
