"""Three ways to learn in turn: REINFORCE without and with feedback, and the bidirectional PPO.

One update draws B joint actions of every seed. All randomness is of (seed, purpose): the same seed has the same first
weights and the same noise whatever the way of learning, so that two ways can be compared seed by seed.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lsnotebook.bpta.exact import expected_return, greedy_return, same_order
from lsnotebook.bpta.games import Game
from lsnotebook.bpta.policies import Team, drawn, new_team, paid, play, straight_through
from lsnotebook.core.randomness import stream

SAMPLES = 64
"""Joint actions an update and seed."""
LEARNING_RATE = 0.01
EPOCHS, CLIP = 5, 0.2
"""Of PPO: passes over the samples of an update, and how far a ratio of probabilities may go (the authors': 15, 0.2)."""


class Learned(NamedTuple):
    """Agents after training, and how they got there."""

    team: Team
    curve: np.ndarray
    """(updates + 1, S): the exact expected return before each update and after the last."""
    greedy: np.ndarray
    """(S,): what the agents get in the end, each taking its most probable action, in the order of training; of random
    orders, in sequence."""


def noise_of(game: Game, seeds: int, updates: int, purpose: str) -> Tensor:
    """Gumbel noise (updates, S, B, N, A); of a seed, the first updates are the same however many there are."""
    shape = (updates, SAMPLES, game.agents, max(game.payoff.shape))
    return torch.from_numpy(np.stack([stream(seed, purpose).gumbel(size=shape) for seed in range(seeds)], 1))


def random_orders(game: Game, seeds: int, updates: int) -> Tensor:
    """A new order for each update and seed: (updates, S, N)."""
    streams = [stream(seed, "order of acting") for seed in range(seeds)]
    agents = np.arange(game.agents)
    return torch.from_numpy(np.stack([one.permuted(np.tile(agents, (updates, 1)), axis=1) for one in streams], 1))


def advantages_of(payoffs: Tensor) -> Tensor:
    """Pay-offs (S, B) less their mean, in standard deviations, of each seed by itself."""
    return (payoffs - payoffs.mean(1, keepdim=True)) / (payoffs.std(1, keepdim=True) + 1e-5)


def reinforce(
    game: Game, order: Sequence[int] | None, seeds: int, updates: int, *, feedback: bool = False, alone: bool = False
) -> Learned:
    """Policy gradients in one `order` of acting, or with None in a new random one for each update and seed."""
    team, noise = new_team(game, seeds), noise_of(game, seeds, updates, "actions")
    fixed = same_order(order or range(game.agents), seeds)
    orders = random_orders(game, seeds, updates) if order is None else fixed.expand(updates, -1, -1)
    optimizer = torch.optim.Adam([each for agent in team.weights for each in agent], LEARNING_RATE)
    curve = []
    for acting, gumbel in zip(orders, noise, strict=True):
        curve.append(measured(team, game, fixed, alone))
        actions, log_probabilities = play(team, acting, drawn(gumbel), SAMPLES, feedback=feedback, alone=alone)
        advantages = advantages_of(paid(game, actions))
        optimizer.zero_grad()
        (-(advantages * log_probabilities.sum(-1)).mean(1).sum()).backward()
        optimizer.step()
    curve.append(measured(team, game, fixed, alone))
    return Learned(team, np.stack(curve), greedy_return(team, game, fixed[0].tolist(), alone))


def measured(team: Team, game: Game, orders: Tensor, alone: bool = False) -> np.ndarray:
    with torch.no_grad():
        return expected_return(team, game, orders, alone).numpy()


def bidirectional(game: Game, order: Sequence[int], seeds: int, updates: int, *, feedback: bool = True) -> Learned:
    """PPO for agents in turn, updated last first (the paper's BPPO); without feedback, its auto-regressive half.

    An agent's objective has the ratios of the agents updated before it as a factor. The feedback adds, for each agent
    that acts later, the gradient of its ratio with respect to this agent's action, times this action drawn anew.
    """
    team, orders = new_team(game, seeds), same_order(order, seeds)
    noise, fresh = (noise_of(game, seeds, updates, purpose) for purpose in ("actions", "actions drawn anew"))
    optimizers = [torch.optim.Adam(weights, LEARNING_RATE) for weights in team.weights]
    curve = []
    for gumbel, anew in zip(noise, fresh, strict=True):
        curve.append(measured(team, game, orders))
        with torch.no_grad():
            actions, before = play(team, orders, drawn(gumbel), SAMPLES)
        advantages, ratios = advantages_of(paid(game, actions)), torch.ones_like(before)  # (S, B), (S, B, N)
        slopes: dict[int, Tensor] = {}  # of an agent's ratio, by the actions that it saw: (S, B, N, A)
        for place in reversed(range(game.agents)):
            agent, later = order[place], order[place + 1 :]
            earlier = torch.tensor([[one in order[:place]] for one in range(game.agents)])  # (N, 1)
            seen = (actions * earlier).requires_grad_()
            factor, echo = near_one(ratios.prod(-1)), torch.zeros_like(actions[:, :, agent])
            for peer in later if feedback else ():
                others = near_one(ratios.index_fill(-1, torch.tensor([peer]), 1).prod(-1))
                echo = echo + slopes[peer][:, :, agent] * others[..., None]
            for epoch in range(EPOCHS + 1):
                logits = team.logits(orders[:, place], seen.flatten(2))
                chosen = (logits.log_softmax(-1) * actions[:, :, agent]).sum(-1)
                ratio = (chosen - before[:, :, agent]).exp()
                if epoch == EPOCHS:  # what those who act earlier are told
                    slopes[agent], ratios[..., agent] = torch.autograd.grad(ratio.sum(), seen)[0], ratio.detach()
                    break
                fed = (echo * straight_through(logits, anew[:, :, agent])).sum(-1)
                sides = [(one * factor + one.detach() * fed) * advantages for one in (ratio, clipped(ratio))]
                optimizers[agent].zero_grad()
                (-torch.minimum(*sides).mean(1).sum()).backward(inputs=team.weights[agent])
                optimizers[agent].step()
    curve.append(measured(team, game, orders))
    return Learned(team, np.stack(curve), greedy_return(team, game, order))


def clipped(ratio: Tensor, reach: float = CLIP) -> Tensor:
    return ratio.clamp(1 - reach, 1 + reach)


def near_one(ratio: Tensor) -> Tensor:
    """The factor of other agents is clipped at half the reach."""
    return clipped(ratio, CLIP / 2)
