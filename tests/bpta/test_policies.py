"""Who sees what, who is told what, and that the same seed is the same team."""

import numpy as np
import pytest
import torch

from lsnotebook.bpta.exact import all_joint, greedy_return, same_order
from lsnotebook.bpta.games import game_of
from lsnotebook.bpta.policies import drawn, drawn_as, given, new_team, paid, play

THREE = game_of("permutation_3")


def noise(seeds, batch, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).gumbel(size=(seeds, batch, 3, 3)))


def test_probabilities_of_all_joint_actions_sum_to_one_in_every_order():
    team = new_team(THREE, 2, gain=2.0)
    joint = all_joint(team, THREE, 2)
    for order in THREE.orders():
        _, log_probabilities = play(team, same_order(order, 2), given(joint), 27)
        assert log_probabilities.sum(-1).exp().sum(-1).tolist() == pytest.approx([1, 1], abs=1e-12)


def test_actions_are_drawn_as_often_as_their_probability_says():
    team, game = new_team(game_of("climbing"), 1, gain=2.0), game_of("climbing")
    joint = all_joint(team, game, 1)
    _, log_probabilities = play(team, same_order((1, 0), 1), given(joint), 9)
    actions, _ = play(team, same_order((1, 0), 1), drawn(noise(1, 20_000)[:, :, :2]), 20_000)
    which = (actions.argmax(-1) @ torch.tensor([3, 1]))[0]
    shares = torch.bincount(which, minlength=9) / 20_000
    assert shares.numpy() == pytest.approx(log_probabilities.sum(-1).exp()[0].detach().numpy(), abs=0.015)


def test_an_agent_sees_those_before_it_alone():
    team, orders = new_team(THREE, 1, gain=2.0), same_order((2, 0, 1), 1)
    joint = all_joint(team, THREE, 1)
    _, turn = play(team, orders, given(joint), 27)
    _, alone = play(team, orders, given(joint), 27, alone=True)
    values = {agent: len({round(value, 9) for value in turn[0, :, agent].tolist()}) for agent in range(3)}
    assert values == {2: 3, 0: 9, 1: 27}
    assert all(len({round(value, 9) for value in alone[0, :, agent].tolist()}) == 3 for agent in range(3))
    assert torch.equal(turn[..., 2], alone[..., 2]), "the first sees nobody in either case"


def test_each_team_of_a_batch_acts_in_its_own_order():
    team, gumbel = new_team(THREE, 2, gain=2.0), noise(2, 5)
    mixed, chances = play(team, torch.tensor([[0, 1, 2], [2, 1, 0]]), drawn(gumbel), 5)
    for seed, order in enumerate([(0, 1, 2), (2, 1, 0)]):
        same, expected = play(team, same_order(order, 2), drawn(gumbel), 5)
        assert torch.equal(mixed[seed], same[seed]) and torch.allclose(chances[seed], expected[seed], atol=1e-14)


def test_only_feedback_tells_an_agent_of_the_later_ones():
    team, orders, gumbel = new_team(THREE, 1, gain=2.0), same_order((0, 1, 2), 1), noise(1, 7)
    for feedback in (False, True):
        _, chances = play(team, orders, drawn(gumbel), 7, feedback=feedback)
        told = torch.autograd.grad(chances[..., 2].sum(), team.weights[0], allow_unused=True)
        assert any(part is not None and part.abs().max() > 0 for part in told) == feedback


def test_noise_that_leads_to_an_action_leads_to_it():
    team, orders = new_team(THREE, 1, gain=2.0), same_order((1, 2, 0), 1)
    joint, gumbel = all_joint(team, THREE, 1), noise(1, 27)
    actions, _ = play(team, orders, drawn_as(joint, gumbel), 27)
    assert torch.equal(actions, joint)
    actions, _ = play(team, orders, drawn(gumbel), 27)
    again, _ = play(team, orders, drawn_as(actions, gumbel), 27)
    assert torch.equal(actions, again)


def test_a_team_depends_on_its_seed_alone_and_is_paid_what_the_table_says():
    small, large = (new_team(THREE, seeds) for seeds in (2, 3))
    assert all(
        torch.equal(a, b[:2])
        for one, other in zip(small.weights, large.weights, strict=True)
        for a, b in zip(one, other, strict=True)
    )
    joint = all_joint(small, THREE, 2)
    assert paid(THREE, joint)[1].tolist() == THREE.payoff.ravel().tolist()
    assert set(greedy_return(small, THREE, (0, 1, 2))) <= {0.0, 1.0}


def test_agents_may_have_different_numbers_of_actions():
    game = game_of("", [[1, 0, 0], [0, 2, 0]])
    team = new_team(game, 3, gain=2.0)
    actions, chances = play(team, same_order((1, 0), 3), drawn(noise(3, 500)[:, :, :2]), 500)
    assert actions[:, :, 0, 2].sum() == 0 and actions[:, :, 1, 2].sum() > 0 and chances.isfinite().all()
