"""What an order is, and how orders are drawn."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lsnotebook.core.orders import OrderError, arbitrary, check_order, layerdrop
from lsnotebook.core.randomness import stream

layers = st.integers(1, 24)
seeds = st.integers(0, 2**31)


@given(layers, seeds)
def test_an_arbitrary_order_is_a_permutation(count, seed):
    assert sorted(arbitrary(count, stream(seed, "order"))) == list(range(count))


def test_all_permutations_are_equally_likely():
    drawn = [arbitrary(3, stream(0, "order", step)) for step in range(6_000)]
    counts = [drawn.count(order) for order in itertools.permutations(range(3))]
    assert sum(counts) == 6_000
    assert stats.chisquare(counts).pvalue > 0.001


def test_layerdrop_leaves_out_one_layer_in_five_and_never_all():
    orders = [layerdrop(12, stream(0, "order", step)) for step in range(2_000)]
    assert np.mean([len(order) for order in orders]) == pytest.approx(9.6, abs=0.1)
    assert all(list(order) == sorted(set(order)) for order in orders)
    assert all(layerdrop(1, stream(0, "order", step)) == (0,) for step in range(50))


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
