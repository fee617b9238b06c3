"""Pictures from their files to pixel values, wherever they are decoded."""

import dataclasses
import io
import json

import pytest
import torch
from PIL import Image
from torch.utils.data import Subset

from lsnotebook.core.profiles import Backbone
from lsnotebook.data.loading import load
from lsnotebook.data.pictures import Files, Unprepared, decode, processor
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


def stored(image, **options):
    """The file of an image, as tensor."""
    file = io.BytesIO()
    image.save(file, **options)
    return torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)


def colours(file, channels=3):
    """The colours of the first column, from its file."""
    return decode([file], channels)[0][:, :, 0].T.tolist()


RED, BLUE, GREY = [255, 0, 0], [0, 0, 255], [128, 128, 128]
PAIR = Image.new("RGB", (1, 2))
PAIR.putdata([tuple(RED), tuple(BLUE)])


def see_through(mode):
    """Red, and a blue that nobody sees."""
    image = PAIR.convert("RGBA")
    image.putalpha(Image.frombytes("L", (1, 2), bytes([255, 0])))
    return image.convert(mode)


def palette(transparency):
    image = PAIR.convert("P", palette=Image.Palette.ADAPTIVE, colors=2)
    blue = image.getpixel((0, 1))
    opacities = bytes([*[255, 255][:blue], 0])
    return stored(image, format="png", transparency=opacities if transparency == "bytes" else blue)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (stored(see_through("RGBA"), format="png"), [RED, GREY]),
        (stored(see_through("RGBA"), format="webp", lossless=True), [RED, GREY]),
        (stored(see_through("LA"), format="png"), [[76, 76, 76], GREY]),
        (palette("bytes"), [RED, GREY]),
        (palette("an index"), [RED, GREY]),
        (stored(PAIR, format="png", transparency=(0, 0, 255)), [RED, GREY]),
        (stored(PAIR.convert("P"), format="png"), [RED, BLUE]),
        (stored(PAIR.convert("CMYK"), format="tiff"), [RED, BLUE]),
        (stored(Image.frombytes("1", (1, 2), b"\x80\0"), format="png"), [[255] * 3, [0] * 3]),
        (stored(PAIR, format="gif", save_all=True, append_images=[PAIR.rotate(180)]), [RED, BLUE]),
        (stored(PAIR, format="png", save_all=True, append_images=[PAIR.rotate(180)]), [RED, BLUE]),
        (stored(PAIR, format="tiff", save_all=True, append_images=[PAIR.rotate(180)]), [RED, BLUE]),
    ],
    ids=["RGBA", "RGBA WEBP", "LA", "P bytes", "P index", "RGB key", "P", "CMYK", "1", "GIF", "APNG", "pages"],
)
def test_odd_images_become_rgb_as_the_readme_of_the_data_says(file, expected):
    """Transparent pixels show grey, not the colour that lies below them; of several frames the first counts."""
    assert colours(file) == expected


def test_odd_images_become_grey_likewise():
    assert colours(stored(see_through("RGBA"), format="png"), channels=1) == [[76], [128]]
    assert colours(stored(PAIR.convert("1"), format="png"), channels=1) == [[0], [0]]


def test_pil_warns_of_no_image_that_it_can_decode(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)  # a DecompressionBombWarning
    cut_exif = stored(PAIR, format="jpeg", exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0")
    for file in (palette("bytes"), cut_exif):
        assert colours(file)


def test_a_file_that_is_gone_by_now_is_named(tmp_path):
    (tmp_path / "empty").touch()
    for k in (0, 1):
        with pytest.raises(DataError, match=r"(gone|empty)' cannot be read any more .*; bring it back"):
            Files(tmp_path, ["gone", "empty"]).read(k)


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
