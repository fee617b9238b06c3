"""The three splits of a data set: training, selection (of the checkpoint), validation.

They share no image, but for `Images.selection` = 0, where the validation images choose the checkpoint.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch.utils.data import Dataset, Subset, TensorDataset

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.core.randomness import stream

if TYPE_CHECKING:
    from lsnotebook.core.profiles import Backbone, Images


class DataError(LsnotebookError, ValueError):
    """Images that are missing or not what the profile says."""


class Splits(NamedTuple):
    """Data sets of (pixel_values (channels, height, width), label)."""

    train: Dataset
    selection: Dataset
    validation: Dataset


def digits() -> Dataset:
    """The 1,797 real 8x8 images that come with scikit-learn, grey values scaled to -1 ... 1."""
    bunch = load_digits()
    images = torch.tensor(bunch.images, dtype=torch.float32)[:, None] / 8 - 1  # (1797, 1, 8, 8), from 0 ... 16
    return TensorDataset(images, torch.tensor(bunch.target))


def split(images: "Images", train: Dataset, validation: Dataset) -> Splits:
    """The splits of a data set, the same for every seed; `validation` may be `train` itself, which is then divided."""
    shuffled = stream(0, "split").permutation(len(train))
    if train is validation:
        kept, tested = np.split(shuffled, [images.selection + (images.train or len(train))])
    else:
        kept, tested = shuffled, np.arange(len(validation))
    selection, learned = np.split(kept, [images.selection])
    tested = tested[: images.validation].tolist()
    return Splits(
        train=Subset(train, learned[: images.train].tolist()),
        selection=Subset(train, selection.tolist()) if images.selection else Subset(validation, tested),
        validation=Subset(validation, tested),
    )


def check(splits: Splits, images: "Images", backbone: "Backbone") -> None:
    """Raise `DataError` where a split is empty, an image has the wrong size, or a label is out of range."""
    for part, subset in splits._asdict().items():
        if not len(subset):
            raise DataError(f"The {part} part of {images.name!r} has no images; the profile asks for too many others.")
        asked = getattr(images, part)
        if asked and len(subset) < asked:
            raise DataError(
                f"The {part} part of {images.name!r} has {len(subset)} images, but the profile asks for {asked}; "
                f"lower its images.{part}."
            )
        try:
            first = subset[0][0]
        except DataError:
            raise
        except (ArithmeticError, LookupError, TypeError, RuntimeError, ValueError) as error:
            raise DataError(
                f"The {part} images of {images.name!r} cannot be prepared ({type(error).__name__}: {error}); mend the "
                "checkpoint's preprocessor_config.json."
            ) from error
        if not first.isfinite().all():
            raise DataError(
                f"The {part} images of {images.name!r} are not finite once prepared; mend the image_std of the "
                "checkpoint's preprocessor_config.json."
            )
        got, expected = tuple(first.shape), (backbone.channels, *[backbone.image_size] * 2)
        if got != expected:
            raise DataError(
                f"The {part} images of {images.name!r} are of shape {got}, but the backbone takes {expected}; "
                "mend the profile's image_size or channels."
            )
        labels = labels_of(subset)
        if labels.min() < 0 or labels.max() >= images.classes:
            raise DataError(
                f"The {part} labels of {images.name!r} run from {labels.min()} to {labels.max()}, but the profile has "
                f"{images.classes} classes, 0 to {images.classes - 1}; mend the labels or the profile's classes."
            )


def labels_of(images: Subset) -> np.ndarray:
    """The labels (B,) without reading an image."""
    whole = images.dataset
    labels = whole.tensors[1].numpy() if isinstance(whole, TensorDataset) else np.asarray(whole.targets)
    return labels[images.indices]
