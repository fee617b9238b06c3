"""A matrix game is small enough to enumerate: exact returns and gradients, without a single sample."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from lsnotebook.bpta.games import Game
from lsnotebook.bpta.policies import Team, drawn_as, given, greedy, new_team, paid, play
from lsnotebook.core.randomness import stream


def same_order(order: Sequence[int], seeds: int) -> Tensor:
    """The same for all teams: (S, N)."""
    return torch.tensor(order).expand(seeds, -1)


def seeds_of(team: Team) -> int:
    return len(team.weights[0][0])


def greedy_return(team: Team, game: Game, order: Sequence[int], alone: bool = False) -> np.ndarray:
    """What each team gets, (S,), where every agent takes its most probable action."""
    with torch.no_grad():
        actions, _ = play(team, same_order(order, seeds_of(team)), greedy, 1, alone=alone)
    return paid(game, actions)[:, 0].numpy()


def all_joint(team: Team, game: Game, seeds: int) -> Tensor:
    """All J joint actions, one-hot: (S, J, N, A)."""
    joint = functional.one_hot(torch.from_numpy(game.joint_actions()), team.exists.shape[1]).double()
    return joint.expand(seeds, *joint.shape)


def expected_return(team: Team, game: Game, orders: Tensor, alone: bool = False) -> Tensor:
    """The mean pay-off, (S,), over all joint actions: its gradient is the exact policy gradient."""
    joint = all_joint(team, game, len(orders))
    _, log_probabilities = play(team, orders, given(joint), joint.shape[1], alone=alone)
    return (log_probabilities.exp().prod(-1) * paid(game, joint)).sum(-1)


def policy_gradient(team: Team, game: Game, orders: Tensor, noise: Tensor | None = None) -> Tensor:
    """The surrogate (S,) whose gradient is what a policy gradient is on average over all joint actions: the scores of
    the agents' own actions times the pay-off, with no gradient through what the others see. With Gumbel noise
    (S, K, N, A) there is one: the feedback, as the mean over K draws of the noise that leads to each joint action."""
    joint = all_joint(team, game, len(orders))
    if noise is None:
        choose = given(joint)
    else:  # all joint actions under the same noise
        count, draws = joint.shape[1], noise.shape[1]
        joint, noise = joint.repeat_interleave(draws, 1), noise.repeat(1, count, 1, 1)
        choose = drawn_as(joint, noise)
    _, log_probabilities = play(team, orders, choose, joint.shape[1], feedback=noise is not None)
    scores = log_probabilities.sum(-1)
    return (scores.exp().detach() * paid(game, joint) * scores).sum(-1) / (1 if noise is None else draws)


def gradient(team: Team, surrogate: Tensor, agent: int) -> Tensor:
    """With respect to the weights of one agent: (S, all of them)."""
    parts = torch.autograd.grad(surrogate.sum(), team.weights[agent], retain_graph=True)
    return torch.cat([part.flatten(1) for part in parts], 1)


def compared(
    game: Game, order: Sequence[int], policies: int = 100, draws: int = 32, scale: float = 2.0
) -> pd.DataFrame:
    """The gradient of the agent that acts first, at random policies (logits of standard deviation `scale`), a row each:
    `error`, how far the plain gradient is from the exact one, relative to the mean length of these (an exact gradient
    that nearly vanishes is itself mostly rounding); the `share` that the feedback adds, of the length of the exact one;
    the `cosine` between the gradient with feedback and the exact one."""
    team, orders, leader = new_team(game, policies, scale), same_order(order, policies), order[0]
    shape = (draws, game.agents, team.exists.shape[1])
    noise = torch.from_numpy(
        np.stack([stream(seed, "noise of the feedback").gumbel(size=shape) for seed in range(policies)])
    )
    exact, plain, fed = (
        gradient(team, surrogate, leader)
        for surrogate in (
            expected_return(team, game, orders),
            policy_gradient(team, game, orders),
            policy_gradient(team, game, orders, noise),
        )
    )
    length = exact.norm(dim=1)
    return pd.DataFrame(
        {
            "error": (plain - exact).norm(dim=1) / length.mean(),
            "share": (fed - exact).norm(dim=1) / length,
            "cosine": functional.cosine_similarity(fed, exact),
        }
    )
