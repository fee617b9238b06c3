"""The paper's published numbers, from `data/paper/`; they stand nowhere else."""

from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parent.parent / "data" / "paper"


def table1() -> pd.DataFrame:
    """Table 1 (§4.1): approach, policy, and the mean and std of top-1 on ImageNet-2012 as fractions."""
    table = pd.read_csv(FOLDER / "table1.csv")
    return table.assign(mean=table["mean"] / 100, std=table["std"] / 100)


def statement(name: str) -> float:
    """A single number that the text states, in the unit of `data/paper/statements.csv`."""
    return pd.read_csv(FOLDER / "statements.csv", index_col="name")["value"][name]
