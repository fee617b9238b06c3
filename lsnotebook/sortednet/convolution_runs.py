"""Trained sorted convolutions in the store: asked for, they are there, or trained; interrupted, they go on."""

import dataclasses
import functools
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import load, save
from torch import Tensor
from torch.utils.data import Subset, TensorDataset

from lsnotebook.core.seeding import seeded
from lsnotebook.core.source import code_version
from lsnotebook.core.store import data_root, hashed, read_checked, remembered, write_checked
from lsnotebook.data.loading import digest
from lsnotebook.data.loading import load as load_images
from lsnotebook.engine.provenance import PACKAGES, commit, provenance
from lsnotebook.engine.runs import one_thread
from lsnotebook.sortednet.convolution_profiles import SEEDS, ConvolutionStudy
from lsnotebook.sortednet.convolutions import Part, extract, recounted
from lsnotebook.sortednet.resnet import PreResNet, PreResNetConfig
from lsnotebook.sortednet.sgd import Setting, accuracy, fit, optimizer_of

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
        study = self.study
        return {
            "images": {**dataclasses.asdict(study.images), "content": digest(study.images)},
            "network": [study.norm, study.stem, study.planes, study.image_size, study.channels],
            "setting": dataclasses.asdict(self.setting),
            "seed": self.seed,
            "code": code_version("lsnotebook.sortednet.sgd", "lsnotebook.sortednet.resnet"),
        }

    @property
    def state(self) -> Path:
        """The file of weights and momentum: where training stands, and in the end the trained network."""
        what = f"{self.setting.accumulation}x{self.setting.updates}-seed{self.seed}-{hashed(self.recipe)}"
        return data_root() / "runs" / self.study.name / what / "sgd.state"


def initial(run: SortedRun) -> PreResNet:
    """The network before its first step."""
    study = run.study
    config = PreResNetConfig(
        stem=study.stem,
        planes=list(study.planes),
        norm=study.norm,
        num_channels=study.channels,
        num_labels=study.images.classes,
    )
    with seeded(run.seed, "initialisation"):
        return PreResNet(config)


def trained(run: SortedRun, stop: int | None = None) -> tuple[PreResNet, dict]:
    """The network, and what its training took: updates, seconds of the processor, and the losses of the updates.

    It goes on where it stood, and leaves its state every few updates; `stop` ends it early. Raises `DamagedError`.
    """
    network, key = initial(run), hashed(run.recipe)
    optimizer = optimizer_of(network, run.setting)
    moments = {name: optimizer.state[one]["momentum_buffer"] for name, one in network.named_parameters()}
    took: dict = {"updates": 0, "seconds": 0.0, "losses": []}
    if content := read_checked(run.state, key):
        header, _, tensors = content.partition(b"\n")
        took, found = json.loads(header), load(tensors)
        network.load_state_dict({name[6:]: one for name, one in found.items() if name.startswith("model/")})
        for name, moment in moments.items():
            moment.copy_(found[f"momentum/{name}"])
    stop = min(stop or run.setting.updates, run.setting.updates)
    if took["updates"] < stop:
        pixels, labels = arrays(run.study)["train"]
        before, since = took["seconds"], time.process_time()
        for loss in fit(network, optimizer, pixels, labels, run.setting, run.seed, took["updates"]):
            took["updates"] += 1
            took["losses"].append(loss)
            if took["updates"] % SAVE_EVERY == 0 or took["updates"] == stop:
                took["seconds"] = before + time.process_time() - since
                whole = {f"model/{name}": one for name, one in network.state_dict().items()}
                whole |= {f"momentum/{name}": one for name, one in moments.items()}
                write_checked(run.state, key, json.dumps(took).encode() + b"\n", save(whole))
            if took["updates"] == stop:
                break
    return network.eval(), took


@functools.lru_cache(maxsize=2)
def arrays(study: ConvolutionStudy) -> dict[str, tuple[Tensor, Tensor]]:
    """The training and the validation images, decoded once: (N, channels, height, width) and labels (N,) of each."""
    splits = load_images(study.images, study.backbone)
    train, (pixels, labels) = array(splits.train), array(splits.validation)
    return {"train": train, "validation": (pixels[:: study.every], labels[:: study.every])}


def array(images: Subset) -> tuple[Tensor, Tensor]:
    whole, indices = images.dataset, list(images.indices)
    if isinstance(whole, TensorDataset):
        pixels, labels = whole[indices]
        return pixels, labels
    chunks = [indices[k : k + 500] for k in range(0, len(indices), 500)]
    pixels = torch.cat([whole.pixels([whole.read(k) for k in chunk]) for chunk in chunks])
    return pixels, torch.tensor([whole.targets[k] for k in indices])


def runs_of(study: ConvolutionStudy) -> Iterator[SortedRun]:
    """A seed after the other, so that what is there early can be compared."""
    for seed in SEEDS[: study.seeds]:
        yield from (SortedRun(study, setting, seed) for setting in study.settings)


def scored(run: SortedRun) -> pd.DataFrame:
    """One row for each width of a trained network: accumulation, updates, seed, width (in %), top1 (with running
    statistics of its own), shared (with those that all widths share), loss (the mean of the last tenth of the updates)
    and seconds; in the store once it is computed."""

    def compute() -> pd.DataFrame:
        with one_thread():
            network, took = trained(run)
            images, seen = arrays(run.study)["validation"], arrays(run.study)["train"][0][:COUNTED].split(128)
            parts = [Part(width, run.setting.widths) for width in range(1, run.setting.widths + 1)]
            top1 = [accuracy(recounted(network, part, seen), *images) for part in parts]
            shared = [accuracy(extract(network, part), *images) for part in parts]
        last = took["losses"][-max(1, len(took["losses"]) // 10) :]
        return pd.DataFrame(
            {
                "accumulation": run.setting.accumulation,
                "updates": run.setting.updates,
                "seed": run.seed,
                "width": [100 * part.width // part.of for part in parts],
                "top1": top1,
                "shared": shared,
                "loss": sum(last) / len(last),
                "seconds": took["seconds"],
            }
        )

    return remembered({"run": run.recipe, "code": code_version(__name__)}, "sorted convolution", compute)


def accumulated(study: ConvolutionStudy) -> pd.DataFrame:
    """`scored` of all networks of a study."""
    return pd.concat([scored(run) for run in runs_of(study)], ignore_index=True)


def made(study: ConvolutionStudy, rows: pd.DataFrame) -> dict:
    """What made them, as recorded results say it (`pages.results.Made`); the hours are those of one core."""
    versions = provenance(torch.device("cpu"))
    each = rows.drop_duplicates(["accumulation", "updates", "seed"])
    return {
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "devices": [f"one core ({versions['machine']})"],
        "versions": {name: [versions[name]] for name in ("python", *PACKAGES)},
        "networks": len(each),
        "seeds": study.seeds,
        "hours": float(each["seconds"].sum() / 3600),
        "kilowatt_hours": None,
    }
