import importlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_graphs import graphs

from lsnotebook.roam.layout import ALIGNMENT, Block, best, blocks, extent, layouts, least
from lsnotebook.roam.orders import heuristic

TIMES = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 5))
BLOCKS = st.lists(TIMES.map(lambda it: Block(min(it[:2]), max(it[:2]), ALIGNMENT * it[2])), max_size=12)


def overlap(them, layout):
    """Pairs that share an address at the same time."""
    return [
        (i, j)
        for i, a in enumerate(them)
        for j, b in enumerate(them[:i])
        if a.first <= b.last and b.first <= a.last
        and layout[i] < layout[j] + b.size and layout[j] < layout[i] + a.size
    ]  # fmt: skip


@settings(max_examples=100)
@given(BLOCKS)
def test_blocks_that_are_there_at_the_same_time_lie_apart(them):
    live = [sum(block.size for block in them if block.first <= step <= block.last) for step in range(10)]
    for name, layout in layouts(them).items():
        assert not overlap(them, layout), name
        assert all(address % ALIGNMENT == 0 for address in layout), name
        assert extent(them, layout) >= max(live), name
    assert extent(them, best(them)) == min(extent(them, layout) for layout in layouts(them).values())


@settings(max_examples=50)
@given(graphs(most=10))
def test_no_layout_is_smaller_than_what_is_live_at_once(graph):
    order = heuristic(graph)["program"]
    them = blocks(graph, order)
    assert extent(them, best(them)) >= least(graph, order)


def test_each_way_to_place_does_what_its_name_says():
    # a long one between two short ones, then two gaps of different size
    them = [Block(0, 1, 256), Block(0, 9, 64), Block(0, 1, 128), Block(0, 9, 64), Block(2, 9, 128)]
    found = layouts(them)
    assert list(found["first fit"]) == [0, 256, 320, 448, 0]
    assert list(found["best fit"]) == [0, 256, 320, 448, 320]
    assert found["longest-lived first"][1] == 0 and found["largest first"][0] == 0


@pytest.mark.skipif(not importlib.util.find_spec("omnimalloc"), reason="omnimalloc is not installed")
def test_another_package_places_them_too():
    assert "omnimalloc" in layouts([Block(0, 1, 64)])
