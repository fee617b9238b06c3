"""Statements of the form "this quantity lies above, below or between", each judged by an interval of the quantity.

A statement holds where its 95 % interval lies inside the bounds, does not hold where it lies outside, and is
undecided otherwise. A claim is one or several statements.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from lsnotebook.core.statistics import Estimate, crossed

VERDICTS = HOLDS, FAILS, UNTOLD = "holds", "does not hold", "cannot tell"


@dataclass(frozen=True)
class Bounds:
    """Between which values a quantity should lie, and why: which words of the paper this stands for."""

    why: str
    above: float = -np.inf
    below: float = np.inf

    @property
    def inside(self) -> str:
        if np.isfinite(self.above) and np.isfinite(self.below):
            return f"between {self.above:.3g} and {self.below:.3g}"
        return f"above {self.above:.3g}" if np.isfinite(self.above) else f"below {self.below:.3g}"

    @property
    def outside(self) -> str:
        if np.isfinite(self.above) and np.isfinite(self.below):
            return f"below {self.above:.3g}, or above {self.below:.3g}"
        return f"at most {self.above:.3g}" if np.isfinite(self.above) else f"at least {self.below:.3g}"


@dataclass(frozen=True)
class Statement:
    """A quantity (in % or points) and the bounds that it should lie between."""

    quantity: str
    values: np.ndarray
    """(rows, columns) or (rows,): one value for each pair, such as a network under an order."""
    bounds: Bounds
    paper: float | None = None
    """The same quantity from the paper's numbers, where it gives them."""
    over: tuple[str, ...] = ("networks", "orders")
    """What the rows and the columns are: the population of the interval."""
    limits: tuple[float, float] | None = None
    """Between which the quantity can lie: the interval is then asymmetric (`statistics.crossed`)."""
    unmeasured: str = ""
    """Why there is no value, where there is none."""

    @cached_property
    def estimate(self) -> Estimate:
        return crossed(self.values, self.limits)

    @property
    def population(self) -> str:
        """What the interval is over: "5 networks, 100 orders"; where nothing was measured, why."""
        if self.unmeasured and np.isnan(self.values).all():
            return self.unmeasured
        sizes = zip(self.values.shape, self.over, strict=False)
        return ", ".join(f"{size} {name}" for size, name in sizes if size > 1) or "a single value"

    @property
    def rule(self) -> str:
        return f"{self.quantity}: {self.bounds.inside}"

    @property
    def verdict(self) -> str:
        _, low, high = self.estimate
        if low > self.bounds.above and high < self.bounds.below:
            return HOLDS
        return FAILS if high <= self.bounds.above or low >= self.bounds.below else UNTOLD

    @property
    def otherwise(self) -> str:
        """Where the interval would have to lie for another verdict."""
        inside, outside = self.bounds.inside, self.bounds.outside
        whole = {HOLDS: outside, FAILS: inside, UNTOLD: f"{inside}, or {outside}"}
        return f"the whole interval {whole[self.verdict]}"


@dataclass(frozen=True)
class Claim:
    """What a paper says, and where the book looks at it."""

    text: str
    page: str
    """The name of the page, without an ending."""
    figure: str = ""
    """The name of the figure or table on it that shows the quantity."""


def judged(claims: Mapping[str, tuple[Claim, Sequence[Statement]]]) -> pd.DataFrame:
    """One row for each statement of each claim: id, claim, rule, bound, above and below (the bound's values, None where
    there is none), paper, build, low, high, over, verdict, otherwise, page, figure."""
    rows = [
        {
            "id": name,
            "claim": claim.text,
            "rule": statement.rule,
            "bound": statement.bounds.why,
            "above": statement.bounds.above if np.isfinite(statement.bounds.above) else None,
            "below": statement.bounds.below if np.isfinite(statement.bounds.below) else None,
            "paper": statement.paper,
            "build": statement.estimate.mean,
            "low": statement.estimate.low,
            "high": statement.estimate.high,
            "over": statement.population,
            "verdict": statement.verdict,
            "otherwise": statement.otherwise,
            "page": claim.page,
            "figure": claim.figure,
        }
        for name, (claim, statements) in claims.items()
        for statement in statements
    ]
    return pd.DataFrame(rows)
