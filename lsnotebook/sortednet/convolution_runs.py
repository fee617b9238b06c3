"""Trained sorted convolutions in the store: asked for, they are there, or trained; interrupted, they go on."""

import dataclasses
import functools
import json
import time
from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import load, save
from torch import Tensor

from lsnotebook.core.seeding import seeded
from lsnotebook.core.source import code_version
from lsnotebook.core.store import data_root, hashed, read_checked, remembered, write_checked
from lsnotebook.data.batches import in_turn
from lsnotebook.data.loading import digest
from lsnotebook.data.loading import load as load_images
from lsnotebook.engine.runs import one_thread
from lsnotebook.sortednet.convolution_profiles import SEEDS, ConvolutionStudy, Setting
from lsnotebook.sortednet.convolutions import Part, extract, recounted
from lsnotebook.sortednet.resnet import PreResNet, PreResNetConfig
from lsnotebook.sortednet.sgd import accuracy, fit, optimizer_of

SAVE_EVERY = 20
"""Updates between two states on disk."""
COUNTED = 1_024
"""Training images that running statistics are counted anew on."""


@dataclasses.dataclass(frozen=True)
class SortedRun:
    """One network of a study."""

    study: ConvolutionStudy
    setting: Setting
    seed: int

    @property
    def recipe(self) -> dict:
        """Every value that influences the weights, what the images hold, and the version of the code."""
        others = ("name", "updates", "batches", "accumulations", "every", "seeds")
        values = {name: value for name, value in dataclasses.asdict(self.study).items() if name not in others}
        values |= {"content": digest(self.study.images), "setting": self.setting, "seed": self.seed}
        return {**values, "code": code_version("lsnotebook.sortednet.sgd", "lsnotebook.sortednet.resnet")}

    @property
    def state(self) -> Path:
        """The file of weights and momentum: where training stands, and in the end the trained network."""
        what = f"{self.setting.accumulation}x{self.setting.updates}-seed{self.seed}-{hashed(self.recipe)}"
        return data_root() / "runs" / self.study.name / what / "sgd.state"


def trained(run: SortedRun, stop: int | None = None) -> tuple[PreResNet, dict]:
    """The network, and what its training took: the losses of the updates, and seconds of the processor.

    It goes on where it stood, and leaves its state every few updates; `stop` ends it early. Raises `DamagedError`.
    """
    study, key = run.study, hashed(run.recipe)
    sizes = {"stem": study.stem, "planes": list(study.planes), "num_channels": study.channels}
    with seeded(run.seed, "initialisation"):
        network = PreResNet(PreResNetConfig(**sizes, norm=study.norm, num_labels=study.images.classes))
    optimizer = optimizer_of(network)
    momentum = {name: optimizer.state[one]["momentum_buffer"] for name, one in network.named_parameters()}
    state = {**network.state_dict(), **{f"momentum of {name}": one for name, one in momentum.items()}}
    took: dict = {"losses": [], "seconds": 0.0}
    if content := read_checked(run.state, key):
        header, _, tensors = content.partition(b"\n")
        took = json.loads(header)
        for name, one in load(tensors).items():
            state[name].copy_(one)
    losses, stop = took["losses"], stop or run.setting.updates
    if len(losses) < stop:
        begun = time.process_time() - took["seconds"]
        for loss in fit(network, optimizer, arrays(study)[0], study, run.setting, run.seed, len(losses)):
            losses.append(loss)
            if len(losses) % SAVE_EVERY == 0 or len(losses) == stop:
                took["seconds"] = time.process_time() - begun
                write_checked(run.state, key, json.dumps(took).encode() + b"\n", save(state))
            if len(losses) == stop:
                break
    return network.eval(), took


@functools.lru_cache(maxsize=2)
def arrays(study: ConvolutionStudy) -> list[tuple[Tensor, Tensor]]:
    """The training and the validation images, decoded once: (N, channels, height, width) and labels (N,) of each."""
    splits = load_images(study.images, study.backbone)
    both = (zip(*in_turn(images, 500), strict=True) for images in (splits.train, splits.validation))
    train, (pixels, labels) = (tuple(map(torch.cat, parts)) for parts in both)
    return [train, (pixels[:: study.every], labels[:: study.every])]


def runs_of(study: ConvolutionStudy) -> list[SortedRun]:
    """A seed after the other, so that what is there early can be compared."""
    return [SortedRun(study, setting, seed) for seed in SEEDS[: study.seeds] for setting in study.settings]


def scored(run: SortedRun) -> pd.DataFrame:
    """One row for each width of a trained network: accumulation, updates, seed, width (in %), top1 (with running
    statistics of its own), shared (with those that all widths share), loss (the mean of the last tenth of the updates)
    and seconds; in the store once it is computed."""

    def compute() -> pd.DataFrame:
        with one_thread():
            network, took = trained(run)
            (seen, _), images = arrays(run.study)
            rows = [
                {
                    **run.setting._asdict(),
                    "seed": run.seed,
                    "width": 100 * part.width // part.of,
                    "top1": accuracy(recounted(network, part, seen[:COUNTED].split(128)), images),
                    "shared": accuracy(extract(network, part), images),
                }
                for part in (Part(width, run.study.widths) for width in range(1, run.study.widths + 1))
            ]
        last = took["losses"][-max(1, len(took["losses"]) // 10) :]
        return pd.DataFrame(rows).assign(loss=sum(last) / len(last), seconds=took["seconds"])

    return remembered({"run": run.recipe, "code": code_version(__name__)}, "sorted convolution", compute)


def accumulated(study: ConvolutionStudy) -> pd.DataFrame:
    """`scored` of all networks of a study."""
    return pd.concat([scored(run) for run in runs_of(study)], ignore_index=True)
