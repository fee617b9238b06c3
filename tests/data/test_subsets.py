"""Some images of many: evenly spaced."""

from lsnotebook.data.subsets import spread


def test_images_are_spread_over_all_of_them():
    """Folders stand class by class: the first ones would be of few classes."""
    chosen = spread(range(100), 5)
    assert list(chosen) == [0, 25, 50, 74, 99] and len(spread(range(3), 5)) == 3
