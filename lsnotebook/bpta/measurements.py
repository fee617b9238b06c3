"""What the chapter shows of a game, as data frames: how each way of learning ends, and agents in other orders."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lsnotebook.bpta.exact import greedy_return
from lsnotebook.bpta.games import GAMES, Game, game_of
from lsnotebook.bpta.training import EPOCHS, Learned, bidirectional, reinforce

WAYS = {
    "independent": "independent",
    "plain": "in turn",
    "feedback": "in turn, with feedback",
    "ppo": "PPO in turn",
    "bppo": "bidirectional PPO",
}
"""The ways of learning and their titles."""
RANDOM = "random"
"""Where agents were trained in orders drawn at random."""


def played(game: Game) -> list[Game]:
    """The reader's game, and all others of the chapter."""
    return [game, *(game_of(name) for name in GAMES if name != game.name)]


def learn(game: Game, way: str, order: Sequence[int], seeds: int, updates: int) -> Learned:
    """PPO takes `EPOCHS` steps an update, so that it has the fewer updates for as many steps."""
    if way in ("ppo", "bppo"):
        return bidirectional(game, order, seeds, max(1, updates // EPOCHS), feedback=way == "bppo")
    return reinforce(game, order, seeds, updates, feedback=way == "feedback", alone=way == "independent")


def outcomes(game: Game, order: Sequence[int], seeds: int, updates: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All ways of learning. One row for each way and seed: `greedy` return, whether it is `optimal`, and the first
    update that `reached` 80 % of the optimum on average, NaN where none did; and the curves: way, seed, update,
    return."""
    ends, curves = [], []
    for way in WAYS:
        learned = learn(game, way, order, seeds, updates)
        there = learned.curve >= game.goal
        reached = np.where(there.any(0), there.argmax(0), np.nan)
        row = {"game": game.name, "way": way, "seed": range(seeds), "greedy": learned.greedy, "reached": reached}
        ends.append(pd.DataFrame(row).assign(optimal=learned.greedy == game.optimum))
        wide = pd.DataFrame(learned.curve).rename_axis("update").rename_axis("seed", axis=1)
        curves.append(wide.stack().rename("return").reset_index().assign(game=game.name, way=way))
    return pd.concat(ends, ignore_index=True), pd.concat(curves, ignore_index=True)


def in_other_orders(game: Game, seeds: int, updates: int, feedback: bool) -> pd.DataFrame:
    """Agents trained in each order, and in orders drawn at random, run in each order, the most probable action taken:
    game, trained, run, seed, return."""
    rows = []
    for trained in [*game.orders(), None]:
        team = reinforce(game, trained, seeds, updates, feedback=feedback).team
        title = as_text(trained) if trained else RANDOM
        for run in game.orders():
            row = {"game": game.name, "trained": title, "run": as_text(run), "seed": range(seeds)}
            rows.append(pd.DataFrame({**row, "return": greedy_return(team, game, run)}))
    return pd.concat(rows, ignore_index=True)


def as_text(order: Sequence[int]) -> str:
    """An order of acting: "0→1"."""
    return "→".join(map(str, order))
