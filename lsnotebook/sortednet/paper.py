"""The paper's published numbers, from `published/`; they stand nowhere else. Accuracies in %."""

from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).with_name("published")
SUMS = range(1, 10)
"""The numbers of neurons that the paper's averages of Table 9 are over."""


def table9() -> pd.DataFrame:
    """Table 9 (D.6): one row for each order (target, reverse) and number of neurons, with the mean and the sd of five
    runs: ordinary, ordinary sd, sorted, sorted sd. All ten neurons stand under both orders."""
    rows = pd.read_csv(FOLDER / "table9.csv")
    full = rows["order"] == "full"
    both = [rows[full].assign(order=order, neurons=10) for order in ("target", "reverse")]
    return pd.concat([rows[~full], *both]).astype({"neurons": int}).set_index(["order", "neurons"]).sort_index()


def mean9(approach: str, order: str) -> float:
    """The mean of Table 9 over 1 to 9 neurons."""
    return table9()[approach].loc[order].loc[list(SUMS)].mean()


def figure2() -> pd.DataFrame:
    """Figure 2: by the number of first blocks, the accuracies for each share of the width in %, sorted in both; "depth
    only", sorted in depth; and "baseline", the ordinary network with its classifier retuned."""
    rows = pd.read_csv(FOLDER / "figure2.csv", dtype={"blocks": str}).query("blocks != 'width only'")
    return rows.astype({"blocks": int}).pivot(index="blocks", columns="width", values="accuracy")


def gained(figure: int) -> float:
    """Points that sub-models sorted in both gain over Figure 2, on average: with a classifier of their own (Figure 8),
    or the 20 largest where they alone are trained (Figure 3)."""
    before, after = (
        pd.read_csv(FOLDER / f"figure{number}.csv", dtype={"blocks": str, "width": str}) for number in (2, figure)
    )
    sorted_in_both = after[after["width"].str.isdecimal() & after["blocks"].str.isdecimal()]
    pairs = sorted_in_both.merge(before, on=["blocks", "width"], suffixes=("", " before"))
    return (pairs["accuracy"] - pairs["accuracy before"]).mean()


def accumulated(way: str) -> pd.DataFrame:
    """Tables 5 (as many "updates") and 6 (as much "data"), cPreResNet20 on CIFAR-10: by the number of accumulated
    batches, the accuracies at 100, 75, 50 and 25 % of the width, and their average."""
    name = {"updates": "table5.csv", "data": "table6.csv"}[way]
    return pd.read_csv(FOLDER / name, index_col="accumulation")


def table3() -> pd.DataFrame:
    """Table 3, RoBERTa on GLUE: by the number of first layers, the score of each task, "average", sorted in depth, and
    "average without", that of the same layers of ordinary networks."""
    return pd.read_csv(FOLDER / "table3.csv").query("layers != 'avg'").astype({"layers": int}).set_index("layers")


def table8() -> pd.DataFrame:
    """Table 8, BERT-base inside of BERT-large on GLUE: by network, billions of operations (GFLOPs), the score of each
    task, and their average."""
    return pd.read_csv(FOLDER / "table8.csv", index_col="network")


def table4() -> pd.DataFrame:
    """Table 4, LLaMA-13B on GSM8K: by decoding and draft, milliseconds a token, accuracy and share of rejected tokens,
    stochastic and summation loss."""
    return pd.read_csv(FOLDER / "table4.csv", dtype={"draft": str}).set_index(["decoding", "draft"])
