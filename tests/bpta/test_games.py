"""Games are what their names say; what is no game, matrix or order is told in one sentence."""

import numpy as np
import pytest

from lsnotebook.bpta.games import (
    GAMES,
    GameError,
    checked_name,
    checked_order,
    checked_payoff,
    game_of,
    order_of,
    payoff_of,
    title,
)


def test_the_games_of_the_page_have_their_payoffs():
    optima = {name: game_of(name).optimum for name in GAMES}
    assert list(optima.values()) == [11, 10, 8, 1, 1] and game_of("permutation_3").agents == 3
    penalty = game_of("penalty_7").payoff
    assert penalty[0, 0] == penalty[2, 2] == -7 and penalty[0, 2] == penalty[2, 0] == 10
    for joint in game_of("permutation_3").joint_actions():
        assert game_of("permutation_3").payoff[tuple(joint)] == (len(set(joint)) == 3)


def test_a_readers_own_payoffs_go_before_a_name():
    game = game_of("climbing", [[1, 0, 0], [0, 2, 0]])
    assert game.payoff.shape == (2, 3) and len(game.joint_actions()) == 6 and game.name == "your own"
    assert game.payoff.ravel().tolist() == [game.payoff[tuple(joint)] for joint in game.joint_actions()]


def test_the_goal_lies_a_fifth_below_the_optimum_whatever_its_sign():
    goals = [game_of("", [[best, best - 10], [best - 10, best - 10]]).goal for best in (10, -10, 0)]
    assert goals == [8, -12, pytest.approx(-0.2 * 7.5)]


@pytest.mark.parametrize(
    "name", ["climbin", "penalty", "penalty_x", "permutation_9", "permutation_1", None, ["climbing"]]
)
def test_an_unknown_game_is_told(name):
    with pytest.raises(GameError, match=r"^There is no game .*: take climbing, .*[.]$"):
        checked_name(name)


@pytest.mark.parametrize(
    "value",
    [
        [[1, 2], [3]],
        [1, 2],
        5,
        "x",
        [["a", "b"], ["c", "d"]],
        [[[[1, 0]] * 2] * 2] * 2,
    ],
    ids=["ragged", "a row", "a number", "a text", "texts", "four agents"],
)
def test_payoffs_that_are_no_matrix_are_told(value):
    with pytest.raises(GameError, match=r"^The pay-offs .* are no matrix: give rows of numbers .*[.]$"):
        checked_payoff(value)


@pytest.mark.parametrize("number", [float("nan"), float("-inf"), 1e308, 10**400, -1_000_001])
def test_payoffs_that_are_no_numbers_of_a_size_to_learn_from_are_told(number):
    with pytest.raises(GameError, match=r"^The pay-offs hold what is no number from -1,000,000 to 1,000,000: .*[.]$"):
        checked_payoff([[number, 1], [0, 1]])
    assert checked_payoff([[1_000_000, 1], [0, 1]])


def test_payoffs_for_agents_with_too_few_actions_are_told():
    with pytest.raises(GameError, match=r"an agent has 1 action: give rows .* of 2 to 6 actions[.]$"):
        checked_payoff([[1, 2]])
    with pytest.raises(GameError, match=r"an agent has 7 actions: "):
        checked_payoff([[1] * 7] * 2)


def test_pages_call_games_by_words():
    assert [title(name) for name in ("climbing", "non-monotonic", "your own")] == [
        "climbing", "non-monotonic", "your own game",
    ]  # fmt: skip
    assert title("penalty_30") == "penalty (k\u00a0=\u00a030)" and title("permutation_3") == "permutation (3 agents)"


def test_payoffs_that_are_all_equal_are_told():
    with pytest.raises(GameError, match=r"are all 3, so there is nothing to learn"):
        payoff_of([[3, 3], [3, 3]])


@pytest.mark.parametrize("order", [[0], [0, 0], [1, 2], [0, 1, 2], ["0", "1"], [True, False], [0.0, 1.0]])
def test_an_order_that_is_no_permutation_is_told(order):
    with pytest.raises(GameError, match=r"is no permutation of the agents of climbing: name each of 0, 1 once"):
        order_of(order, game_of("climbing"))


def test_an_order_is_a_list_and_an_empty_one_is_in_sequence():
    assert order_of(checked_order([]), game_of("permutation_3")) == (0, 1, 2)
    assert order_of(checked_order([1, 0]), game_of("climbing")) == (1, 0)
    with pytest.raises(GameError, match=r"^The order 1 is no list of agents"):
        checked_order(1)
    assert checked_payoff([]) == [] and np.array_equal(checked_payoff([[1, 0], [0, 2]]), [[1, 0], [0, 2]])
