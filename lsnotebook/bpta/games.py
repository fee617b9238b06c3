"""Cooperative matrix games: every agent chooses one action, and all are paid the same entry of one table.

Climbing and penalty are those of the authors' public code (LiZhYun/BackPropagationThroughAgents,
bta/envs/matrix/matrix_env.py); the permutation game is that of Fu et al. (2022), the non-monotonic one of QTRAN (Son et
al., 2019).
"""

import math
import re
from collections.abc import Sequence
from itertools import permutations, product
from typing import NamedTuple

import numpy as np

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.core.orders import Order

AGENTS, ACTIONS = range(2, 4), range(2, 7)
"""How many a game can have; an agent has as many actions as its axis of the pay-offs is long."""
LARGEST = 1_000_000
"""What a pay-off is at most, above 0 and below."""
ROWS = (
    f"give rows of numbers of equal length, such as [[10, 0], [0, 2]], for {AGENTS[0]} to {AGENTS[-1]} agents (one "
    f"more level of lists for each) of {ACTIONS[0]} to {ACTIONS[-1]} actions"
)
CLIMBING = [[0, 6, 5], [-30, 7, 0], [11, -30, 0]]
NON_MONOTONIC = [[8, -12, -12], [-12, 0, 0], [-12, 0, 0]]
GAMES = ("climbing", "penalty_30", "non-monotonic", "permutation_2", "permutation_3")
"""What the page plays: the last of them with three agents."""


OWN = "your own"
"""The name of the reader's game."""


class GameError(LsnotebookError, ValueError):
    """A game that there is not, pay-offs that are no matrix, or an order that is none of its agents."""


class Game(NamedTuple):
    """Who plays for what."""

    name: str
    payoff: np.ndarray
    """(actions of agent 0, actions of agent 1, ...): what all agents get."""

    @property
    def title(self) -> str:
        """What pages call it."""
        return title(self.name)

    @property
    def agents(self) -> int:
        return self.payoff.ndim

    @property
    def optimum(self) -> float:
        return float(self.payoff.max())

    @property
    def goal(self) -> float:
        """80 % of the optimum; below an optimum that is not positive by a fifth of it, or of what choosing blindly
        falls short of it."""
        return self.optimum - 0.2 * (abs(self.optimum) or self.optimum - float(self.payoff.mean()))

    def joint_actions(self) -> np.ndarray:
        """All of them, (their number, agents), in the order of `payoff.ravel()`."""
        return np.array(list(product(*map(range, self.payoff.shape))))

    def orders(self) -> list[Order]:
        """All in which its agents can act."""
        return list(permutations(range(self.agents)))


def title(name: str) -> str:
    """What pages call the game of that name: "penalty (k = 30)"."""
    kind, _, number = name.partition("_")
    known = {"penalty": f"penalty (k = {number})", "permutation": f"permutation ({number} agents)"}
    return known.get(kind, "your own game" if name == OWN else name).replace(" = ", "\u00a0=\u00a0")


def game_of(name: object, payoff: Sequence = ()) -> Game:
    """The game of that name, or of the reader's own pay-offs where there are any. Raises `GameError`."""
    if len(payoff):
        return Game(OWN, payoff_of(payoff))
    if name == "climbing":
        return Game(name, np.array(CLIMBING, float))
    if name == "non-monotonic":
        return Game(name, np.array(NON_MONOTONIC, float))
    kind, _, number = str(name).partition("_")
    if kind == "penalty" and re.fullmatch(r"\d{1,4}", number):
        return Game(str(name), np.array([[-int(number), 0, 10], [0, 2, 0], [10, 0, -int(number)]], float))
    if kind == "permutation" and number in map(str, AGENTS):
        paid = np.zeros([int(number)] * int(number))
        paid[tuple(np.array(list(permutations(range(int(number))))).T)] = 1
        return Game(str(name), paid)
    raise GameError(
        f"There is no game {name!r}: take climbing, non-monotonic, penalty_k with a whole number k such as penalty_30, "
        f"or permutation_n with {AGENTS[0]} to {AGENTS[-1]} agents."
    )


def checked_name(name: object) -> str:
    """The name of a game that there is, for the check of a page's parameters; raises `GameError`."""
    return game_of(name).name


def checked_payoff(payoff: object) -> list:
    """Pay-offs as nested lists, likewise; an empty list stands for those of the game."""
    return [] if payoff == [] else payoff_of(payoff).tolist()


def checked_order(order: object) -> list:
    """An order as a list, likewise; whether it is one of a game's agents, `order_of` says."""
    if not isinstance(order, list | tuple):
        raise GameError(f"The order {order!r} is no list of agents: give one such as [1, 0], or [] for their sequence.")
    return list(order)


def payoff_of(value: object) -> np.ndarray:
    """Nested lists as a table of pay-offs, one axis an agent; raises `GameError`."""
    try:
        payoff = np.array(value, dtype=float)
    except OverflowError:
        payoff = np.full((2, 2), np.inf)
    except (TypeError, ValueError):
        payoff = np.empty(0)
    if payoff.ndim not in AGENTS:
        raise GameError(f"The pay-offs {value!r} are no matrix: {ROWS}.")
    if few_or_many := [size for size in payoff.shape if size not in ACTIONS]:
        actions = f"{few_or_many[0]} action{'s' * (few_or_many[0] != 1)}"
        raise GameError(f"In the pay-offs {value!r} an agent has {actions}: {ROWS}.")
    if not (np.abs(payoff) <= LARGEST).all():  # a NaN is not, either
        raise GameError(f"The pay-offs hold what is no number from {-LARGEST:,} to {LARGEST:,}: give such numbers.")
    if np.ptp(payoff) == 0:
        raise GameError(f"The pay-offs are all {payoff.flat[0]:g}, so there is nothing to learn: let one be higher.")
    return payoff


def order_of(order: Sequence, game: Game) -> Order:
    """The order in which all agents of a game act, in sequence where none is given; raises `GameError`."""
    agents = tuple(range(game.agents))
    if len(order) == 0:
        return agents
    if any(isinstance(agent, bool) or not isinstance(agent, int) for agent in order) or tuple(sorted(order)) != agents:
        raise GameError(
            f"The order {list(order)!r} is no permutation of the agents of {game.title}: name each of "
            f"{', '.join(map(str, agents))} once, such as {list(reversed(agents))}; there are "
            f"{math.factorial(game.agents)}."
        )
    return tuple(order)
