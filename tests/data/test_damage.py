"""Which files count as damaged: what PIL cannot decode, whatever it raises, and what it would cut to 8 bits."""

import io
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from lsnotebook.data import damage
from lsnotebook.data.damage import is_damaged

NOISE = Image.effect_noise((12, 12), 50)


def encoded(image, ending, **options):
    file = io.BytesIO()
    image.save(file, ending, **options)
    return file.getvalue()


def png(colour_type, channels, bits, *, text=b""):
    """A PNG of 4x4 pixels, written out, since PIL writes no 16-bit colours."""

    def chunk(kind, content):
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    rows = (b"\0" + bytes(range(4 * channels * bits // 8))) * 4
    header = struct.pack(">IIBBBBB", 4, 4, bits, colour_type, 0, 0, 0)
    texts = chunk(b"zTXt", b"note\0\0" + text) if text else b""
    parts = chunk(b"IHDR", header), texts, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tiff(channels, bits, sample_format=1):
    """An uncompressed TIFF of 4x4 pixels."""
    samples, pixels = struct.pack(f"<{channels}H", *[bits] * channels), bytes(4 * 4 * channels * bits // 8)
    start = 8 + len(pixels)  # of the list of bits, and then of the tags
    at = start if channels > 2 else bits
    tags = [
        (256, 3, 1, 4),
        (257, 3, 1, 4),
        (258, 3, channels, at),
        (259, 3, 1, 1),
        (262, 3, 1, 2 if channels > 2 else 1),
    ]
    tags += [(273, 4, 1, 8), (277, 3, 1, channels), (278, 3, 1, 4), (279, 4, 1, len(pixels))]
    tags += ([(338, 3, 1, 2)] if channels == 4 else []) + [(339, 3, 1, sample_format)]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    return b"II*\0" + struct.pack("<I", start + len(samples)) + pixels + samples + directory


DEEP = {
    "PNG, grey": png(0, 1, 16),
    "PNG, grey with transparency": png(4, 2, 16),
    "PNG, RGB": png(2, 3, 16),
    "PNG, RGBA": png(6, 4, 16),
    "PNG, by PIL": encoded(NOISE.convert("I;16"), "png"),
    "TIFF, grey": tiff(1, 16),
    "TIFF, RGB": tiff(3, 16),
    "TIFF, RGBA": tiff(4, 16),
    "TIFF, floats": encoded(NOISE.convert("F"), "tiff"),
    "TIFF, 32 bits": encoded(NOISE.convert("I"), "tiff"),
    "PGM": b"P5 2 1 65535\n" + bytes(4),
    "PGM of 10 bits": b"P5 2 1 1023\n" + bytes(4),
    "PPM": b"P6 1 1 65535\n" + bytes(6),
    "PPM of 10 bits": b"P6 1 1 1023\n" + bytes(6),
    "PPM in plain text": b"P3 1 1 1023\n1 2 3\n",
    "PFM": b"Pf 1 1 -1.0\n" + bytes(4),
}


@pytest.mark.parametrize("content", DEEP.values(), ids=DEEP)
def test_more_than_8_bits_a_channel_are_told_from_the_file(content):
    assert is_damaged(content)
    with Image.open(io.BytesIO(content)) as image:  # PIL itself reads them, many without a trace of it
        image.load()


WHOLE = {
    **{f"PNG, {mode}": encoded(NOISE.convert(mode), "png") for mode in ("RGB", "RGBA", "L", "LA", "1", "P")},
    **{f"JPEG, {mode}": encoded(NOISE.convert(mode), "jpeg") for mode in ("RGB", "L", "CMYK")},
    **{f"TIFF, {mode}": encoded(NOISE.convert(mode), "tiff") for mode in ("RGB", "RGBA", "L", "1", "CMYK")},
    "TIFF, written out": tiff(3, 8),
    "PNG, written out": png(2, 3, 8),
    "BMP": encoded(NOISE, "bmp"),
    "WEBP": encoded(NOISE.convert("RGBA"), "webp"),
    "GIF under any name": encoded(NOISE, "gif"),
    "PPM of 4 bits": b"P6 1 1 15\n" + bytes(3),
}


@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE)
def test_a_whole_image_is_none_and_it_is_one_where_it_is_cut(content):
    assert not is_damaged(content)
    assert is_damaged(content[: min(20, len(content) - 1)]) and is_damaged(content[: len(content) // 3])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no image",
        b"P6",
        b"P6 3",
        b"P6 0 0 255\n",
        b"P6 x y 255\n",
        b"P6 12345678901 1 255\n",
        b"P3 1 1 255\n1 2",
        b"P3 1 1 255\n1 2 many",
        b"BM" + bytes(20),
        b"II*\0",
        b"\xff\xd8\xff",
        png(2, 3, 8, text=zlib.compress(bytes(PngImagePlugin.MAX_TEXT_CHUNK + 1))),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n",
    ],
    ids=str,
)
def test_whatever_pil_raises_is_a_damaged_image(content):
    assert is_damaged(content)


def test_what_is_too_large_is_damaged_but_memory_that_is_short_says_nothing_of_the_file(monkeypatch):
    content = encoded(NOISE, "png")
    with monkeypatch.context() as patch:
        patch.setattr(Image, "MAX_IMAGE_PIXELS", 60)
        assert is_damaged(content), "a decompression bomb"
    monkeypatch.setattr(damage, "flat", lambda *_: (_ for _ in ()).throw(MemoryError))
    with pytest.raises(MemoryError):
        is_damaged(content)
