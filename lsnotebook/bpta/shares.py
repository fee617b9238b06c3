"""The share of seeds, or of drawn policies, of which something is true, with Wilson's interval: it has one at 0 and at
100 %, too, where a standard error is 0."""

from functools import cached_property

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from lsnotebook.core.statistics import Estimate
from lsnotebook.pages.statements import Statement


def wilson(true: np.ndarray) -> Estimate:
    """The share of a sample of truths, in %, and its 95 % interval (Wilson, 1927)."""
    low, high = proportion_confint(int(np.sum(true)), len(true), method="wilson")
    return Estimate(100 * float(np.mean(true)), 100 * low, 100 * high)


class Share(Statement):
    """A statement on a share in %, whose values are truths, (rows,)."""

    @cached_property
    def estimate(self) -> Estimate:
        return wilson(self.values)
