"""The images of a profile, in three parts: to learn from, to choose the checkpoint, to report."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset

from lsnotebook.profiles import Backbone, Data
from lsnotebook.randomness import stream
from lsnotebook.store import data_root


class DataError(ValueError):
    """Images that are missing or not what the profile says."""


class Splits(NamedTuple):
    """Data sets of (pixel_values (channels, height, width), label)."""

    train: Dataset
    selection: Dataset
    validation: Dataset


def load(data: Data, backbone: Backbone) -> Splits:
    """The three parts of `data`, prepared for `backbone`.

    The parts never overlap and are the same for every seed of a profile. Raises `DataError`.
    """
    if data.name == "digits":
        images = digits()
        train, validation = images, images
        shuffled = stream(0, "split").permutation(len(images))
        kept, tested = np.split(shuffled, [data.selection + data.train])
    else:
        train, validation = (image_folder(data.name, part, backbone) for part in data.folders)
        if train.classes != validation.classes:
            differing = ", ".join(sorted(set(train.classes) ^ set(validation.classes))[:5])
            raise DataError(
                f"The folders {' and '.join(data.folders)} of {data.name!r} differ in their classes ({differing}); "
                "a class's label is its place among them, so give both the same folders."
            )
        kept = stream(0, "split").permutation(len(train))
        tested = np.arange(len(validation))
    selection, learned = np.split(kept, [data.selection])
    tested = tested[: data.validation]
    splits = Splits(
        train=Subset(train, learned[: data.train].tolist()),
        selection=Subset(train if data.selection else validation, (selection if data.selection else tested).tolist()),
        validation=Subset(validation, tested.tolist()),
    )
    check(splits, data, backbone)
    return splits


def digits() -> Dataset:
    """The 1,797 real 8x8 images that scikit-learn carries, grey values scaled to -1 ... 1."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = torch.tensor(bunch.images, dtype=torch.float32)[:, None] / 8 - 1  # (1797, 1, 8, 8), from 0 ... 16
    return TensorDataset(images, torch.tensor(bunch.target))


def image_folder(name: str, part: str, backbone: Backbone) -> Dataset:
    """`data/<name>/<part>/<class>/*`, resized and cropped to the backbone's size, scaled to -1 ... 1."""
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import v2

    folder = data_root() / name / part
    size = backbone.image_size
    transform = v2.Compose(
        [
            v2.RGB() if backbone.channels == 3 else v2.Grayscale(),
            v2.Resize(size, interpolation=v2.InterpolationMode.BICUBIC),
            v2.CenterCrop(size),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize([0.5] * backbone.channels, [0.5] * backbone.channels),
        ]
    )
    try:
        return ImageFolder(folder, transform=transform)
    except FileNotFoundError as error:
        raise DataError(
            f"No images of {name!r} in {folder}: put one folder a class there, {part}/<class>/<image>, "
            "or name another place for data/ in LSNOTEBOOK_DATA."
        ) from error


def check(splits: Splits, data: Data, backbone: Backbone) -> None:
    """Raise `DataError` where a part is empty, an image has the wrong size, or a label is out of range."""
    for part, images in splits._asdict().items():
        if not len(images):
            raise DataError(f"The {part} part of {data.name!r} has no images; the profile asks for too many others.")
        got, expected = tuple(images[0][0].shape), (backbone.channels, *[backbone.image_size] * 2)
        if got != expected:
            raise DataError(
                f"The {part} images of {data.name!r} are of shape {got}, but the backbone takes {expected}; "
                "mend the profile's image_size or channels."
            )
        labels = labels_of(images)
        if labels.min() < 0 or labels.max() >= data.classes:
            raise DataError(
                f"The {part} labels of {data.name!r} run from {labels.min()} to {labels.max()}, but the profile has "
                f"{data.classes} classes, 0 to {data.classes - 1}; mend the labels or the profile's classes."
            )


def labels_of(images: Subset) -> np.ndarray:
    """The labels (B,) without reading an image."""
    whole = images.dataset
    labels = whole.tensors[1].numpy() if isinstance(whole, TensorDataset) else np.asarray(whole.targets)
    return labels[images.indices]


class Batches:
    """The batches of the steps `start` ... `stop`-1, as lists of image indices: a DataLoader's batch sampler.

    A pass takes every image once, in an order drawn anew for each pass; the images that do not fill
    its last batch are left out of this pass. What a step sees depends on (seed, step) alone.
    """

    drop_last = True

    def __init__(self, images: int, batch_size: int, seed: int, start: int, stop: int):
        self.images, self.batch_size, self.seed = images, min(batch_size, images), seed
        self.steps = range(start, stop)

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[list[int]]:
        current = None
        for step in self.steps:
            number, place = divmod(step, self.images // self.batch_size)
            if number != current:
                current, shuffled = number, stream(self.seed, "data", number).permutation(self.images)
            yield shuffled[place * self.batch_size : (place + 1) * self.batch_size].tolist()


def loader(images: Dataset, workers: int = 0, **batching: object) -> DataLoader:
    """A DataLoader that leaves torch's global generator alone, from which it would draw seeds for its workers."""
    return DataLoader(
        images,
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
        generator=torch.Generator().manual_seed(0),
        **batching,
    )


def in_turn(images: Dataset, batch_size: int, workers: int = 0) -> DataLoader:
    """All images once, as they stand; the last batch may be short."""
    return loader(images, workers, batch_size=batch_size)
