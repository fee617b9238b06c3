"""Where variance comes from: networks (seeds) and orders (draws) as crossed random factors."""

import pandas as pd
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm


def variance_shares(accuracies: pd.DataFrame, measure: str = "top1") -> pd.Series:
    """Where the variance of an approach's accuracy comes from, as shares: seed, order, and their interaction.

    Every seed is evaluated under the same orders, so this is a two-way random-effects analysis of variance
    without replication; negative estimates of a component count as zero.
    """
    table = anova_lm(ols(f"{measure} ~ C(seed) + C(draw)", accuracies).fit())
    squares = table["sum_sq"] / table["df"]
    rest = squares["Residual"]
    parts = pd.Series(
        {
            "seed": (squares["C(seed)"] - rest) / accuracies["draw"].nunique(),
            "order": (squares["C(draw)"] - rest) / accuracies["seed"].nunique(),
            "seed and order together": rest,
        }
    ).clip(lower=0)
    return parts / parts.sum()
