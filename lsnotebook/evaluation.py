"""Accuracy of trained models under a policy, over many orders (§4.1)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lsnotebook import runs
from lsnotebook.orders import Order, draw, inversions
from lsnotebook.progress import Progress
from lsnotebook.runs import Run
from lsnotebook.store import code_version, remembered

if TYPE_CHECKING:
    from torch.utils.data import Dataset

    from lsnotebook.model import ShuffleViT

EVALUATION_CODE = ("orders", "model", "data", "evaluation")


def evaluate(model: "ShuffleViT", images: "Dataset", orders: Sequence[Order], batch_size: int = 500) -> pd.DataFrame:
    """One row for each order: top1 and top5 accuracy, loss (cross-entropy of the class), and
    position (the share of positions named rightly, §3.4; empty where the model predicts none).

    Every batch is read once and goes through all orders, without autograd.
    """
    import torch
    import torch.nn.functional as F

    from lsnotebook.data import in_turn

    sums = np.zeros((len(orders), 4))
    with torch.inference_mode():
        for pixel_values, labels in in_turn(images, batch_size):
            pixel_values, labels = pixel_values.to(model.device), labels.to(model.device)
            for row, order in zip(sums, orders, strict=True):
                output = model(pixel_values, order=order)
                top = output.logits.topk(min(5, output.logits.shape[-1])).indices == labels[:, None]
                row[0] += top[:, 0].sum().item()
                row[1] += top.sum().item()
                row[2] += F.cross_entropy(output.logits, labels, reduction="sum").item()
                if output.position_logits is not None:
                    named = output.position_logits.argmax(-1)  # (B, P)
                    row[3] += (named == torch.arange(len(order), device=named.device)).float().mean(1).sum().item()
    table = pd.DataFrame(sums / len(images), columns=["top1", "top5", "loss", "position"])
    if not model.config.predict_position:
        table["position"] = np.nan
    table.insert(0, "order", [" ".join(map(str, order)) for order in orders])
    return table


def accuracies(models: Sequence[Run], policy: str, orders: int = 20, part: str = "validation") -> pd.DataFrame:
    """`evaluate` for each run under the same orders of a policy, remembered in the run store.

    Columns: approach, seed, policy, draw (the number of the order), inversions (see `orders`), and those of `evaluate`.
    """
    runs.ensure(models)
    tables = []
    with Progress(len(models), f"evaluating in {policy} order", delay=1) as progress:
        for run in models:
            drawn = draw(policy, run.profile.backbone.layers, orders)
            recipe = {"run": run.key, "orders": drawn, "part": part, "code": code_version(*EVALUATION_CODE)}
            table = remembered(recipe, f"{policy}-{run.key}", lambda run=run, drawn=drawn: _fresh(run, drawn, part))
            table = table.assign(approach=run.approach, seed=run.seed, policy=policy, draw=range(len(drawn)))
            table["inversions"] = [inversions(order) for order in drawn]
            tables.append(table)
            progress.advance()
    return pd.concat(tables, ignore_index=True)


def _fresh(run: Run, orders: list[Order], part: str) -> pd.DataFrame:
    return evaluate(runs.load(run), getattr(runs.splits_of(run.profile), part), orders)


def over_seeds(accuracies: pd.DataFrame, measure: str = "top1") -> pd.DataFrame:
    """One row for each (approach, policy): mean and standard deviation over the seeds (as in Table 1), each seed's
    accuracy being its mean over the orders, and a 95 % interval of the mean over the orders.

    The interval takes the drawn orders as the sample: t-distributed around the mean of the order means. It is
    empty where a policy has one order only.
    """
    from scipy import stats

    rows = []
    for (approach, policy), group in accuracies.groupby(["approach", "policy"], sort=False):
        seeds = group.groupby("seed")[measure].mean()
        means = group.groupby("draw")[measure].mean()
        low = high = np.nan
        if len(means) > 1:
            low, high = stats.t.interval(0.95, len(means) - 1, means.mean(), stats.sem(means))
        rows.append((approach, policy, seeds.mean(), seeds.std(), low, high, len(seeds), len(means)))
    return pd.DataFrame(rows, columns=["approach", "policy", "mean", "std", "low", "high", "seeds", "orders"])


def variance_split(accuracies: pd.DataFrame, measure: str = "top1") -> pd.Series:
    """Where the variance of an approach's accuracy comes from, as shares: seed, order, and both together.

    Every seed is evaluated under the same orders, so this is a two-way random-effects analysis of variance
    without replication; negative estimates of a component count as zero.
    """
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

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


def extremes(accuracies: pd.DataFrame) -> pd.DataFrame:
    """The best and the worst of the drawn orders of each approach: top-1 in %, mean over the seeds."""
    rows = {}
    for approach, group in accuracies.query("policy == 'arbitrary'").groupby("approach", sort=False):
        means = 100 * group.groupby("order")["top1"].mean()
        for which, order in (("best", means.idxmax()), ("worst", means.idxmin())):
            pairs = inversions([int(index) for index in order.split()])
            rows[approach, which] = {"top-1 %": means[order], "order": order, "pairs out of order": pairs}
    return pd.DataFrame.from_dict(rows, orient="index")
