"""What the abstract of *Backpropagation Through Agents* claims, as statements on matrix games; and what it claims that
no matrix game can tell.

A bound says what the words mean here. "More" and "better" are above 0; what may or may not happen to a team is a share
of seeds, above or below half of them.
"""

import numpy as np
import pandas as pd

from lsnotebook.bpta.games import title
from lsnotebook.bpta.shares import Share
from lsnotebook.pages.scoreboard import verdict, words
from lsnotebook.pages.statements import UNTOLD, Bounds, Claim, Statement, judged

PAGE = "13_agents"
ROUNDING = 1e-14
"""Relative errors up to this are those of double precision."""
MOSTLY = Bounds("more often than not: more than half", above=50)
RARELY = Bounds("“sub-optimal”: fewer than half of the seeds end in the optimum", below=50)
LACKS = Bounds("“does not take full advantage”: something is missing, more often than not", above=50)
SAVED = Bounds("“feedback” helps, “outperforms”: the words say which is better, not by how much", above=0)
OF_AUTHORS = ("climbing", "penalty")
"""The games that stand in the authors' code."""


def check(ends: pd.DataFrame, gradients: pd.DataFrame) -> pd.DataFrame:
    """The statements on `measurements.outcomes` and `exact.compared` of several games, as `judged` gives them."""
    games = list(ends["game"].unique())
    hard = [name for name in games if name.startswith(OF_AUTHORS)]
    claims = {
        "B1": (
            "Independent (fully decentralized) policies may end in a sub-optimal joint policy.",
            "table-ways",
            [optimal(ends, name, "independent", RARELY) for name in hard],
        ),
        "B2": (
            "Policies that act in turn (auto-regressive) can represent more joint policies: they find the optimum, and "
            "get more than independent ones.",
            "table-ways",
            [
                *(optimal(ends, name, "plain", MOSTLY) for name in games),
                *(more_than_independent(ends, name) for name in hard),
            ],
        ),
        "B3": (
            "Learning in turn without feedback does not take full advantage of the agents' dependency.",
            "table-exact",
            [lacking(gradients, name) for name in games],
        ),
        "B4": (
            "Feedback through the chain of actions makes agents learn better.",
            "table-saved",
            [saved(ends, name, "plain", "feedback") for name in games],
        ),
        "B5": (
            "The bidirectional PPO outperforms the PPO in turn.",
            "table-saved",
            [saved(ends, name, "ppo", "bppo") for name in games],
        ),
    }
    return judged({name: (Claim(text, PAGE, figure), parts) for name, (text, figure, parts) in claims.items()})


FEW = "too few seeds get there both ways, or all are there at once"


def of(ends: pd.DataFrame, game: str, way: str) -> pd.DataFrame:
    """The seeds of one way of learning in one game."""
    return ends[(ends["game"] == game) & (ends["way"] == way)].set_index("seed")


def optimal(ends: pd.DataFrame, game: str, way: str, bounds: Bounds) -> Statement:
    who = {"independent": "independent agents", "plain": "agents in turn"}[way]
    values = of(ends, game, way)["optimal"].to_numpy()
    return Share(f"seeds in which {who} end in the optimum, {title(game)}, %", values, bounds, over=("seeds",))


def more_than_independent(ends: pd.DataFrame, game: str) -> Statement:
    values = (of(ends, game, "plain")["greedy"] > of(ends, game, "independent")["greedy"]).to_numpy()
    quantity = f"seeds in which agents in turn get more than independent ones, {title(game)}, %"
    return Share(quantity, values, MOSTLY, over=("seeds",))


def lacking(gradients: pd.DataFrame, game: str) -> Statement:
    values = (gradients.loc[gradients["game"] == game, "error"] > ROUNDING).to_numpy()
    quantity = f"policies whose plain gradient lacks a part of the exact one, {title(game)}, %"
    return Share(quantity, values, LACKS, over=("random policies",))


def saved(ends: pd.DataFrame, game: str, without: str, way: str) -> Statement:
    """Paired by seed, of those in which both get there."""
    values = saving(ends, game, without, way)
    what = {"feedback": "by feedback", "bppo": "by the bidirectional PPO"}[way]
    return Statement(
        f"updates to 80\u00a0% of the optimum saved {what}, {title(game)}, %",
        values,
        SAVED,
        over=("seeds",),
        unmeasured=FEW,
    )


def saving(ends: pd.DataFrame, game: str, without: str, way: str) -> np.ndarray:
    """Updates saved in each seed, in % of the mean without; a NaN where fewer than two seeds get there both ways."""
    pairs = pd.concat([of(ends, game, each)["reached"] for each in (without, way)], axis=1, keys=["before", "after"])
    pairs = pairs.dropna()
    if len(pairs) < 2 or not pairs["before"].mean():
        return np.array([np.nan])
    return (100 * (pairs["before"] - pairs["after"]) / pairs["before"].mean()).to_numpy()


BEYOND = {
    "The bidirectional PPO outperforms the state of the art (MAPPO, HAPPO, MAT and others).": "Their results are on "
    "benchmarks that this book does not run; the page compares with the same PPO without feedback.",
    "It is effective in StarCraft II v2.": "The game's server is a download from its maker, and a training takes GPU "
    "hours on many cores.",
    "It is effective in Multi-agent MuJoCo.": "A physics simulator, continuous actions, and millions of steps for each "
    "of several seeds.",
    "It is effective in Google Research Football.": "The environment builds its own game engine, and a training takes "
    "tens of millions of steps.",
}
"""What the abstract claims and cannot be checked here, and why."""


def beyond() -> pd.DataFrame:
    """What cannot be checked here, for a table of the page; numbered on from the claims of `check`."""
    rows = [(words(claim) + verdict(UNTOLD), words(why)) for claim, why in BEYOND.items()]
    return pd.DataFrame(rows, [f"B{6 + k}" for k in range(len(rows))], ["claim", "why it cannot be checked here"])
