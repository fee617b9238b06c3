"""What ROAM's abstract claims, as statements; and one question of this book, R2.

A value is the mean of a network over the batch sizes 1 and 32, which are the authors' choice and no sample. The bounds
are the abstract's words (a saving is above zero) and half of its number; they were set when our planner had been run on
three of the six networks.

Planning times are compared as ratios, on the log scale: a ratio is positive and skewed, and whether one planner is ten
times as fast as the other must not depend on which of them is divided by which.
"""

from functools import cached_property

import numpy as np
import pandas as pd
from scipy.stats import gmean

from lsnotebook.core.statistics import Estimate, crossed
from lsnotebook.pages.statements import Bounds, Claim, Statement, judged
from lsnotebook.roam import authors

OVER = ("networks, each at batch sizes 1 and 32",)
SAVES = Bounds("the abstract: a reduction of memory", above=0)
QUICKER = Bounds("the abstract: a speed-up", above=1)
HALF = Bounds("half of what the abstract says", above=authors.abstract()["PyTorch"] / 2)
NOT_RUN = np.array([np.nan])
GUROBI = "cannot be checked here: MODeL takes Gurobi, a solver that is sold, and up to an hour for each network"
CLAIMS = {
    "R1": ("ROAM needs less memory than PyTorch, 35.7\u00a0% on average.", "table-abstract"),
    "R2": ("Our question: most of these 35.7\u00a0% are the order's doing, not the allocator's.", "table-abstract"),
    "R3": ("ROAM needs less memory than heuristics, 13.3\u00a0% on average.", "table-beside"),
    "R4": ("ROAM needs less memory than MODeL, 27.2\u00a0% on average.", "table-abstract"),
    "R5": ("ROAM plans 53.7 times as fast as MODeL.", "table-abstract"),
}
"""Each claim, and the table of the page that shows its quantity."""


class Times(Statement):
    """A statement on a geometric mean of ratios, (rows,), with its interval on the log scale."""

    @cached_property
    def estimate(self) -> Estimate:
        return Estimate(*np.exp(crossed(np.log(self.values))).tolist())


def theirs(compared: str) -> np.ndarray:
    """What ROAM saves in the authors' tables, in %."""
    return 100 * authors.saved(compared).mean(axis=1).to_numpy()


def ours(table: pd.DataFrame, before: str) -> np.ndarray:
    """What the best order and layout save of a column of `tables.on_authors_networks`, in %."""
    return 100 * (1 - table["best"] / table[before]).unstack().mean(axis=1).to_numpy()


def check(table: pd.DataFrame) -> pd.DataFrame:
    """The statements, from `tables.on_authors_networks`, as `pages.statements.judged` gives them."""
    whole, said, times = "PyTorch without fragmentation", authors.abstract(), gmean(authors.quicker(), axis=1)
    build = "saved by the best order and layout, this build, against"

    def stated(quantity: str, values: np.ndarray, bounds: Bounds, paper: float | None = None) -> Statement:
        return Statement(quantity, values, bounds, paper, OVER, unmeasured=GUROBI)

    def quicker(quantity: str, values: np.ndarray) -> Statement:
        return Times(quantity, values, QUICKER, said["planning"], OVER, unmeasured=GUROBI)

    statements = {
        "R1": [
            stated("saved against PyTorch, authors' tables, %", theirs("PyTorch"), SAVES, said["PyTorch"]),
            stated(f"{build} the program's order placed as it comes, %", ours(table, "program_fit"), SAVES,
                   said["PyTorch"]),
        ],
        "R2": [
            stated(f"saved against {whole}, authors' tables, %", theirs(whole), HALF),
            stated(f"{build} the program's order without fragmentation, %", ours(table, "program"), HALF),
        ],
        "R3": [
            stated("saved against heuristics, authors' tables, %", theirs("heuristics"), SAVES, said["heuristics"]),
            stated(f"{build} LESCEA's order, longest-lived first, %", ours(table, "heuristics"), SAVES,
                   said["heuristics"]),
        ],
        "R4": [
            stated("saved against MODeL, authors' tables, %", theirs("MODeL"), SAVES, said["MODeL"]),
            stated("saved against MODeL, this build, %", NOT_RUN, SAVES, said["MODeL"]),
        ],
        "R5": [
            quicker("MODeL's planning time over ROAM's, authors' tables, geometric mean, times", times),
            quicker("MODeL's planning time over ours, geometric mean, times", NOT_RUN),
        ],
    }  # fmt: skip
    return judged({name: (Claim(text, "14_operators", at), statements[name]) for name, (text, at) in CLAIMS.items()})
