"""The diagrams say what the method says."""

import re

import pytest

from lsnotebook.core.orders import OrderError
from lsnotebook.layershuffle import diagrams
from lsnotebook.pages import style


def words(html):
    return [word.strip() for word in re.findall(r"<text[^>]*>([^<]*)", html.data)]


def test_tiles_stand_in_the_order_that_they_run_in():
    shown = words(diagrams.layershuffle({"batch 1": [2, 0, 3, 1], "batch 2": [1, 1]}, layers=4))
    assert shown[: shown.index("batch 2")] == ["batch 1", "2", "0", "3", "1", "class"]
    assert shown[shown.index("batch 2") :] == ["batch 2", "1", "1", "class"]


def test_no_diagram_of_what_is_no_order():
    with pytest.raises(OrderError, match="layer 4"):
        diagrams.layershuffle({"batch 1": [4]}, layers=4)


@pytest.mark.parametrize(
    ("draw", "spoken"),
    [
        (lambda: diagrams.layershuffle({"a": [1, 0]}), "a: 1, 0."),
        (diagrams.position_encoding, "added to z before the usual block"),
        (diagrams.position_prediction, "one score for each position"),
    ],
)
def test_every_diagram_is_told_in_words_and_drawn_in_the_pages_ink(draw, spoken):
    html = draw().data
    assert spoken in re.search('aria-label="([^"]*)"', html)[1]
    assert style.INK not in html and "currentColor" in html
