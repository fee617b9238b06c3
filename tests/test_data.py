"""The images of a profile, and the batches of a step."""

import dataclasses
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.utils.data import TensorDataset

from lsnotebook import data
from lsnotebook.data import Batches, DataError
from lsnotebook.profiles import PROFILES, Backbone, Data

SMOKE, DIGITS = PROFILES["smoke"], PROFILES["digits"]
TINY = Backbone(image_size=8, patch_size=4)


@pytest.mark.parametrize("profile", [SMOKE, DIGITS], ids=lambda profile: profile.name)
def test_the_parts_are_as_large_as_the_profile_says_and_share_no_image(profile):
    splits = data.load(profile.data, profile.backbone)
    assert len(splits.train) == profile.data.train and len(splits.selection) == profile.data.selection
    parts = [set(part.indices) for part in splits]
    assert len(set.union(*parts)) == sum(map(len, parts))
    again = data.load(profile.data, profile.backbone)
    assert all(part.indices == other.indices for part, other in zip(splits, again, strict=True))


def test_digits_are_the_real_ones():
    from sklearn.datasets import load_digits

    images, labels = data.digits().tensors
    assert np.allclose((images[:, 0].numpy() + 1) * 8, load_digits().images)
    assert (labels.numpy() == load_digits().target).all() and images.min() == -1 and images.max() == 1


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 99), st.data())
def test_a_pass_takes_no_image_twice_and_resuming_goes_on_where_it_stopped(images, batch_size, seed, draw):
    steps = 3 * max(1, images // batch_size)
    whole = list(Batches(images, batch_size, seed, 0, steps))
    per_pass = len(whole) // 3
    for start in range(0, steps, per_pass):
        seen = [index for batch in whole[start : start + per_pass] for index in batch]
        assert len(seen) == len(set(seen)) > images - min(batch_size, images)
    if per_pass > 8:
        assert whole[:per_pass] != whole[per_pass : 2 * per_pass], "a pass has an order of its own"
    start = draw.draw(st.integers(0, steps))
    assert list(Batches(images, batch_size, seed, start, steps)) == whole[start:]


def write_images(folder, classes=("a", "b"), size=(12, 8), count=3):
    for part in ("train", "val"):
        for name in classes:
            (folder / part / name).mkdir(parents=True)
            for k in range(count):
                Image.new("L" if k else "RGB", size, color=40 * k).save(folder / part / name / f"{k}.png")


def test_an_image_folder_is_cropped_and_greyscale_images_get_three_channels(store):
    write_images(store / "mine")
    splits = data.load(Data("mine", classes=2, selection=2), TINY)
    assert [len(part) for part in splits] == [4, 2, 6]
    assert all(image.shape == (3, 8, 8) for part in splits for image, _ in part)
    assert data.labels_of(splits.validation).tolist() == [label for _, label in splits.validation]
    grey = data.load(Data("mine", classes=2, selection=2), dataclasses.replace(TINY, channels=1)).validation
    assert [image.shape for image, _ in grey] == [(1, 8, 8)] * 6
    assert grey[0][0].eq(-1).all(), "black is -1"


def test_without_a_selection_of_its_own_the_validation_images_choose_the_checkpoint(store):
    write_images(store / "mine")
    splits = data.load(Data("mine", classes=2, selection=0), TINY)
    assert splits.selection.indices == splits.validation.indices
    assert splits.selection.dataset is splits.validation.dataset


def test_a_missing_folder_is_named_with_the_layout_it_should_have(store):
    with pytest.raises(DataError) as caught:
        data.load(PROFILES["imagenet"].data, PROFILES["imagenet"].backbone)
    assert str(store / "imagenet" / "train") in str(caught.value) and "train/<class>/<image>" in str(caught.value)


def test_folders_that_differ_in_their_classes_are_told_since_labels_would_shift(store):
    write_images(store / "mine", classes=("a", "b", "c"))
    shutil.rmtree(store / "mine" / "val" / "a")
    with pytest.raises(DataError, match=r"train and val of 'mine' differ in their classes \(a\)"):
        data.load(Data("mine", classes=3, selection=0), TINY)
    shutil.rmtree(store / "mine" / "val")
    with pytest.raises(DataError, match=r"No images of 'mine' in .*val"):
        data.load(Data("mine", classes=3, selection=0), TINY)


def test_more_class_folders_than_the_profile_has_classes_are_told(store):
    write_images(store / "mine", classes=("a", "b", "c"))
    with pytest.raises(DataError, match="has 3 classes, but the profile has 2; bring all of them"):
        data.load(Data("mine", classes=2, selection=0), TINY)


def test_an_empty_folder_is_named(store):
    for part in ("train", "val"):
        (store / "mine" / part / "a").mkdir(parents=True)
    with pytest.raises(DataError, match=r"mine.*train"):
        data.load(Data("mine", classes=1, selection=0), TINY)


def test_a_part_without_images_is_named():
    with pytest.raises(DataError, match="validation part of 'digits' has no images"):
        data.load(dataclasses.replace(DIGITS.data, train=1597, selection=200), DIGITS.backbone)


def test_images_of_the_wrong_size_are_told_from_what_the_backbone_takes():
    wrong = dataclasses.replace(DIGITS.backbone, image_size=32)
    with pytest.raises(DataError, match=r"of shape \(1, 8, 8\), but the backbone takes \(1, 32, 32\)"):
        data.load(DIGITS.data, wrong)


def test_labels_out_of_range_are_told(monkeypatch):
    with pytest.raises(DataError, match="from 0 to 9, but the profile has 5 classes"):
        data.load(dataclasses.replace(DIGITS.data, classes=5), DIGITS.backbone)
    negative = TensorDataset(torch.zeros(1797, 1, 8, 8), torch.full((1797,), -1))
    monkeypatch.setattr(data, "digits", lambda: negative)
    with pytest.raises(DataError, match="from -1 to -1"):
        data.load(DIGITS.data, DIGITS.backbone)
