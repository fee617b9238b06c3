"""Pictures from their files to pixel values, wherever they are decoded."""

import dataclasses
import json

import pytest
import torch
from PIL import Image
from torch.utils.data import Subset

from lsnotebook.core.profiles import Backbone
from lsnotebook.data.loading import load
from lsnotebook.data.pictures import Unprepared, is_damaged, processor
from lsnotebook.data.splits import DataError
from lsnotebook.layershuffle.profiles import SMOKE

BACKBONE = Backbone(image_size=16, patch_size=4)


def test_images_that_the_device_decodes_are_those_that_the_readers_decode(store):
    for part in ("train", "val"):
        for name in ("a", "b"):
            (store / "mine" / part / name).mkdir(parents=True)
            for k, mode in enumerate(("RGB", "L", "CMYK", "RGB")):
                picture = Image.effect_noise((20 + k, 30), 50).convert(mode)
                picture.save(store / "mine" / part / name / f"{k}.jpeg")
    images = load(
        dataclasses.replace(SMOKE.images, name="mine", classes=2, selection=0, train=None, validation=None), BACKBONE
    ).train
    assert isinstance(images, Subset)
    raw = [Unprepared(images)[k] for k in range(len(images))]
    joined, shapes, labels = Unprepared.collate(raw)
    pictures = Unprepared.apart(joined, shapes)
    assert pictures[0].dtype == torch.uint8 and pictures[0].ndim == 1, "as in the file"
    assert torch.equal(images.dataset.pixels(pictures), torch.stack([image for image, _ in images]))
    assert labels.tolist() == [label for _, label in images]


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # PIL's own
@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "CMYK", "I;16", "F"])
def test_an_image_is_damaged_where_it_is_cut_or_has_more_than_8_bits(tmp_path, mode):
    path = tmp_path / ("image.tiff" if mode in ("CMYK", "F") else "image.png")
    Image.effect_noise((12, 12), 50).convert(mode).save(path)
    whole = path.read_bytes()
    assert is_damaged(whole) == (mode in ("I;16", "F"))
    assert is_damaged(b"") and is_damaged(b"no image") and is_damaged(whole[:20]) and is_damaged(whole[:-30])


def test_a_processor_that_cannot_be_read_is_named(tmp_path):
    assert processor(BACKBONE, tmp_path).size == {"height": 16, "width": 16}, "ViT's own where there is none"
    (tmp_path / "preprocessor_config.json").write_text("{")
    with pytest.raises(DataError, match=r"preprocessor_config\.json cannot be read .*; get it anew, or remove it"):
        processor(BACKBONE, tmp_path)


@pytest.mark.parametrize("key", ["feature_extractor_type", "image_processor_type"])
def test_the_feature_extractor_of_older_versions_is_read(tmp_path, key):
    values = {key: "ViTFeatureExtractor", "size": 16, "image_mean": [0.1] * 3, "image_std": [0.2] * 3, "resample": 3}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(values))
    (pixels,) = processor(BACKBONE, tmp_path)([torch.full((3, 20, 24), 51, dtype=torch.uint8)])["pixel_values"]
    assert pixels.shape == (3, 16, 16) and torch.allclose(pixels, torch.tensor(0.5))


def test_a_processor_cannot_ask_for_code(tmp_path, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("asked"))
    values = {"image_processor_type": "Mine", "auto_map": {"AutoImageProcessor": "code.Mine"}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(values))
    (tmp_path / "code.py").write_text("raise SystemExit('ran')")
    with pytest.raises(DataError, match=r"cannot be read .*custom code.*; get it anew"):
        processor(BACKBONE, tmp_path)
