"""Exact gradients against the enumeration of all joint actions."""

import numpy as np
import pytest
import torch

from lsnotebook.bpta.exact import compared, expected_return, gradient, policy_gradient, same_order
from lsnotebook.bpta.games import game_of
from lsnotebook.bpta.policies import drawn, new_team, paid, play


def return_below(team, game, order, chosen=()):
    """The expected return of each team once the first agents of an order have chosen: a walk over the whole tree, which
    shares nothing with the library but the agents' networks."""
    seeds, actions = len(team.weights[0][0]), team.exists.shape[1]
    if len(chosen) == game.agents:
        joint = dict(zip(order, chosen, strict=True))
        return torch.full((seeds,), game.payoff[tuple(joint[agent] for agent in range(game.agents))])
    seen = torch.zeros(seeds, 1, game.agents * actions, dtype=torch.float64)
    for agent, action in zip(order, chosen, strict=False):
        seen[:, :, agent * actions + action] = 1
    first, bias, last, own = team.weights[order[len(chosen)]]
    chances = torch.softmax(torch.tanh(seen @ first + bias) @ last + own, -1)[:, 0]
    return sum(chances[:, action] * return_below(team, game, order, (*chosen, action)) for action in range(actions))


@pytest.mark.parametrize("name", ["climbing", "penalty_30", "permutation_3"])
def test_the_plain_policy_gradient_is_exact_in_every_order(name):
    game = game_of(name)
    team = new_team(game, 20, gain=2.0)
    for order in game.orders():
        orders = same_order(order, 20)
        returns, plain = return_below(team, game, order), policy_gradient(team, game, orders)
        assert torch.allclose(returns, expected_return(team, game, orders), rtol=1e-13)
        for agent in range(game.agents):
            exact = gradient(team, returns, agent)
            error = (gradient(team, plain, agent) - exact).norm(dim=1) / exact.norm(dim=1).mean()
            assert error.max() <= 1e-14


def test_the_exact_gradient_is_the_slope_of_the_return():
    game = game_of("climbing")
    team, orders = new_team(game, 1, gain=2.0), same_order((1, 0), 1)
    slope = gradient(team, expected_return(team, game, orders), 0)[0, -1]
    values = []
    for step in (-1e-6, 1e-6):
        with torch.no_grad():
            team.weights[0][3][0, 0, -1] += step
            values.append(expected_return(team, game, orders).item())
            team.weights[0][3][0, 0, -1] -= step
    assert slope.item() == pytest.approx((values[1] - values[0]) / 2e-6, rel=1e-6)


def test_the_feedback_is_what_sampled_actions_have_on_average():
    game, samples = game_of("climbing"), 60_000
    team, orders = new_team(game, 1, gain=1.0), same_order((0, 1), 1)
    gumbel = np.random.default_rng(0).gumbel(size=(1, samples, 2, 3))
    sampled = []
    for feedback in (True, False):
        actions, chances = play(team, orders, drawn(torch.from_numpy(gumbel)), samples, feedback=feedback)
        surrogate = ((paid(game, actions) - 3) * chances.sum(-1)).mean(1)
        sampled.append(gradient(team, surrogate, 0))
    noise = torch.from_numpy(np.random.default_rng(1).gumbel(size=(1, 3_000, 2, 3)))
    added = gradient(team, policy_gradient(team, game, orders, noise), 0) - gradient(
        team, policy_gradient(team, game, orders), 0
    )
    assert (sampled[0] - sampled[1] - added).norm() < 0.1 * added.norm() and added.norm() > 0


def test_the_table_of_gradients_has_a_row_for_each_policy():
    found = compared(game_of("penalty_30"), (1, 0), policies=5, draws=4)
    assert len(found) == 5 and found["error"].max() <= 1e-14 and (found["share"] > 1e-3).all()
    assert found["cosine"].between(-1, 1).all()
