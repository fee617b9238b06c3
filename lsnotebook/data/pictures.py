"""Encoded pictures as a data set: read, decoded on the CPU or the GPU, and prepared for a checkpoint."""

import io
import json
import logging
import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
import transformers
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset, Subset, default_collate
from torchvision.io import ImageReadMode, decode_jpeg
from torchvision.transforms.v2.functional import pil_to_tensor
from transformers import AutoImageProcessor, ViTImageProcessor
from transformers.image_processing_utils import BaseImageProcessor
from transformers.utils import IMAGE_PROCESSOR_NAME

from lsnotebook.data.splits import DataError

if TYPE_CHECKING:
    from lsnotebook.core.profiles import Backbone

FORMATS = ("JPEG", "PNG", "BMP", "PPM", "TIFF", "WEBP", "GIF")
"""What a file may hold, whatever its ending: formats whose bits a channel `damage` can tell."""
log = logging.getLogger(__name__)


class Pictures(Dataset):
    """Pictures as (pixel_values, label), prepared as the checkpoint's image processor says.

    `read(k)` gives the k-th one: the bytes of its file (a flat uint8 tensor), or uint8 (channels, height, width).
    """

    def __init__(
        self,
        read: Callable[[int], Tensor],
        targets: Sequence[int],
        classes: Sequence[str],
        channels: int,
        processor: BaseImageProcessor,
    ):
        self.read, self.targets, self.classes = read, list(targets), list(classes)
        self.channels, self.processor = channels, processor

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, k: int) -> tuple[Tensor, int]:
        return self.pixels([self.read(k)])[0], self.targets[k]

    def pixels(self, pictures: Sequence[Tensor], device: torch.device | str = "cpu") -> Tensor:
        """(B, channels, height, width), decoded, resized and scaled on `device`."""
        whole = decode(pictures, self.channels, device) if pictures[0].ndim == 1 else pictures
        whole = [picture.to(device, non_blocking=True) for picture in whole]
        return self.processor(whole, return_tensors="pt", input_data_format="channels_first")["pixel_values"]


class Files(NamedTuple):
    """Files of a folder, which are read when they are asked for."""

    folder: Path
    names: Sequence[str]

    def read(self, k: int) -> Tensor:
        """The bytes of a file. Raises `DataError`."""
        try:
            return torch.frombuffer(bytearray((self.folder / self.names[k]).read_bytes()), dtype=torch.uint8)
        except (OSError, ValueError) as error:  # ValueError: it is empty by now
            raise DataError(
                f"{str(self.folder / self.names[k])!r} cannot be read any more ({error}); bring it back, and run the "
                "same command again."
            ) from error


def processor(backbone: "Backbone", checkpoint: Path | None = None) -> BaseImageProcessor:
    """The image processor in the folder of a checkpoint; where it has none, ViT's own at the backbone's size.

    Raises `DataError`.
    """
    path = checkpoint and checkpoint / IMAGE_PROCESSOR_NAME
    if path and path.exists():
        try:
            kind = json.loads(path.read_text(encoding="utf-8")).get("image_processor_type") or ""
            if kind.endswith("FeatureExtractor"):  # what image processors were called once
                return getattr(transformers, kind.replace("FeatureExtractor", "ImageProcessor")).from_pretrained(
                    checkpoint
                )
            return AutoImageProcessor.from_pretrained(checkpoint, trust_remote_code=False)
        except Exception as error:  # whatever a third-party file causes
            reason = str(error).partition("\n")[0]
            raise DataError(f"{path} cannot be read ({reason}); get it anew, or remove it for ViT's own.") from error
    if checkpoint:
        log.info("The checkpoint has no %s: images are scaled to -1 ... 1, as ViT's own.", path)
    values = [0.5] * backbone.channels
    side = {"height": backbone.image_size, "width": backbone.image_size}
    return ViTImageProcessor(size=side, image_mean=values, image_std=values)


def decode(encoded: Sequence[Tensor], channels: int, device: torch.device | str = "cpu") -> list[Tensor]:
    """Files as uint8 (channels, height, width). On a GPU by its own decoder, where that can read all of them."""
    if torch.device(device).type == "cuda":
        mode = ImageReadMode.RGB if channels == 3 else ImageReadMode.GRAY
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                return decode_jpeg(list(encoded), mode, device=device)
            except torch.OutOfMemoryError:
                raise
            except RuntimeError:  # a PNG, or a CMYK JPEG
                pass
    with warnings.catch_warnings(action="ignore"):  # PIL's, of odd files that it can decode
        return [pil_to_tensor(flat(opened(one.numpy().tobytes()), "RGB" if channels == 3 else "L")) for one in encoded]


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content), formats=FORMATS)


def flat(image: Image.Image, mode: str) -> Image.Image:
    """The first frame as "RGB" or "L"; where it is transparent, grey shines through."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (128, 128, 128, 255)), image)
    return image.convert(mode)


class Unprepared(Dataset):
    """`images` as they are read: decoding, resizing and scaling are left to the GPU."""

    def __init__(self, images: Subset):
        self.pictures, self.indices = images.dataset, images.indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, k: int) -> tuple[Tensor, int]:
        return self.pictures.read(self.indices[k]), self.pictures.targets[self.indices[k]]

    @staticmethod
    def collate(pairs: list[tuple[Tensor, int]]) -> tuple[Tensor, list[tuple[int, ...]], Tensor]:
        """The pictures end to end, their shapes, and the labels.

        One tensor for all: each tensor that a worker sends takes a file descriptor.
        """
        pictures, labels = zip(*pairs, strict=True)
        joined = torch.cat([picture.flatten() for picture in pictures])
        return joined, [tuple(picture.shape) for picture in pictures], default_collate(labels)

    @staticmethod
    def apart(joined: Tensor, shapes: Sequence[Sequence[int]]) -> list[Tensor]:
        """The pictures that `collate` joined."""
        parts = joined.split([math.prod(shape) for shape in shapes])
        return [part.view(*shape) for part, shape in zip(parts, shapes, strict=True)]
