"""Which files are no whole images of 8 bits a channel: cut or broken ones, and those that would lose bits."""

from PIL import Image
from PIL.TiffImagePlugin import BITSPERSAMPLE

from lsnotebook.data.pictures import flat, opened


def is_damaged(content: bytes) -> bool:
    """Whether the file of an image cannot be decoded to 8 bits a channel without loss."""
    try:
        with opened(content) as image:
            deep = has_more_than_8_bits(image)  # asked before the pixels are there, and what PIL knows of the file gone
            flat(image, "RGB")
            return deep
    except MemoryError:
        raise  # says nothing about the file
    except Exception:  # PIL's decoders raise whatever comes of bytes that they do not expect
        return True


def has_more_than_8_bits(image: Image.Image) -> bool:
    """Whether a channel has, in the file: PIL cuts many such images to 8 bits without a word."""
    if image.mode.startswith(("I", "F")):
        return True
    layout = image.tile[0].args if image.tile else ""
    match image.format:
        case "PNG":
            return ";16" in layout
        case "TIFF":
            return max(image.tag_v2.get(BITSPERSAMPLE, (1,))) > 8
        case "PPM":  # the grey level that is white
            return isinstance(layout, tuple) and layout[1] > 255
    return False  # the other formats have no more
