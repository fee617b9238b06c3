"""The README's pictures are there, in both themes, small, and made from the built book."""

import importlib.util
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.findall(r'(?:src|srcset)="(docs/[^"]+)"', (ROOT / "README.md").read_text())


def test_the_readme_shows_both_pictures_in_both_themes():
    wanted = {f"docs/{name}-{theme}.{kind}" for name, kind in (("result", "svg"), ("explorer", "png"))
              for theme in ("light", "dark")}  # fmt: skip
    assert set(NAMED) == wanted


@pytest.mark.parametrize("name", NAMED)
def test_a_picture_is_small_and_whole(name):
    content = (ROOT / name).read_bytes()
    assert len(content) < 150_000
    if name.endswith(".svg"):
        assert ElementTree.fromstring(content).tag.endswith("svg") and b"currentColor" not in content
    else:
        assert content.startswith(b"\x89PNG")


def test_the_figure_takes_the_colour_of_its_theme():
    spec = importlib.util.spec_from_file_location("pictures", ROOT / "book" / "pictures.py")
    pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pictures)
    page = (
        '<svg class="bar"></svg><svg class="themed" xmlns="a"><path stroke="currentColor"/></svg><svg class="themed"/>'
    )
    assert pictures.main_figure(page, "#fff") == '<svg class="themed" xmlns="a"><path stroke="#fff"/></svg>\n'
