"""Agents that choose one after another, each seeing the actions of those before it.

Each agent is a network with one hidden layer, as wide as the authors', from the one-hot actions of all agents to its
logits; an agent that has not acted yet shows zeros. So it needs no other word of the order: it sees who has acted, and
an agent trained in one order gives an answer in every other. All tensors carry a batch of S seeds in front: S teams
that know nothing of each other.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lsnotebook.bpta.games import Game
from lsnotebook.core.randomness import stream

HIDDEN = 64
"""As in the authors' code, and so is the gain of the last layer's first weights."""
GAIN = 0.01
NEVER = -1e9
"""The logit of an action that an agent does not have, where others have more."""

Chooser = Callable[[Tensor, Tensor], Tensor]
"""From who acts in each team, (S,), and the logits (S, B, A), to the one-hot actions (S, B, A)."""


class Team(NamedTuple):
    """The agents of S seeds: for each agent its weights, [(S, N A, H), (S, 1, H), (S, H, A), (S, 1, A)]."""

    weights: list[list[Tensor]]
    exists: Tensor
    """(N, A): which actions an agent has."""

    def logits(self, who: Tensor, seen: Tensor) -> Tensor:
        """Of the agents `who` (S,), one in each team, that see `seen` (S, B, N A): (S, B, A)."""
        teams = torch.arange(len(who))
        first, bias, last, own = (torch.stack(each)[who, teams] for each in zip(*self.weights, strict=True))
        logits = torch.baddbmm(own, torch.tanh(torch.baddbmm(bias, seen, first)), last)
        return logits.masked_fill(~self.exists[who][:, None], NEVER)


def new_team(game: Game, seeds: int, gain: float = GAIN) -> Team:
    """S teams with random first weights, each from its own seed; `gain` is the standard deviation of a first logit."""
    agents, actions = game.agents, max(game.payoff.shape)
    weights = []
    for agent in range(agents):
        streams = [stream(seed, f"first weights of agent {agent}") for seed in range(seeds)]
        first = np.stack([one.normal(0, 1, (agents * actions, HIDDEN)) for one in streams])
        last = np.stack([one.normal(0, gain / np.sqrt(HIDDEN), (HIDDEN, actions)) for one in streams])
        own = np.stack([one.normal(0, gain, (1, actions)) for one in streams])
        each = (first, np.zeros((seeds, 1, HIDDEN)), last, own)
        weights.append([torch.from_numpy(one).requires_grad_() for one in each])
    exists = torch.tensor([[action < size for action in range(actions)] for size in game.payoff.shape])
    return Team(weights, exists)


def play(
    team: Team, orders: Tensor, choose: Chooser, batch: int, *, feedback: bool = False, alone: bool = False
) -> tuple[Tensor, Tensor]:
    """Let S teams act B times in their `orders` (S, N). Returns the actions (S, B, N, A), one-hot, and their
    log-probabilities (S, B, N), both by agent. `alone`: no agent sees another (independent learners).
    """
    seeds, agents = orders.shape
    actions = torch.zeros(seeds, batch, agents, team.exists.shape[1], dtype=torch.float64)
    seen, log_probabilities = actions, torch.zeros(seeds, batch, agents, dtype=torch.float64)
    for who in orders.T:  # (S,): who acts next in each team
        place = functional.one_hot(who, agents)[:, None].double()  # (S, 1, N)
        logits = team.logits(who, seen.flatten(2))
        action = choose(who, logits)
        chosen = (logits.log_softmax(-1) * action.detach()).sum(-1)
        log_probabilities = log_probabilities + place * chosen[..., None]
        actions = actions + place[..., None] * action.detach()[:, :, None]
        shown = action if feedback else action.detach()  # BPTA in one line: do not detach the action
        if not alone:
            seen = seen + place[..., None] * shown[:, :, None]
    return actions, log_probabilities


def straight_through(logits: Tensor, gumbel: Tensor) -> Tensor:
    """Actions drawn with Gumbel noise, one-hot going forward, a softmax (temperature 1) going backward."""
    soft = (logits + gumbel).softmax(-1)
    hard = functional.one_hot(soft.argmax(-1), soft.shape[-1]).double()
    return hard + (soft - soft.detach())  # whose sum is exactly 0


def drawn(noise: Tensor) -> Chooser:
    """Draw the actions, with Gumbel noise (S, B, N, A) of each agent."""
    return lambda who, logits: straight_through(logits, noise[torch.arange(len(who)), :, who])


def given(actions: Tensor) -> Chooser:
    """Take the actions (S, B, N, A), whatever the logits."""
    return lambda who, logits: actions[torch.arange(len(who)), :, who]


def drawn_as(actions: Tensor, noise: Tensor) -> Chooser:
    """Take the actions (S, B, N, A) with Gumbel noise that would have drawn them: the noise that is given, truncated
    (Maddison et al., A* Sampling, 2014)."""

    def choose(who: Tensor, logits: Tensor) -> Tensor:
        action = given(actions)(who, logits)
        free, fixed = noise[torch.arange(len(who)), :, who], logits.detach()
        highest = (free * action).sum(-1, keepdim=True) + fixed.logsumexp(-1, keepdim=True)
        below = -torch.logaddexp(-highest, -(fixed + free))
        return straight_through(logits, torch.where(action > 0, highest, below) - fixed)

    return choose


def greedy(who: Tensor, logits: Tensor) -> Tensor:
    """Take the most probable action."""
    return functional.one_hot(logits.argmax(-1), logits.shape[-1]).double()


def paid(game: Game, actions: Tensor) -> Tensor:
    """What the one-hot actions (S, B, N, A) are paid: (S, B)."""
    return torch.from_numpy(game.payoff)[tuple(actions.argmax(-1).unbind(-1))]
