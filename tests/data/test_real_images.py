"""The real data sets, where they have been brought: CIFAR-100 and a sample of ImageNet, as archives of image folders.

The folder with cifar100.zip and imagenet-sample.zip is named by LSNOTEBOOK_ARCHIVES; by default it lies beside the
project.
"""

import dataclasses
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from lsnotebook.core.orders import arbitrary
from lsnotebook.core.profiles import Schedule
from lsnotebook.core.seeding import seeded
from lsnotebook.data.loading import load
from lsnotebook.data.pictures import opened
from lsnotebook.data.splits import DataError, labels_of
from lsnotebook.engine.training import train
from lsnotebook.layershuffle.approaches import LAYERSHUFFLE
from lsnotebook.layershuffle.networks import initial
from lsnotebook.layershuffle.profiles import CIFAR100_SMALL, IMAGENET

ARCHIVES = Path(os.environ.get("LSNOTEBOOK_ARCHIVES") or Path(__file__).parents[3] / "shared" / "data")
STEPS = Schedule(steps=4, batch_size=16, learning_rate=1e-3, check_every=4, selection_orders=1)


def archive(name):
    path = ARCHIVES / f"{name}.zip"
    if not path.exists():
        pytest.skip(f"{path.name} is not there: name its folder in LSNOTEBOOK_ARCHIVES")
    return zipfile.ZipFile(path)


@pytest.fixture
def cifar100(store):
    """The first five classes, whole."""
    with archive("cifar100") as whole:
        names = [name for name in whole.namelist() if name.endswith(".png")]
        root = names[0].split("train/")[0].split("test/")[0]
        classes = sorted({name.split("/")[-2] for name in names})[:5]
        for name in names:
            if name.split("/")[-2] in classes:
                path = store / "cifar100" / name.removeprefix(root)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(whole.read(name))
    return CIFAR100_SMALL


@pytest.fixture
def imagenet(store):
    """The sample as both parts."""
    with archive("imagenet-sample") as sample:
        for name in sample.namelist():
            if name.endswith(".JPEG"):
                for part in ("train", "val"):
                    path = store / "imagenet" / part / Path(name).parent.name / Path(name).name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(sample.read(name))
    classes = len(list((store / "imagenet" / "train").iterdir()))
    return dataclasses.replace(IMAGENET.images, classes=classes)


def test_cifar_at_its_own_size_is_read_unchanged_split_and_learned_from(cifar100, store):
    some = dataclasses.replace(cifar100.images, classes=5, selection=500)
    splits = load(some, cifar100.backbone)
    assert [len(part) for part in splits] == [2_000, 500, 500]
    assert np.bincount(labels_of(splits.validation)).tolist() == [100] * 5
    pixel_values, _ = splits.validation[0]
    assert pixel_values.shape == (3, 32, 32) and pixel_values.min() >= -1 and pixel_values.max() <= 1
    grey_levels = (pixel_values + 1) * 127.5
    assert torch.allclose(grey_levels, grey_levels.round(), atol=1e-3), "not resampled"
    shallow = dataclasses.replace(cifar100, images=some, backbone=dataclasses.replace(cifar100.backbone, layers=2))
    with seeded(0, "initialisation"):
        model = initial(shallow, LAYERSHUFFLE)
    small = splits._replace(selection=torch.utils.data.Subset(splits.validation.dataset, range(50)))
    history = train(model, small, STEPS, arbitrary, 0, store, augment=True)
    assert history["train_loss"].between(0.5, 4).all() and history["selection_top1"].between(0, 1).all()


def test_imagenet_is_read_greyscale_images_among_it_and_learned_from(imagenet, store):
    backbone = dataclasses.replace(IMAGENET.backbone, checkpoint=None, layers=2, hidden_size=48, heads=3)
    splits = load(imagenet, backbone)
    assert len(splits.train) == len(splits.validation) == 200
    images = splits.train.dataset
    grey = [k for k in range(200) if opened(images.read(k).numpy().tobytes()).mode == "L"]
    assert grey, "the sample has greyscale images"
    for k in (*grey[:2], 0):
        pixel_values, _ = images[k]
        assert pixel_values.shape == (3, 224, 224) and -1 <= pixel_values.min() < pixel_values.max() <= 1
        assert (pixel_values[0] == pixel_values[1]).all() == (k in grey)
    profile = dataclasses.replace(IMAGENET, images=imagenet, backbone=backbone)
    with seeded(0, "initialisation"):
        model = initial(profile, LAYERSHUFFLE)
    few = splits._replace(selection=torch.utils.data.Subset(images, range(16)))
    history = train(model, few, STEPS, arbitrary, 0, store)
    assert history["train_loss"].notna().all()


def test_a_damaged_image_is_named_before_training_or_left_out_and_counted_if_asked(
    imagenet, store, monkeypatch, caplog
):
    backbone = dataclasses.replace(IMAGENET.backbone, checkpoint=None)
    damaged = min((store / "imagenet" / "train").glob("*/*.JPEG"))
    shutil.copy(damaged, damaged.with_name("another.JPEG"))  # a class has one image here, and needs one
    damaged.write_bytes(damaged.read_bytes()[:2_000])
    with pytest.raises(DataError, match=f"The image .*{damaged.name}' cannot be decoded to 8 bits a channel: mend or"):
        load(imagenet, backbone)
    monkeypatch.setenv("LSNOTEBOOK_SKIP_DAMAGED", "1")
    assert len(load(imagenet, backbone).train) == 200
    assert "Files of imagenet/train that are left out: 1 cannot be decoded." in caplog.text
