from hypothesis import given, settings
from random_graphs import graphs

from lsnotebook.roam.graph import KINDS, Graph, at_peak, peak
from lsnotebook.roam.orders import heuristic


@settings(max_examples=100)
@given(graphs(most=12))
def test_every_order_runs_each_operator_once_and_after_what_it_needs(graph):
    for name, order in heuristic(graph).items():
        assert sorted(order) == list(range(len(graph))), name
        assert all(graph.before[one] <= set(order[:place]) for place, one in enumerate(order)), name
        assert sum(at_peak(graph, order).values()) == peak(graph, order), name


def chain():
    """Two layers: activations a0 and a1, the gradients of their weights g1 and g0, and the updates u1 and u0."""
    names = ("a0", "a1", "g1", "g0", "u1", "u0")
    return Graph(
        names=names,
        before=tuple(map(frozenset, ((), {0}, {1}, {0, 2}, {2}, {3}))),
        sizes=(1, 1, 10, 10),
        makers=(0, 1, 2, 3),
        readers=tuple(map(frozenset, ({1, 3}, {2}, {4}, {5}))),
        updates=frozenset({4, 5}),
        forward=2,
    )


def test_weights_that_are_updated_at_once_free_their_gradients():
    graph = chain()
    orders = heuristic(graph)
    assert list(orders["program"]) == [0, 1, 2, 3, 4, 5]
    assert list(orders["update at once"]) == [0, 1, 2, 4, 3, 5]
    assert peak(graph, orders["program"]) == 21 and peak(graph, orders["update at once"]) == 12
    assert at_peak(graph, orders["program"]) == dict(zip(KINDS, (20, 1, 0), strict=True))
    assert list(orders["LESCEA"]) == [0, 1, 2, 4, 3, 5]
