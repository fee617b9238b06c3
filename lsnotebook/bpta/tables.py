"""The chapter's tables and the sentences that say what they say."""

import json
import platform
from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch

from lsnotebook.bpta.claims import ROUNDING, saving
from lsnotebook.bpta.games import Game, title
from lsnotebook.bpta.measurements import RANDOM, WAYS
from lsnotebook.bpta.shares import wilson
from lsnotebook.bpta.training import CLIP, EPOCHS, LEARNING_RATE, SAMPLES
from lsnotebook.core.statistics import crossed
from lsnotebook.pages.tables import adding_up, as_text, some


def origin(given: Mapping[str, object]) -> str:
    """What made the page, and the command for it."""
    return (
        f"{given['seeds']} seeds from 0, {given['updates']} updates, in double precision on a CPU "
        f"({platform.machine()}, torch {torch.__version__}). Again: papermill 13_agents.ipynb out.ipynb "
        f"-y '{json.dumps(given)}'"
    )


def settings(seeds: int, updates: int) -> str:
    """How everything here was trained, in a sentence or two."""
    few = max(1, updates // EPOCHS)
    return (
        f"Everything below: {seeds} seeds, side by side in one batched tensor; {updates} updates of {SAMPLES} joint "
        f"actions each; Adam with a learning rate of {LEARNING_RATE:g}. PPO goes {EPOCHS} times over the joint actions "
        f"of an update and has {few} update{'s' * (few > 1)}, {few * EPOCHS} steps in all; its clip is {CLIP:g}. "
        "A seed has the same first weights and the same noise in every way of learning, so that these are compared "
        "seed by seed."
    )


def payoffs(game: Game) -> pd.DataFrame:
    """What the agents are paid: a row for each action of agent 0, a column for each of the others' actions."""
    columns = [" ".join(map(str, others)) for others in np.ndindex(game.payoff.shape[1:])]
    others = f"agent{'s' * (game.agents > 2)} {', '.join(map(str, range(1, game.agents)))}"
    flat = pd.DataFrame(
        game.payoff.reshape(len(game.payoff), -1), columns=pd.MultiIndex.from_product([[others], columns])
    )
    return flat.set_axis([f"agent 0: {action}" for action in range(len(flat))])


def ways(ends: pd.DataFrame) -> pd.DataFrame:
    """For each game and way of learning: the mean greedy return, the share of optimal seeds with Wilson's interval, the
    updates to 80 % of the optimum over the seeds that get there, and how many these are."""
    rows = {}
    for (game, way), group in ends.groupby(["game", "way"], sort=False):
        reached = group["reached"].dropna()
        rows[title(game), WAYS[way]] = {
            "greedy return": as_text(*crossed(group["greedy"].to_numpy())),
            "optimal seeds, %": as_text(*wilson(group["optimal"].to_numpy()), decimals=0),
            "updates to 80\u00a0%": as_text(*crossed(reached.to_numpy())) if len(reached) else "–",
            "seeds that get there": f"{len(reached)} of {len(group)}",
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def saved(ends: pd.DataFrame) -> pd.DataFrame:
    """Updates that the feedback saves, in %, paired by seed: for REINFORCE and for PPO."""
    pairs = {"REINFORCE": ("plain", "feedback"), "PPO": ("ppo", "bppo")}
    return pd.DataFrame(
        {
            name: {title(game): as_text(*crossed(saving(ends, game, *pair))) for game in ends["game"].unique()}
            for name, pair in pairs.items()
        }
    )


def exact(gradients: pd.DataFrame) -> pd.DataFrame:
    """For each game: the largest relative error of the plain gradient, and what the feedback adds to it."""
    rows = {}
    for game, group in gradients.groupby("game", sort=False):
        low, middle, high = np.percentile(group["share"], (25, 50, 75))
        rows[title(game)] = {
            "plain: largest relative error": scientific(group["error"].max()),
            "feedback adds, % (quartiles)": as_text(100 * middle, 100 * low, 100 * high, decimals=0),
            "median cosine to the exact": f"{group['cosine'].median():.3f}",
            "turned by over 90°, %": as_text(*wilson(group["cosine"].to_numpy() < 0), decimals=0),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def scientific(value: float) -> str:
    """A power of ten with one digit: "7 · 10⁻¹⁶"."""
    digit, _, power = f"{value:.0e}".partition("e")
    return f"{digit} · 10{str(int(power)).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}" if value else "0"


def told_exact(gradients: pd.DataFrame) -> str:
    """Whether the plain gradient is the exact one, in a sentence."""
    worst, medians = gradients["error"].max(), 100 * gradients.groupby("game")["share"].median()
    is_exact = "is" if worst <= ROUNDING else "is **not**"
    return (
        f"The plain gradient {is_exact} the exact one up to rounding: over {len(gradients)} policies the largest "
        f"relative error is {scientific(worst)}. The pay-off that weights the leader's own score is already that "
        f"of the followers' reaction. The feedback comes on top of it, {medians.min():.0f} to "
        f"{medians.max():.0f}\u00a0% of its length (the games' medians)."
    )


def told_saved(ends: pd.DataFrame) -> str:
    """In how many games the feedback saves updates, costs some, or neither, and why, in a sentence."""
    parts = []
    for name, pair in (("REINFORCE", ("plain", "feedback")), ("PPO", ("ppo", "bppo"))):
        found = [crossed(saving(ends, game, *pair)) for game in ends["game"].unique()]
        counts = {
            "the interval holds 0": sum(one.low <= 0 <= one.high for one in found),
            "all seeds are equal": sum(np.isfinite(one.mean) and np.isnan(one.low) for one in found),
            "too few seeds get there to tell": sum(np.isnan(one.mean) for one in found),
        }
        others = [f"in {count} {what}" for what, count in counts.items() if count]
        better, worse = sum(one.low > 0 for one in found), sum(one.high < 0 for one in found)
        how = f"saves updates in {better} of {len(found)} games", f"costs some in {worse}", *others
        parts.append(f"with {name} the feedback {some(how)}")
    return f"{parts[0][0].upper()}{parts[0][1:]}; {parts[1]}."


def told_orders(frame: pd.DataFrame) -> str:
    """What another order costs, and agents of random orders, as a list with an item for each game."""
    fixed = frame[frame["trained"] != RANDOM]
    lines = []
    for game, group in fixed.groupby("game", sort=False):
        same = group["trained"] == group["run"]
        drawn = frame[(frame["game"] == game) & (frame["trained"] == RANDOM)]
        own, other, any_order = (
            as_text(*crossed(part.groupby("seed")["return"].mean().to_numpy()))
            for part in (group[same], group[~same], drawn)
        )
        lines.append(
            f"- {title(game)}: {own} in the order of training, {other} in the others; trained in random "
            f"orders {any_order}."
        )
    return "\n".join(["Greedy return, mean over the seeds with its 95\u00a0% interval:", "", *lines])


def told_first(frame: pd.DataFrame) -> str:
    """Whether it matters more who acts first than in which order the others follow, in a sentence for each game of
    three agents."""
    lines = []
    for game, group in frame[frame["trained"].str.count("→") > 1].groupby("game", sort=False):
        other = group[group["trained"] != group["run"]]
        stays = other["trained"].str[0] == other["run"].str[0]
        same, new = (part.groupby("seed")["return"].mean() for part in (other[stays], other[~stays]))
        more = crossed((same - new).to_numpy())
        sign = "more than" if more.low > 0 else "less than" if more.high < 0 else "neither clearly more nor less than"
        digits = adding_up(same.mean(), new.mean())
        first, others, by = (
            as_text(*one, decimals=digits) for one in (crossed(same.to_numpy()), crossed(new.to_numpy()), more)
        )
        lines.append(
            f"In {title(game)}, another order with the same agent first leaves {first}, one with another agent first "
            f"{others}. Who acts first matters {sign} the order of those who follow: the difference, paired by seed, "
            f"is {by}."
        )
    return " ".join(lines)


def to_take_away(ends: pd.DataFrame, orders: pd.DataFrame, gradients: pd.DataFrame) -> str:
    """The chapter's answers, from `measurements.outcomes`, `in_other_orders` and `exact.compared` of several games."""
    games, less, random_less = ends["game"].unique(), 0, 0
    for _, group in orders.groupby("game", sort=False):
        drawn = group["trained"] == RANDOM
        parts = (
            group[group["trained"] == group["run"]],
            group[~drawn & (group["trained"] != group["run"])],
            group[drawn],
        )
        own, other, random = (part.groupby("seed")["return"].mean() for part in parts)
        less += surely_positive(own - other)
        random_less += surely_positive(own - random)
    found = {
        way: sum(wilson(group["optimal"].to_numpy()).low > 50 for _, group in ends[ends["way"] == way].groupby("game"))
        for way in ("plain", "independent")
    }
    lacks = "up to rounding, nothing" if gradients["error"].max() <= ROUNDING else "more than rounding"
    answers = (
        f"**What does another order cost?** Run in another order than that of their training, agents get less in "
        f"{less} of {len(games)} games; trained in random orders, they get less than in an order of their own in "
        f"{random_less} (95\u00a0% intervals over the seeds).",
        f"**How far do agents get that see each other?** More than half of the teams find the optimum in "
        f"{found['plain']} of {len(games)} games where agents act in turn, in {found['independent']} where they are "
        "independent.",
        f"**What does feedback add?** {told_saved(ends)}",
        f"**What does the gradient lack without it?** {lacks[0].upper()}{lacks[1:]}.",
    )
    return "\n".join(f"- {answer}" for answer in answers)


def surely_positive(differences: pd.Series) -> bool:
    """Whether the interval over the seeds lies above 0, or all seeds agree on one value above it."""
    found = crossed(differences.to_numpy())
    return bool(found.low > 0 or (np.isnan(found.low) and found.mean > 0))
