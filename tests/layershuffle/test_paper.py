"""The paper's published numbers."""

import pandas as pd

from lsnotebook.layershuffle import paper


def test_published_numbers_are_read_as_fractions():
    table = paper.table1()
    assert table["mean"].between(0, 1).all() and table["std"].between(0, 0.02).all()
    assert pd.Series(table["approach"].unique()).isin(["baseline"]).sum() == 1
