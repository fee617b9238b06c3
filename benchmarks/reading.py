"""How many images a second the input pipeline gives, without a model behind it.

    python benchmarks/reading.py --scale cifar100-small
    python benchmarks/reading.py --scale imagenet --images 200

For the images of a profile (they must be there; README says where to put them): files read only, then decoded and
prepared by one process and by several, and, on a machine with a GPU, decoded and prepared there. Where the checkpoint's
image processor is out of reach, ViT's own takes its place.
"""

import dataclasses

import click
import pandas as pd
import torch
from accelerate import Accelerator
from interleaved import interleaved, ratio
from joblib import cpu_count
from torch.utils.data import Subset

from lsnotebook.core.profiles import Machine
from lsnotebook.data.batches import Batches
from lsnotebook.data.loading import load
from lsnotebook.data.splits import DataError
from lsnotebook.engine.launch import read
from lsnotebook.layershuffle.profiles import PROFILES


@click.command()
@click.option("--scale", default="cifar100-small", type=click.Choice(list(PROFILES)))
@click.option("--images", "count", default=2_000)
@click.option("--batch", default=100)
@click.option("--workers", default=cpu_count(), show_default="one a core")
@click.option("--rounds", default=5)
def main(scale: str, count: int, batch: int, workers: int, rounds: int) -> None:
    profile = PROFILES[scale]
    try:
        splits = load(profile.images, profile.backbone)
    except DataError:
        backbone = dataclasses.replace(profile.backbone, checkpoint=None)
        splits = load(profile.images, backbone)
    train = splits.train
    images = Subset(train.dataset, train.indices[: min(count, len(train))])
    accelerator = Accelerator()

    def through(machine: Machine) -> None:
        batches = Batches(len(images), batch, 0, 0, len(images) // batch)
        for pixel_values, _ in read(images, batches, accelerator, machine):
            last = pixel_values
        last.sum().item()

    ways = {
        "files read": lambda: [images.dataset.read(k) for k in images.indices],
        "one process": lambda: through(Machine()),
        f"{workers} processes": lambda: through(Machine(readers=workers)),
    }
    if accelerator.device.type == "cuda":
        ways[f"{workers} processes, decoded on the GPU"] = lambda: through(Machine(readers=workers, decode_on_gpu=True))
    seconds = interleaved(ways, rounds)
    table = pd.DataFrame(
        {"images/s": len(images) / seconds.median(), "times as fast as one process": 1 / ratio(seconds, "one process")}
    )
    print(f"{scale}: {len(images)} images of {profile.backbone.image_size} x {profile.backbone.image_size}, ", end="")
    print(f"torch {torch.__version__}, {rounds} rounds")
    print(table.to_string(float_format="{:,.2f}".format))


if __name__ == "__main__":
    main()
