"""The paper's published numbers, from `published/`; they stand nowhere else. Accuracies are fractions."""

from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).with_name("published")


def table1() -> pd.DataFrame:
    """Table 1 (§4.1): approach, policy, and the mean and std of top-1 on ImageNet-2012."""
    return _fractions("table1", ["mean", "std"])


def table2() -> pd.DataFrame:
    """Table 2 (§4.4): approach, model (merged, ensemble of 12), policy, measure (top1, top5), mean and std."""
    return _fractions("table2", ["mean", "std"])


def figure1b() -> pd.DataFrame:
    """The points of Figures 1b and 1c (§4.2) that the text gives in numbers: approach, policy, layers, top1."""
    return _fractions("figure1b", ["top1"])


def top1(approach: str, policy: str) -> float:
    """A mean of Table 1 in %."""
    return 100 * table1().set_index(["approach", "policy"])["mean"][approach, policy]


def statement(name: str) -> float:
    """A single number that the text states, in the unit of `published/statements.csv`."""
    return pd.read_csv(FOLDER / "statements.csv", index_col="name")["value"][name]


def _fractions(name: str, columns: list[str]) -> pd.DataFrame:
    table = pd.read_csv(FOLDER / f"{name}.csv")
    return table.assign(**{column: table[column] / 100 for column in columns})
