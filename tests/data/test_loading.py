"""The images of a profile: how many, prepared how, and which sentence names what is wrong with them."""

import dataclasses
import json
import os
import re
import shutil

import pytest
import torch
from PIL import Image
from torch.utils.data import TensorDataset

from lsnotebook.core.profiles import Backbone, Images
from lsnotebook.data import loading
from lsnotebook.data.loading import load
from lsnotebook.data.splits import DataError, labels_of
from lsnotebook.layershuffle.profiles import DIGITS, IMAGENET, SMOKE

TINY = Backbone(image_size=8, patch_size=4)


@pytest.mark.parametrize("profile", [SMOKE, DIGITS], ids=lambda profile: profile.name)
def test_the_parts_are_as_large_as_the_profile_says_and_share_no_image(profile):
    splits = load(profile.images, profile.backbone)
    assert len(splits.train) == profile.images.train and len(splits.selection) == profile.images.selection
    parts = [set(part.indices) for part in splits]
    assert len(set.union(*parts)) == sum(map(len, parts))
    loading._load.cache_clear()
    again = load(profile.images, profile.backbone)
    assert all(part.indices == other.indices for part, other in zip(splits, again, strict=True))


def test_an_image_folder_is_cropped_and_greyscale_images_get_three_channels(store, write_images):
    write_images(store / "mine")
    splits = load(Images("mine", classes=2, selection=2), TINY)
    assert [len(part) for part in splits] == [4, 2, 6]
    assert all(image.shape == (3, 8, 8) for part in splits for image, _ in part)
    assert labels_of(splits.validation).tolist() == [label for _, label in splits.validation]
    grey = load(Images("mine", classes=2, selection=2), dataclasses.replace(TINY, channels=1)).validation
    assert [image.shape for image, _ in grey] == [(1, 8, 8)] * 6
    assert grey[0][0].eq(-1).all(), "black is -1"


def test_a_processor_that_neither_resizes_nor_crops_is_for_images_of_one_size(store, write_images):
    as_they_are = {"image_processor_type": "ViTImageProcessor", "do_resize": False}
    (store / "checkpoints" / "raw").mkdir(parents=True)
    (store / "checkpoints" / "raw" / "preprocessor_config.json").write_text(json.dumps(as_they_are))
    write_images(store / "mine")
    pictures = sorted((store / "mine" / "train").glob("*/*"))
    for path in (store / "mine").glob("*/*/*"):
        Image.new("RGB", (8, 8)).save(path)
    images, backbone = Images("mine", classes=2, selection=2), dataclasses.replace(TINY, checkpoint="raw")
    assert load(images, backbone).train[0][0].shape == (3, 8, 8)
    Image.new("RGB", (9, 8)).save(pictures[-1])
    with pytest.raises(DataError, match=rf"\(8, 8\) and '{pictures[-1].parent.name}/{pictures[-1].name}' \(8, 9\)"):
        load(images, backbone)


def test_without_a_selection_of_its_own_the_validation_images_choose_the_checkpoint(store, write_images):
    write_images(store / "mine")
    splits = load(Images("mine", classes=2, selection=0), TINY)
    assert splits.selection.indices == splits.validation.indices
    assert splits.selection.dataset is splits.validation.dataset


def test_a_missing_folder_is_named_with_the_layout_it_should_have(store):
    with pytest.raises(DataError) as caught:
        load(IMAGENET.images, IMAGENET.backbone)
    assert str(store / "imagenet" / "train") in str(caught.value) and "train/<class>/<image>" in str(caught.value)


def test_folders_that_differ_in_their_classes_are_named_since_labels_would_shift(store, write_images):
    write_images(store / "mine", classes=("a", "b", "c"))
    shutil.rmtree(store / "mine" / "val" / "a")
    with pytest.raises(DataError, match=r"train and val of 'mine' differ in their classes \('a'\)"):
        load(Images("mine", classes=3, selection=0), TINY)
    shutil.rmtree(store / "mine" / "val")
    with pytest.raises(DataError, match=r"No images of 'mine' in .*val"):
        load(Images("mine", classes=3, selection=0), TINY)


def test_more_class_folders_than_the_profile_has_classes_are_refused(store, write_images):
    write_images(store / "mine", classes=("a", "b", "c"))
    with pytest.raises(DataError, match="has 3 classes, but the profile has 2; bring all of them"):
        load(Images("mine", classes=2, selection=0), TINY)


def refused(store, classes=2):
    """The sentence for the images in `mine`."""
    with pytest.raises(DataError) as caught:
        load(Images("mine", classes=classes, selection=0), TINY)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_no_folder_of_class_folders_with_images_is_named(store, write_images):
    store.mkdir()
    (store / "mine").write_text("")
    assert re.search(
        r"No images of 'mine' in .*train, where train/<class>/<image> .*\(Not a directory\)", refused(store)
    )
    (store / "mine").unlink()
    for part in ("train", "val"):
        (store / "mine" / part).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(store / "mine" / part / "0.png")
        (store / "mine" / part / "@eaDir").mkdir()
    assert "(there is no class folder): put one folder a class there" in refused(store)
    (store / "mine" / "train" / "a").mkdir()
    (store / "mine" / "train" / "a" / "0.heic").write_text("")
    assert "(no file in them ends in .jpg, .jpeg, .png, .ppm" in refused(store)


def test_a_class_folder_without_an_image_is_named(store, write_images):
    write_images(store / "mine")
    for part in ("train", "val"):
        (store / "mine" / part / "empty").mkdir()
    assert "No images of 'mine' in 'empty' of " in refused(store, 3) and "remove the folder" in refused(store, 3)


def test_a_class_whose_images_are_all_damaged_is_not_trained_away(store, write_images, monkeypatch):
    write_images(store / "mine")
    for path in (store / "mine" / "train" / "a").iterdir():
        path.write_bytes(path.read_bytes()[:40])
    assert "cannot be decoded" in refused(store)
    monkeypatch.setenv("LSNOTEBOOK_SKIP_DAMAGED", "1")
    assert "No images of 'mine' in 'a' of " in refused(store)
    monkeypatch.setenv("LSNOTEBOOK_SKIP_DAMAGED", "true")
    assert refused(store) == "LSNOTEBOOK_SKIP_DAMAGED is 'true', but it is 1 (leave damaged images out) or 0."


@pytest.mark.parametrize("folders", [("train", "./train"), ("train", "val/../train"), ("train", "link")])
def test_images_that_are_trained_on_validate_nothing(store, write_images, folders):
    write_images(store / "mine")
    (store / "mine" / "link").symlink_to("train")
    with pytest.raises(DataError, match=r"are one, .*train: accuracies would be of the images that were trained on"):
        load(Images("mine", classes=2, selection=0, folders=folders), TINY)


def test_more_images_than_there_are_cannot_be_asked_for(store, write_images):
    write_images(store / "mine")
    for part in ("train", "validation"):
        with pytest.raises(DataError, match=f"The {part} part of 'mine' has 6 images, but the profile asks for 7"):
            load(Images("mine", classes=2, selection=0, **{part: 7}), TINY)


def test_what_systems_leave_in_folders_is_no_class_and_what_is_left_out_is_counted(store, write_images, caplog):
    write_images(store / "mine")
    for part in ("train", "val"):
        for name in ("@eaDir", ".ipynb_checkpoints", "__MACOSX", ".hidden", "a/@eaDir"):
            shutil.copytree(store / "mine" / part / "b", store / "mine" / part / name)
        for name in ("a/._0.png", "a/Thumbs.db", ".DS_Store"):
            (store / "mine" / part / name).write_bytes(b"")
    two = Images("mine", classes=2, selection=0)
    assert [len(images) for images in load(two, TINY)] == [6, 6, 6] and not caplog.text
    for name in ("a/1.heic", "b/2.HEIC", "notes.txt", "b/LICENSE"):
        (store / "mine" / "train" / name).write_text("")
    Image.new("RGB", (8, 8)).save(store / "mine" / "train" / "loose.png")
    assert [len(images) for images in load(two, TINY)] == [6, 6, 6]
    (record,) = caplog.records
    counted = ("1 end in '.txt'", "2 end in '.heic'", "1 have no ending", "1 lie in no class folder")
    assert record.message.startswith("Files of mine/train that are left out: ")
    assert all(count in record.message for count in counted)


def test_endings_nested_folders_links_and_names_in_any_encoding_are_read(store, write_images):
    write_images(store / "mine")
    nested = store / "mine" / "train" / "b" / "more" / "still more"
    nested.mkdir(parents=True)
    white = Image.new("RGB", (8, 8), (255, 255, 255))
    for name in (b"1.PNG", b"caf\xe9.png", b"line\nbreak.png"):
        white.save(nested / os.fsdecode(name))
    (store / "mine" / "train" / "b" / "link.png").symlink_to(nested / "1.PNG")
    train = load(Images("mine", classes=2, selection=0), TINY).train
    whites = [label for image, label in train if image.eq(1).all()]
    assert len(train) == 10 and whites == [1] * 4


def test_a_damaged_image_whose_name_is_no_utf8_is_named_in_text_that_can_be_printed(store, write_images):
    write_images(store / "mine")
    (store / "mine" / "val" / "a" / os.fsdecode(b"caf\xe9.png")).write_bytes(b"")
    assert r"caf\udce9.png' cannot be decoded" in refused(store) and refused(store).encode()


def test_a_part_without_images_is_named():
    with pytest.raises(DataError, match="validation part of 'digits' has no images"):
        load(dataclasses.replace(DIGITS.images, train=1597, selection=200), DIGITS.backbone)


def test_images_of_the_wrong_size_are_named_with_what_the_backbone_takes():
    wrong = dataclasses.replace(DIGITS.backbone, image_size=32)
    with pytest.raises(DataError, match=r"of shape \(1, 8, 8\), but the backbone takes \(1, 32, 32\)"):
        load(DIGITS.images, wrong)


def test_labels_out_of_range_are_refused(monkeypatch):
    with pytest.raises(DataError, match="from 0 to 9, but the profile has 5 classes"):
        load(dataclasses.replace(DIGITS.images, classes=5), DIGITS.backbone)
    negative = TensorDataset(torch.zeros(1797, 1, 8, 8), torch.full((1797,), -1))
    monkeypatch.setattr(loading, "digits", lambda: negative)
    with pytest.raises(DataError, match="from -1 to -1"):
        load(DIGITS.images, DIGITS.backbone)


def test_a_damaged_image_of_any_folder_is_named(store, monkeypatch):
    """As in test_real_images, without the sample."""
    for part in ("train", "val"):
        for name in ("a", "b"):
            (store / "mine" / part / name).mkdir(parents=True)
            for k in range(3):
                Image.effect_noise((12, 12), 50).save(store / "mine" / part / name / f"{k}.png")
    damaged = store / "mine" / "val" / "b" / "1.png"
    damaged.write_bytes(damaged.read_bytes()[:60])
    mine = Images("mine", classes=2, selection=0)
    backbone = dataclasses.replace(SMOKE.backbone, channels=1)
    monkeypatch.setenv("LSNOTEBOOK_SKIP_DAMAGED", "0")
    with pytest.raises(DataError, match=r"val/b/1\.png' cannot be decoded"):
        load(mine, backbone)
    (store / "mine" / "train" / "a" / "gone.png").symlink_to("nowhere.png")
    Image.new("I;16", (12, 12), 700).save(store / "mine" / "train" / "b" / "deep.png")
    with pytest.raises(DataError, match=r"train/a/gone\.png' and 1 more cannot be decoded to 8 bits"):
        load(mine, backbone)
    monkeypatch.setenv("LSNOTEBOOK_SKIP_DAMAGED", "1")
    assert [len(part) for part in load(mine, backbone)] == [6, 5, 5]
    with pytest.raises(DataError, match="has 2 classes, but the profile has 3; bring all of them"):
        load(dataclasses.replace(mine, classes=3), backbone)


def test_changed_images_are_read_anew(store, write_images):
    write_images(store / "mine")
    mine = Images("mine", classes=2, selection=0)
    image, _ = load(mine, TINY).validation[0]
    assert load(mine, TINY) is load(mine, TINY)
    Image.new("RGB", (12, 8), color=(255, 255, 255)).save(store / "mine" / "val" / "a" / "0.png")
    assert load(mine, TINY).validation[0][0].eq(1).all() and image.eq(-1).all()
    Image.new("RGB", (12, 8)).save(store / "mine" / "val" / "a" / "more.png")
    assert len(load(mine, TINY).validation) == 7
