"""What an order is, and how orders are drawn."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lsnotebook.orders import OrderError, arbitrary, check_order, draw, inversions, sequential
from lsnotebook.randomness import seeded, stream

layers = st.integers(1, 24)
seeds = st.integers(0, 2**31)


@given(layers, seeds)
def test_an_arbitrary_order_is_a_permutation(count, seed):
    assert sorted(arbitrary(count, stream(seed, "order"))) == list(range(count))


@given(seeds, st.integers(0, 10_000))
def test_equal_seed_purpose_and_step_draw_equally_and_others_do_not(seed, step):
    def drawn(*key):
        return tuple(stream(*key).integers(2**62, size=2))

    assert drawn(seed, "order", step) == drawn(seed, "order", step)
    others = {drawn(seed, "order", step + 1), drawn(seed, "data", step), drawn(seed + 1, "order", step)}
    assert len(others) == 3 and drawn(seed, "order", step) not in others


def test_drawing_leaves_the_global_generators_alone():
    numpy_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()
    draw("arbitrary", 12, 5)
    with seeded(0, "dropout", 3):
        inside = torch.rand(1)
    with seeded(0, "dropout", 3):
        assert torch.rand(1) == inside
    assert (np.random.get_state()[1] == numpy_state).all()
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_all_permutations_are_equally_likely():
    drawn = [arbitrary(3, stream(0, "order", step)) for step in range(6_000)]
    counts = [drawn.count(order) for order in itertools.permutations(range(3))]
    assert sum(counts) == 6_000
    assert stats.chisquare(counts).pvalue > 0.001


@given(layers, st.integers(1, 8), st.integers(0, 8))
def test_the_kth_order_of_an_evaluation_does_not_depend_on_how_many_there_are(count, few, more):
    assert draw("arbitrary", count, few + more)[:few] == draw("arbitrary", count, few)
    assert draw("sequential", count, few) == [sequential(count)]


@given(st.lists(st.integers(0, 11), min_size=1, max_size=30))
def test_any_sequence_of_indices_is_an_order(indices):
    assert check_order(indices, 12) == tuple(indices)
    assert check_order(np.array(indices), 12) == check_order(torch.tensor(indices), 12) == tuple(indices)


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        ([0, 12], "names layer 12, but this model's layers are 0 to 11"),
        ([-1], "names layer -1"),
        ([], "is empty; name at least one layer from 0 to 11"),
        ("forwards", "is a sequence of layer indices such as"),
        ([0.5], "is a sequence of layer indices such as"),
        (3, "is a sequence of layer indices such as"),
    ],
)
def test_what_is_no_order_is_refused_with_a_sentence(order, sentence):
    with pytest.raises(OrderError, match=sentence):
        check_order(order, 12)


@given(st.permutations(range(8)))
def test_inversions_are_kendalls_distance(order):
    pairs = 8 * 7 / 2
    tau = stats.kendalltau(range(8), order).statistic
    assert inversions(order) == pytest.approx(pairs * (1 - tau) / 2)
    assert inversions(range(8)) == 0 and inversions(range(8)[::-1]) == pairs
    assert inversions([1, 1, 0]) == 2
