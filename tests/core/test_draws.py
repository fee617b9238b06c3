"""The orders of an evaluation: how many, which layers they keep, and how far they are from the original one."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lsnotebook.core.draws import KEEP, Pruned, draw, inversions
from lsnotebook.core.orders import OrderError, arbitrary, layerdrop, sequential
from lsnotebook.core.randomness import stream


@given(st.integers(1, 24), st.integers(1, 8), st.integers(0, 8))
def test_the_kth_order_of_an_evaluation_does_not_depend_on_how_many_there_are(count, few, more):
    assert draw(arbitrary, count, few + more)[:few] == draw(arbitrary, count, few)
    assert draw(sequential, count, few) == [sequential(count)]


@given(st.integers(1, 12), st.data(), st.sampled_from(KEEP), st.booleans())
def test_a_pruned_order_keeps_so_many_different_layers(layers, data, which, shuffled):
    keep = data.draw(st.integers(1, layers))
    order = Pruned(keep, which, shuffled)(layers, stream(0, "order", data.draw(st.integers(0, 9))))
    assert len(set(order)) == len(order) == keep and set(order) <= set(range(layers))
    assert shuffled or list(order) == sorted(order)
    if which == "first":
        assert set(order) == set(range(keep))
    if which == "even" and keep > 1:
        steps = np.diff(sorted(order))
        assert {0, layers - 1} <= set(order) and steps.max() - steps.min() <= 1


def test_random_layers_are_drawn_anew_for_each_order_and_a_deterministic_choice_has_one():
    assert len(set(draw(Pruned(6), 12, 10))) == 10
    assert draw(Pruned(6, "even"), 12, 10) == [(0, 2, 4, 7, 9, 11)]
    assert draw(Pruned(3, "first", shuffled=True), 12, 4)[0] in itertools.permutations(range(3))


@pytest.mark.parametrize(
    "sampler",
    [sequential, arbitrary, layerdrop, *(Pruned(3, which, shuffled) for which in KEEP for shuffled in (False, True))],
    ids=str,
)
def test_a_sampler_that_says_that_it_is_deterministic_has_one_order(sampler):
    drawn = {sampler(12, stream(0, "order", step)) for step in range(20)}
    assert (len(drawn) == 1) == sampler.is_deterministic(12)
    assert any(len(order) < 12 for order in drawn) == sampler.skips_layers


@pytest.mark.parametrize("keep", [0, 13])
def test_a_model_cannot_keep_what_it_does_not_have(keep):
    with pytest.raises(OrderError, match="can keep 1 to 12 of its layers"):
        Pruned(keep)(12, stream(0, "order"))


@given(st.permutations(range(8)))
def test_inversions_are_kendalls_distance(order):
    pairs = 8 * 7 / 2
    tau = stats.kendalltau(range(8), order).statistic
    assert inversions(order) == pytest.approx(pairs * (1 - tau) / 2)
    assert inversions(range(8)) == 0 and inversions(range(8)[::-1]) == pairs
    assert inversions([1, 1, 0]) == 2


@given(st.integers(1, 12), st.data())
def test_random_layers_are_those_that_an_arbitrary_order_begins_with(layers, data):
    keep = data.draw(st.integers(1, layers))
    whole = draw(arbitrary, layers, 5)
    assert draw(Pruned(keep, shuffled=True), layers, 5) == [order[:keep] for order in whole]


def test_every_set_of_random_layers_is_as_likely():
    drawn = [Pruned(2)(4, stream(0, "sets", k)) for k in range(3000)]
    assert stats.chisquare(np.unique(drawn, axis=0, return_counts=True)[1]).pvalue > 0.001 and len(set(drawn)) == 6
