"""Image folders, whose files are looked at each time."""

import pytest
from PIL import Image

from lsnotebook.data import fingerprint


@pytest.fixture(autouse=True)
def always_renewed(monkeypatch):
    """A fingerprint is never taken from an earlier look at the files."""
    monkeypatch.setattr(fingerprint, "RENEWED", 0)


@pytest.fixture
def write_images():
    """Writes a folder of images: classes "a" and "b" in the parts "train" and "val"."""

    def write(folder, classes=("a", "b"), size=(12, 8), count=3):
        for part in ("train", "val"):
            for name in classes:
                (folder / part / name).mkdir(parents=True)
                for k in range(count):
                    Image.new("L" if k else "RGB", size, color=40 * k).save(folder / part / name / f"{k}.png")

    return write
