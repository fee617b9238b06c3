"""Means over networks with their 95 % interval, as text, and which way a difference goes."""

import numpy as np

from lsnotebook.core.statistics import crossed
from lsnotebook.pages.tables import as_text


def accuracy(values: np.ndarray, unit: str = " %") -> str:
    """Of accuracies in %: "91.2 % [90.1, 92.0]"; "not run" of none."""
    return as_text(*crossed(values, (0, 100)), unit) if len(values) else "not run"


def mean(values: np.ndarray, decimals: int = 1, limits: tuple[float, float] | None = None) -> str:
    """Of anything else, such as points of difference: "1.2 [0.3, 2.1]", inside of its `limits`."""
    return as_text(*crossed(values, limits), decimals=decimals)


def told(change: np.ndarray) -> str:
    """Which way a difference goes, by its interval."""
    _, low, high = crossed(change)
    if low > 0 or high < 0:
        return "more" if low > 0 else "less"
    return f"{len(change)} networks cannot tell which is more"
