"""Lines that lie on one another can be told apart."""

from itertools import pairwise

from lsnotebook.pages.strokes import strokes


def test_each_line_is_narrower_than_the_one_beneath_and_of_another_kind():
    for count in (1, 3, 6):
        styles = strokes(count)
        assert len(styles) == count
        for below, above in pairwise(styles):
            assert below["linewidth"] > above["linewidth"] and below["markersize"] > above["markersize"]
            assert below["linestyle"] != above["linestyle"]
