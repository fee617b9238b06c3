"""Statements of the form "this quantity lies above, below or between", each judged by an interval of the quantity.

A statement holds where its 95 % interval lies inside the bounds, does not hold where it lies outside, and cannot be
told otherwise. A claim is one or several statements.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from lsnotebook.core.statistics import interval

VERDICTS = HOLDS, FAILS, UNTOLD = "holds", "does not hold", "cannot tell"


@dataclass(frozen=True)
class Statement:
    """A quantity (in % or points) that should lie above `above` and below `below`."""

    quantity: str
    sample: np.ndarray
    """One value for each network, order or merged model; the interval is of their mean."""
    above: float = -np.inf
    below: float = np.inf
    paper: float | None = None
    """The same quantity from the paper's numbers, where it gives them."""

    @property
    def value(self) -> float:
        return float(np.mean(self.sample))

    @cached_property
    def interval(self) -> tuple[float, float]:
        """95 % by Student's t."""
        return interval(self.sample)

    @property
    def rule(self) -> str:
        if np.isfinite(self.above) and np.isfinite(self.below):
            bounds = f"between {self.above:.3g} and {self.below:.3g}"
        else:
            bounds = f"above {self.above:.3g}" if np.isfinite(self.above) else f"below {self.below:.3g}"
        return f"{self.quantity}: {bounds}"

    @property
    def verdict(self) -> str:
        low, high = self.interval
        if low > self.above and high < self.below:
            return HOLDS
        return FAILS if high <= self.above or low >= self.below else UNTOLD


@dataclass(frozen=True)
class Claim:
    """What a paper says, and where the book looks at it."""

    text: str
    page: str
    """The name of the page, without an ending."""


def judged(claims: Mapping[str, tuple[Claim, Sequence[Statement]]]) -> pd.DataFrame:
    """One row for each statement of each claim: id, claim, rule, paper, build, low, high, verdict, page."""
    rows = [
        {
            "id": name,
            "claim": claim.text,
            "rule": statement.rule,
            "paper": statement.paper,
            "build": statement.value,
            "low": statement.interval[0],
            "high": statement.interval[1],
            "verdict": statement.verdict,
            "page": claim.page,
        }
        for name, (claim, statements) in claims.items()
        for statement in statements
    ]
    return pd.DataFrame(rows)
