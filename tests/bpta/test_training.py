"""Agents learn what they can represent; seeds are paired, independent of one another, and the same on every run."""

import numpy as np
import pytest
import torch

from lsnotebook.bpta import measurements, training
from lsnotebook.bpta.exact import greedy_return
from lsnotebook.bpta.games import game_of

CLIMBING = game_of("climbing")


@pytest.fixture(scope="module")
def learned():
    """Each way of learning on four seeds."""
    return {way: measurements.learn(CLIMBING, way, (1, 0), 4, 40) for way in measurements.WAYS}


def test_agents_in_turn_find_the_optimum_and_independent_ones_do_not(learned):
    for way, one in learned.items():
        assert (one.greedy == 11).all() == (way != "independent"), way
        assert one.curve.shape == ((9 if way.endswith("ppo") else 41), 4)


def test_all_ways_start_from_the_same_teams(learned):
    starts = [one.curve[0] for way, one in learned.items() if way != "independent"]
    assert all(np.array_equal(start, starts[0]) for start in starts)


def test_feedback_changes_what_is_learned_and_nothing_else(learned):
    for without, way in (("plain", "feedback"), ("ppo", "bppo")):
        assert np.array_equal(learned[without].curve[0], learned[way].curve[0])
        assert not np.array_equal(learned[without].curve[2], learned[way].curve[2])


@pytest.mark.parametrize("way", ["feedback", "bppo"])
def test_a_seed_is_the_same_beside_others_and_again(learned, way):
    again = measurements.learn(CLIMBING, way, (1, 0), 2, 20)
    assert again.curve == pytest.approx(learned[way].curve[: len(again.curve), :2], abs=1e-9)


def test_agents_of_random_orders_act_in_any():
    team = training.reinforce(CLIMBING, None, 4, 60).team
    assert [greedy_return(team, CLIMBING, order).tolist() for order in CLIMBING.orders()] == [[11] * 4] * 2


def test_every_random_order_is_a_permutation_and_each_seed_has_its_own():
    orders = training.random_orders(game_of("permutation_3"), 3, 30)
    assert (
        orders.sort(-1).values.eq(torch.arange(3)).all()
        and len({tuple(each.flatten().tolist()) for each in orders.unbind(1)}) == 3
    )
    assert len({tuple(order) for order in orders[:, 0].tolist()}) == 6


def test_without_feedback_the_last_agent_of_ppo_is_updated_as_by_itself():
    """Its own factor is 1, as no agent was updated before it; so one update of it is the same with and without."""
    with_, without = (
        training.bidirectional(CLIMBING, (0, 1), 2, 1, feedback=feedback).team for feedback in (True, False)
    )
    same = [all(map(torch.equal, a, b)) for a, b in zip(with_.weights, without.weights, strict=True)]
    assert same == [False, True]


def test_the_frames_of_the_page():
    game = game_of("permutation_2")
    ends, curves = measurements.outcomes(game, (0, 1), 3, 10)
    assert len(ends) == 5 * 3 and set(ends["way"]) == set(measurements.WAYS)
    last = curves[curves["way"] == "plain"].groupby("seed")["return"].last()
    reached = ends[ends["way"] == "plain"].set_index("seed")["reached"]
    assert all((curve >= game.goal).any() == reached.notna()[seed] for seed, curve in
               curves[curves["way"] == "plain"].groupby("seed")["return"])  # fmt: skip
    assert last.between(0, 1).all()
    crossed = measurements.in_other_orders(game, 3, 10, feedback=True)
    assert len(crossed) == 3 * 2 * 3 and set(crossed["trained"]) == {"0→1", "1→0", "random"}
    assert [one.name for one in measurements.played(game_of("penalty_5"))][:2] == ["penalty_5", "climbing"]
    assert len(measurements.played(game)) == 5
