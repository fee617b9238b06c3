"""The search against all orders of small graphs."""

from itertools import permutations

from hypothesis import given, settings
from random_graphs import graphs

from lsnotebook.roam.graph import Graph, live, peak
from lsnotebook.roam.orders import Partial
from lsnotebook.roam.search import lower_bound, optimum


def orders(graph):
    """All that respect what must run before what."""
    for order in permutations(range(len(graph))):
        if all(graph.before[one] <= set(order[:place]) for place, one in enumerate(order)):
            yield order


@settings(max_examples=300)
@given(graphs())
def test_no_order_needs_less_than_the_one_found(graph):
    found, least = optimum(graph), min(peak(graph, order) for order in orders(graph))
    assert found.proven and found.peak == found.bound == least == peak(graph, found.order)
    assert sorted(found.order) == list(range(len(graph))) and tuple(found.order) in set(orders(graph))
    assert lower_bound(graph) <= least


@settings(max_examples=100)
@given(graphs(), graphs())
def test_a_search_that_stops_early_says_so_and_bounds_the_optimum(graph, other):
    for one in (graph, other):
        found, whole = optimum(one, limit=1), optimum(one)
        assert found.bound <= whole.peak <= found.peak == peak(one, found.order)
        assert not found.proven or found.peak == whole.peak


def stuck():
    """Ten chains, each of which makes a large block before a small one: the lower bound is out of reach."""
    names = [f"{what}{chain}" for chain in range(10) for what in ("large", "small", "end")]
    starts = range(0, 30, 3)
    return Graph(
        names=(*names, "all"),
        before=(*(frozenset({k - 1} if k % 3 else ()) for k in range(30)), frozenset(range(2, 30, 3))),
        sizes=tuple(size for chain in range(10) for size in (10 + chain, 5 + chain % 3)),
        makers=tuple(maker for start in starts for maker in (start, start + 1)),
        readers=tuple(readers for start in starts for readers in (frozenset({start + 1}), frozenset({30, start + 2}))),
    )


def test_an_order_that_is_not_proven_is_not_called_so():
    found = optimum(stuck(), limit=3)
    assert found.states <= 3 and (found.proven or found.bound < found.peak)


@settings(max_examples=50)
@given(graphs(most=12))
def test_the_memory_so_far_is_that_of_the_whole_order(graph):
    partial = Partial(graph)
    while partial.ready:
        memory, (during, after) = partial.live, partial.cost(partial.ready[0])
        partial.run(partial.ready[0])
        assert memory + graph.made[partial.order[-1]] == during and partial.live == after
    assert partial.peak == max(live(graph, partial.order)) == peak(graph, partial.order)
    assert partial.live == sum(graph.sizes[block] for block in graph.kept)
