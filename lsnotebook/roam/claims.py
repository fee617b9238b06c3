"""What ROAM's abstract claims, as statements. The bounds: "reduces memory" is a mean saving above zero.

Savings are in %; one row for each network and one column for each batch size.
"""

import numpy as np
import pandas as pd

from lsnotebook.pages.statements import Bounds, Claim, Statement, judged
from lsnotebook.roam import authors

PAGE = "14_operators"
OVER = "networks", "batch sizes"
SAVES = Bounds("the abstract: a reduction of memory", above=0)
HALF = Bounds("half of the abstract's 35.7 %: most of the saving is not the allocator's", above=35.7 / 2)


def ours(table: pd.DataFrame, before: str, after: str) -> np.ndarray:
    """What `after` saves of `before`, two columns of `tables.on_authors_networks`."""
    return (100 * (1 - table[after] / table[before])).unstack().to_numpy()


def check(table: pd.DataFrame) -> pd.DataFrame:
    """The statements, from `tables.on_authors_networks`, as `pages.statements.judged` gives them."""
    theirs = {name: 100 * authors.saved(name).to_numpy() for name in authors.COMPARED}
    nothing = np.array([np.nan])
    return judged(
        {
            "R1": (
                Claim("ROAM needs less memory than PyTorch, 35.7 % on average.", PAGE, "table-abstract"),
                [
                    Statement("saved against PyTorch, authors' tables, %", theirs["PyTorch"], SAVES, 35.7, OVER),
                    Statement(
                        "saved by the best order and layout against the program's order placed as it comes, this "
                        "build, %",
                        ours(table, "program_fit", "best"),
                        SAVES,
                        over=OVER,
                    ),
                ],
            ),
            "R2": (
                Claim("Most of these 35.7 % are the order's, not the allocator's.", PAGE, "table-abstract"),
                [
                    Statement(
                        "saved against PyTorch without fragmentation, authors' tables, %",
                        theirs["PyTorch without fragmentation"],
                        HALF,
                        over=OVER,
                    ),
                    Statement(
                        "saved by the best order and layout against the program's order without fragmentation, this "
                        "build, %",
                        ours(table, "program", "best"),
                        HALF,
                        over=OVER,
                    ),
                ],
            ),
            "R3": (
                Claim("ROAM needs less memory than heuristics, 13.3 % on average.", PAGE, "table-beside"),
                [
                    Statement(
                        "saved against LESCEA and LLFB, authors' tables, %", theirs["heuristics"], SAVES, 13.3, OVER
                    ),
                    Statement(
                        "saved by the best order and layout against LESCEA, longest-lived first, this build, %",
                        ours(table, "heuristics", "best"),
                        SAVES,
                        over=OVER,
                    ),
                ],
            ),
            "R4": (
                Claim("ROAM needs less memory than MODeL, 27.2 % on average.", PAGE, "table-abstract"),
                [
                    Statement("saved against MODeL, authors' tables, %", theirs["MODeL"], SAVES, 27.2, OVER),
                    Statement(
                        "saved against MODeL, this build (not run: it takes Gurobi and an hour for each network), %",
                        nothing,
                        SAVES,
                    ),
                ],
            ),
            "R5": (
                Claim("ROAM plans 53.7 times as fast as MODeL.", PAGE, "table-abstract"),
                [
                    Statement(
                        "MODeL's planning time over ROAM's, authors' tables, times",
                        authors.quicker().to_numpy(),
                        Bounds("the abstract: a speed-up", above=1),
                        53.7,
                        OVER,
                    ),
                    Statement(
                        "MODeL's planning time over ROAM's, this build (not run, as above), times",
                        nothing,
                        Bounds("the abstract: a speed-up", above=1),
                    ),
                ],
            ),
        }
    )
