"""The images of a profile, in three parts: to learn from, to choose the checkpoint, to report."""

import io
import logging
import math
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from filelock import FileLock
from joblib import Parallel, delayed
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset, default_collate
from torchvision.datasets import ImageFolder
from torchvision.transforms.v2.functional import pil_to_tensor

from lsnotebook.profiles import Backbone, Data
from lsnotebook.progress import Progress
from lsnotebook.randomness import stream
from lsnotebook.store import data_root, hashed, remembered

if TYPE_CHECKING:
    from transformers.image_processing_utils import BaseImageProcessor

log = logging.getLogger(__name__)


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
        train, validation = (pictures(data, part, backbone) for part in data.folders)
        if train.classes != validation.classes:
            differing = ", ".join(sorted(set(train.classes) ^ set(validation.classes))[:5])
            raise DataError(
                f"The folders {' and '.join(data.folders)} of {data.name!r} differ in their classes ({differing}); "
                "a class's label is its place among them, so give both the same folders."
            )
        if len(train.classes) != data.classes:
            raise DataError(
                f"The folder {data.folders[0]} of {data.name!r} has {len(train.classes)} classes, but the profile has "
                f"{data.classes}; bring all of them, or set the profile's classes."
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


class Pictures(Dataset):
    """Encoded or decoded pictures as (pixel_values, label), prepared as the checkpoint's image processor says.

    `read(k)` gives the k-th one: the bytes of its file (a flat uint8 tensor), or uint8 (channels, height, width).
    """

    def __init__(
        self, read: Callable[[int], Tensor], targets: Sequence[int], classes: Sequence[str], backbone: Backbone
    ):
        self.read, self.targets, self.classes = read, list(targets), list(classes)
        self.channels, self.processor = backbone.channels, processor(backbone)

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, k: int) -> tuple[Tensor, int]:
        return self.pixels([self.read(k)])[0], self.targets[k]

    def pixels(self, pictures: Sequence[Tensor], device: torch.device | str = "cpu") -> Tensor:
        """(B, channels, height, width), decoded, resized and scaled on `device`."""
        whole = decode(pictures, self.channels, device) if pictures[0].ndim == 1 else pictures
        whole = [picture.to(device, non_blocking=True) for picture in whole]
        return self.processor(whole, return_tensors="pt", input_data_format="channels_first")["pixel_values"]


class Files(list[str]):
    def read(self, k: int) -> Tensor:
        return torch.frombuffer(bytearray(Path(self[k]).read_bytes()), dtype=torch.uint8)


def decode(encoded: Sequence[Tensor], channels: int, device: torch.device | str = "cpu") -> list[Tensor]:
    """Files as uint8 (channels, height, width). On a GPU its own decoder does it, where it knows all the files."""
    if torch.device(device).type == "cuda":
        from torchvision.io import ImageReadMode, decode_jpeg

        mode = ImageReadMode.RGB if channels == 3 else ImageReadMode.GRAY
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                return decode_jpeg(list(encoded), mode, device=device)
            except torch.OutOfMemoryError:
                raise
            except RuntimeError:  # a PNG, or a JPEG in the colours of print
                pass
    return [pil_to_tensor(opened(one).convert("RGB" if channels == 3 else "L")) for one in encoded]


def opened(encoded: Tensor) -> Image.Image:
    return Image.open(io.BytesIO(encoded.numpy().tobytes()))


def processor(backbone: Backbone) -> "BaseImageProcessor":
    """The checkpoint's image processor; where it has none, ViT's own at the backbone's size. Raises `DataError`."""
    from transformers import AutoImageProcessor, ViTImageProcessor
    from transformers.utils import IMAGE_PROCESSOR_NAME

    if backbone.checkpoint:
        path = folder_of(backbone.checkpoint) / IMAGE_PROCESSOR_NAME
        if path.exists():
            try:
                return AutoImageProcessor.from_pretrained(path.parent)
            except Exception as error:  # whatever a file of others makes of it
                raise DataError(f"{path} cannot be read ({error}); get it anew, or remove it for ViT's own.") from error
    values = [0.5] * backbone.channels
    side = {"height": backbone.image_size, "width": backbone.image_size}
    return ViTImageProcessor(size=side, image_mean=values, image_std=values)


def folder_of(checkpoint: str) -> Path:
    """The folder of a checkpoint: `data/checkpoints/<name>`, or itself, or where the hub's files are kept once fetched.

    Raises `DataError`.
    """
    from huggingface_hub import snapshot_download

    local = data_root() / "checkpoints" / checkpoint
    for folder in (local, Path(checkpoint)):
        if folder.is_dir():
            return folder
    try:
        return Path(snapshot_download(checkpoint, allow_patterns=["*.json", "*.safetensors"]))
    except (OSError, ValueError) as error:
        raise DataError(
            f"The checkpoint {checkpoint!r} is no folder and could not be fetched from the hub: check the name and the "
            f"network, or put it in {local} (hf download {checkpoint} --local-dir {local})."
        ) from error


def pictures(data: Data, part: str, backbone: Backbone) -> Pictures:
    """`data/<name>/<part>/<class>/<picture>`, or torchvision's own CIFAR-100 where there is no such folder."""
    folder = data_root() / data.name / part
    if data.name == "cifar100" and not folder.parent.exists():
        return cifar100(part == "train", backbone)
    try:
        found = ImageFolder(folder)
    except OSError as error:
        raise DataError(
            f"No images of {data.name!r} in {folder}, where {part}/<class>/<image> is expected ({error}): put one "
            "folder a class there, or name another place for data/ in LSNOTEBOOK_DATA; data/README.md says where to "
            "get the images."
        ) from error
    samples = whole_ones(found.samples, data, part)
    files = Files(path for path, _ in samples)
    return Pictures(files.read, [label for _, label in samples], found.classes, backbone)


def whole_ones(samples: list[tuple[str, int]], data: Data, part: str) -> list[tuple[str, int]]:
    """The samples that can be decoded; each is tried once, and what was found is remembered.

    Raises `DataError` that names those that cannot, unless LSNOTEBOOK_SKIP_DAMAGED asks to leave them out.
    """
    listing = [(path, (found := stat(path)).st_size, found.st_mtime_ns) for path, _ in samples]
    recipe = {"files": hashed({"listing": listing})}
    damaged = set(remembered(recipe, f"damaged-{data.name}-{part}", lambda: find_damaged(samples))["path"])
    if damaged and os.environ.get("LSNOTEBOOK_SKIP_DAMAGED") != "1":
        first, more = min(damaged), f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        raise DataError(
            f"The image {first}{more} cannot be decoded to 8 bits a channel: mend or remove it, or set "
            "LSNOTEBOOK_SKIP_DAMAGED=1 to leave such images out."
        )
    if damaged:
        log.warning(
            "%d of %d images of %s/%s cannot be decoded and are left out", len(damaged), len(samples), data.name, part
        )
    return [sample for sample in samples if sample[0] not in damaged]


def stat(path: str) -> os.stat_result:
    """Of the file, or of the link where it leads nowhere."""
    try:
        return os.stat(path)
    except FileNotFoundError:
        return os.lstat(path)


def find_damaged(samples: list[tuple[str, int]]) -> pd.DataFrame:
    """The paths of the images that cannot be decoded."""
    with Progress(len(samples), "looking at every image once", delay=5) as progress:
        found = []
        tried = Parallel(n_jobs=-1, prefer="threads", return_as="generator")(  # decoding lets other threads run
            delayed(is_damaged)(path) for path, _ in samples
        )
        for (path, _), damaged in zip(samples, tried, strict=True):
            found += [path] if damaged else []
            progress.advance()
    return pd.DataFrame({"path": pd.Series(found, dtype=str)})


def is_damaged(path: str) -> bool:
    try:
        with Image.open(path) as image:
            image.load()
            return image.mode.startswith(("I", "F"))  # 16 or 32 bits, which PIL would cut off at 8
    except (OSError, SyntaxError, Image.DecompressionBombError):  # the second is what PIL says of a broken PNG
        return True


def cifar100(train: bool, backbone: Backbone) -> Pictures:
    """torchvision's own CIFAR-100 in `data/`, downloaded where it is not there yet."""
    from torchvision.datasets import CIFAR100

    try:
        data_root().mkdir(parents=True, exist_ok=True)
        with FileLock(data_root() / "cifar-100.lock"):  # the download is written in place
            found = CIFAR100(data_root(), train=train, download=True)
    except (OSError, RuntimeError) as error:
        raise DataError(
            f"CIFAR-100 is neither in {data_root() / 'cifar100'} (train/<class>/<image> and test/<class>/<image>) "
            f"nor in {data_root() / CIFAR100.base_folder}, and could not be downloaded ({error}): unpack "
            f"{CIFAR100.url} in {data_root()}."
        ) from error
    arrays = torch.from_numpy(found.data).permute(0, 3, 1, 2)  # (B, 3, 32, 32)
    return Pictures(arrays.__getitem__, found.targets, found.classes, backbone)


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


def loader(images: Dataset, device: torch.device | str = "cpu", workers: int = 0, **options: object) -> DataLoader:
    """A DataLoader that leaves torch's global generator alone, from which it would draw seeds for its workers.

    Its batches lie where `device` copies them from the fastest.
    """
    return DataLoader(
        images,
        num_workers=workers,
        pin_memory=torch.device(device).type == "cuda",
        generator=torch.Generator().manual_seed(0),
        **options,
    )


def in_turn(images: Dataset, batch_size: int, device: torch.device | str = "cpu", workers: int = 0) -> DataLoader:
    """All images once, as they stand; the last batch may be short."""
    return loader(images, device, workers, batch_size=batch_size)


class Unprepared(Dataset):
    """`images` as they are read: for workers that leave decoding, resizing and scaling to the GPU."""

    def __init__(self, images: Subset):
        self.pictures, self.indices = images.dataset, images.indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, k: int) -> tuple[Tensor, int]:
        return self.pictures.read(self.indices[k]), self.pictures.targets[self.indices[k]]

    @staticmethod
    def collate(pairs: list[tuple[Tensor, int]]) -> tuple[Tensor, list[tuple[int, ...]], Tensor]:
        """The pictures end to end, their shapes, and the labels.

        Each tensor that a worker hands over takes one of the few files that a process may have open.
        """
        pictures, labels = zip(*pairs, strict=True)
        joined = torch.cat([picture.flatten() for picture in pictures])
        return joined, [tuple(picture.shape) for picture in pictures], default_collate(labels)

    @staticmethod
    def apart(joined: Tensor, shapes: Sequence[Sequence[int]]) -> list[Tensor]:
        """The pictures that `collate` joined."""
        parts = joined.split([math.prod(shape) for shape in shapes])
        return [part.view(*shape) for part, shape in zip(parts, shapes, strict=True)]


def augmented(pixel_values: Tensor, rng: np.random.Generator) -> Tensor:
    """Each image moved by up to an eighth of its size, and mirrored half of the time; what moves in is zero (grey)."""
    batch, _, height, width = pixel_values.shape
    reach = height // 8
    padded = F.pad(pixel_values, [reach] * 4)
    drawn = rng.integers(0, 2 * reach + 1, (2, batch, 1, 1, 1)), rng.random((batch, 1, 1, 1)) < 0.5
    # Not blocking: else each step would wait for the GPU.
    (top, left), mirrored = (torch.from_numpy(one).to(pixel_values.device, non_blocking=True) for one in drawn)
    across = torch.arange(width, device=pixel_values.device).expand(batch, 1, 1, -1)
    across = torch.where(mirrored, across.flip(-1), across)
    down = torch.arange(height, device=pixel_values.device).view(1, 1, -1, 1)
    where = ((top + down) * padded.shape[-1] + left + across).expand(-1, pixel_values.shape[1], -1, -1)
    return padded.flatten(2).gather(2, where.flatten(2)).view_as(pixel_values)
