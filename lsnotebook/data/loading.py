"""The images of a profile, found where data/README.md says, and cached per process."""

import functools
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import PIL
import sklearn
import torch
from torch import Tensor
from torchvision.datasets import CIFAR100
from torchvision.datasets.folder import IMG_EXTENSIONS

from lsnotebook.core.folders import class_folders
from lsnotebook.core.profiles import Backbone, Images
from lsnotebook.core.source import code_version
from lsnotebook.core.store import data_root, turn
from lsnotebook.data.checkpoints import folder_of
from lsnotebook.data.damage import is_damaged
from lsnotebook.data.fingerprint import Fingerprint, fingerprint
from lsnotebook.data.pictures import Files, Pictures, opened, processor
from lsnotebook.data.splits import DataError, Splits, check, digits, split

log = logging.getLogger(__name__)


def load(images: Images, backbone: Backbone) -> Splits:
    """The three splits of a data set, prepared for `backbone`. Raises `DataError`."""
    skip = os.environ.get("LSNOTEBOOK_SKIP_DAMAGED", "0")
    if skip not in ("", "0", "1"):
        raise DataError(f"LSNOTEBOOK_SKIP_DAMAGED is {skip!r}, but it is 1 (leave damaged images out) or 0.")
    return _load(images, backbone, data_root().absolute(), digest(images), skip == "1")


@functools.lru_cache(maxsize=4)
def _load(images: Images, backbone: Backbone, root: Path, digest: str, skip_damaged: bool) -> Splits:
    if images.name == "digits":
        train = validation = digits()
    else:
        train, validation = (pictures(images, part, backbone, skip_damaged) for part in images.folders)
        check_classes(images, train, validation)
    splits = split(images, train, validation)
    check(splits, images, backbone)
    return splits


def digest(images: Images) -> str:
    """The content of the images, as a run's recipe has it."""
    return " ".join(of_part(images, part).digest for part in images.folders)


def of_part(images: Images, part: str) -> Fingerprint:
    """The fingerprint of the files that a part of a data set is read from."""
    if images.name == "digits":
        return fingerprint(Path(sklearn.__file__).parent / "datasets" / "data", ("digits.csv.gz",))
    if is_torchvisions_cifar(images):
        return fingerprint(data_root() / CIFAR100.base_folder, (part,))
    code = f"{code_version('lsnotebook.data.damage')} Pillow {PIL.__version__}"
    return fingerprint(data_root() / images.name / part, IMG_EXTENSIONS, is_damaged, code)


def is_torchvisions_cifar(images: Images) -> bool:
    return images.name == "cifar100" and not (data_root() / images.name).exists()


def check_classes(images: Images, train: Pictures, validation: Pictures) -> None:
    first, second = (os.path.realpath(data_root() / images.name / part) for part in images.folders)
    if first == second:
        raise DataError(
            f"The folders {' and '.join(images.folders)} of {images.name!r} are one, {first}: accuracies would be of "
            "the images that were trained on; name two."
        )
    if train.classes != validation.classes:
        differing = ", ".join(map(repr, sorted(set(train.classes) ^ set(validation.classes))[:5]))
        raise DataError(
            f"The folders {' and '.join(images.folders)} of {images.name!r} differ in their classes ({differing}); "
            "a class's label is its place among them, so give both the same folders."
        )
    if len(train.classes) != images.classes:
        raise DataError(
            f"The folder {images.folders[0]} of {images.name!r} has {len(train.classes)} classes, but the profile has "
            f"{images.classes}; bring all of them, or set the profile's classes."
        )


def pictures(images: Images, part: str, backbone: Backbone, skip_damaged: bool = False) -> Pictures:
    """`data/<name>/<part>/<class>/<picture>`, or torchvision's own CIFAR-100 where there is no such folder.

    Raises `DataError`, also where an image is damaged, unless `skip_damaged` asks to leave such images out.
    """
    if is_torchvisions_cifar(images):
        return cifar100(part == "train", backbone)
    found, folder = of_part(images, part), data_root() / images.name / part
    if found.damaged and not skip_damaged:
        first, more = min(found.damaged), f" and {len(found.damaged) - 1} more" if len(found.damaged) > 1 else ""
        raise DataError(
            f"The image {str(folder / first)!r}{more} cannot be decoded to 8 bits a channel: mend or remove it, or set "
            "LSNOTEBOOK_SKIP_DAMAGED=1 to leave such images out."
        )
    classes = classes_of(images, part, found)
    left_out = [(count, f"end in {ending!r}" if ending else "have no ending") for ending, count in found.others.items()]
    left_out += [(sum("/" not in name for name in found.files), "lie in no class folder")]
    left_out += [(len(found.damaged), "cannot be decoded")]
    told = ", ".join(f"{count} {why}" for count, why in left_out if count)
    if told:
        log.warning("Files of %s/%s that are left out: %s.", images.name, part, told)
    names = [name for name in found.files if "/" in name and name not in found.damaged]
    labels = {name: label for label, name in enumerate(classes)}
    targets = [labels[name.partition("/")[0]] for name in names]
    whole = prepared(Files(folder, names).read, targets, classes, backbone)
    check_sizes(whole, names)
    return whole


def check_sizes(pictures: Pictures, names: Sequence[str]) -> None:
    """Raise `DataError` where the processor leaves images in different sizes, which make no batch."""

    def prepared_as(width: int, height: int) -> tuple[int, int]:
        return tuple(pictures.pixels([torch.zeros(pictures.channels, height, width, dtype=torch.uint8)]).shape[-2:])

    try:
        if prepared_as(40, 60) == prepared_as(60, 40):  # whatever they were
            return
        sizes = {opened(pictures.read(k).numpy().tobytes()).size: name for k, name in enumerate(names)}
        made = {prepared_as(*size): name for size, name in sizes.items()}
    except (ArithmeticError, LookupError, TypeError, RuntimeError, ValueError):  # told where the first one is prepared
        return
    if len(made) > 1:
        (one, its), (other, theirs) = list(made.items())[:2]
        raise DataError(
            f"The checkpoint's image processor makes {its!r} {one} and {theirs!r} {other} (height, width), but a batch "
            "takes one size: mend the size, do_resize or do_center_crop of its preprocessor_config.json."
        )


def classes_of(images: Images, part: str, found: Fingerprint) -> list[str]:
    """The names of the class folders, all of which hold images. Raises `DataError`."""
    folder = data_root() / images.name / part
    try:
        classes = class_folders(folder)
        reason = "there is no class folder" if not classes else f"no file in them ends in {', '.join(IMG_EXTENSIONS)}"
    except OSError as error:
        classes, reason = [], str(error.strerror)
    filled = {name.partition("/")[0] for name in found.files if "/" in name and name not in found.damaged}
    if not filled:
        raise DataError(
            f"No images of {images.name!r} in {folder}, where {part}/<class>/<image> is expected ({reason}): put one "
            "folder a class there, or name another place for data/ in LSNOTEBOOK_DATA; data/README.md says where to "
            "get the images."
        )
    if empty := [name for name in classes if name not in filled]:
        raise DataError(
            f"No images of {images.name!r} in {', '.join(map(repr, empty[:5]))} of {folder}, which would count as a "
            f"class: put images there ({', '.join(IMG_EXTENSIONS)}), or remove the folder from all parts."
        )
    return classes


def prepared(
    read: Callable[[int], Tensor], targets: Sequence[int], classes: Sequence[str], backbone: Backbone
) -> Pictures:
    """Pictures preprocessed for the backbone's checkpoint."""
    checkpoint = folder_of(backbone.checkpoint) if backbone.checkpoint else None
    return Pictures(read, targets, classes, backbone.channels, processor(backbone, checkpoint))


def cifar100(train: bool, backbone: Backbone) -> Pictures:
    """torchvision's own CIFAR-100 in `data/`, downloaded where it is not there yet."""
    try:
        data_root().mkdir(parents=True, exist_ok=True)
        with turn(data_root() / "cifar-100.lock", "fetching CIFAR-100"):  # the download is written in place
            found = CIFAR100(data_root(), train=train, download=True)
    except (OSError, RuntimeError) as error:
        raise DataError(
            f"CIFAR-100 is neither in {data_root() / 'cifar100'} (train/<class>/<image> and test/<class>/<image>) "
            f"nor in {data_root() / CIFAR100.base_folder}, and could not be downloaded ({error}): unpack "
            f"{CIFAR100.url} in {data_root()}."
        ) from error
    arrays = torch.from_numpy(found.data).permute(0, 3, 1, 2)  # (B, 3, 32, 32)
    return prepared(arrays.__getitem__, found.targets, found.classes, backbone)
