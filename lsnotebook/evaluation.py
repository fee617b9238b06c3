"""Accuracy of trained models under a policy, over many orders (§4.1)."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from joblib import cpu_count

from lsnotebook import runs
from lsnotebook.orders import Order, Sampler, draw, inversions
from lsnotebook.progress import Progress
from lsnotebook.runs import Run
from lsnotebook.store import code_version, remembered

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.utils.data import Dataset

    from lsnotebook.model import ShuffleViT, ShuffleViTOutput

READERS = 16
"""Processes that read images at most: each holds two batches ready."""
EVALUATION_CODE = ("orders", "model", "data", "evaluation")


def evaluate(model: "ShuffleViT", images: "Dataset", orders: Sequence[Order], batch_size: int = 250) -> pd.DataFrame:
    """`score` of a model under each order, with the order as text."""
    table = score([partial(model, order=order) for order in orders], images, model.device, batch_size)
    table.insert(0, "order", [" ".join(map(str, order)) for order in orders])
    return table


def score(
    forwards: "Sequence[Callable[[Tensor], ShuffleViTOutput]]",
    images: "Dataset",
    device: "torch.device | str" = "cpu",
    batch_size: int = 250,
) -> pd.DataFrame:
    """One row for each forward pass (a model in an order, a merged model, an ensemble): top1 and top5 accuracy, loss
    (cross-entropy of the class), and position (the share of positions named rightly, §3.4; empty where none are).

    Every batch is read once and goes through all of them, without autograd; on a GPU in bf16, as in training, and read
    by a process for each core.
    """
    import torch
    import torch.nn.functional as F

    from lsnotebook.data import in_turn

    sums, on_gpu = np.zeros((len(forwards), 4)), torch.device(device).type == "cuda"
    batches = in_turn(images, batch_size, device, min(cpu_count(), READERS) if on_gpu else 0)
    with torch.inference_mode(), torch.autocast("cuda", torch.bfloat16, enabled=on_gpu):
        for pixel_values, labels in batches:
            pixel_values, labels = pixel_values.to(device), labels.to(device)
            for row, forward in zip(sums, forwards, strict=True):
                output = forward(pixel_values)
                logits = output.logits.float()
                top = logits.topk(min(5, logits.shape[-1])).indices == labels[:, None]
                row[0] += top[:, 0].sum().item()
                row[1] += top.sum().item()
                row[2] += F.cross_entropy(logits, labels, reduction="sum").item()
                named = np.nan
                if output.position_logits is not None:
                    right = output.position_logits.argmax(-1) == torch.arange(
                        output.position_logits.shape[1], device=device
                    )
                    named = right.float().mean(1).sum().item()
                row[3] += named
    return pd.DataFrame(sums / len(images), columns=["top1", "top5", "loss", "position"])


def accuracies(
    models: Sequence[Run], policy: "str | Sampler", orders: int = 20, part: str = "validation"
) -> pd.DataFrame:
    """`evaluate` for each run under the same orders of a policy, remembered in the run store.

    Columns: approach, seed, policy, draw (the number of the order), inversions (see `orders`), and those of `evaluate`.
    """
    runs.ensure(models)
    tables = []
    with Progress(len(models), f"evaluating in {policy} order", delay=1) as progress:
        for run in models:
            drawn = draw(policy, run.layers, orders)
            recipe = {"run": run.key, "orders": drawn, "part": part, "code": code_version(*EVALUATION_CODE)}
            table = remembered(recipe, f"{policy}-{run.key}", lambda run=run, drawn=drawn: _fresh(run, drawn, part))
            table = table.assign(approach=run.approach, seed=run.seed, policy=str(policy), draw=range(len(drawn)))
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
    rows = []
    for (approach, policy), group in accuracies.groupby(["approach", "policy"], sort=False):
        seeds = group.groupby("seed")[measure].mean()
        means = group.groupby("draw")[measure].mean()
        rows.append((approach, policy, seeds.mean(), seeds.std(), *interval(means), len(seeds), len(means)))
    return pd.DataFrame(rows, columns=["approach", "policy", "mean", "std", "low", "high", "seeds", "orders"])


def interval(sample: "Sequence[float] | pd.Series | np.ndarray") -> tuple[float, float]:
    """A 95 % interval of the mean by Student's t; empty (NaN) where there is one value only."""
    from scipy import stats

    mean, error = float(np.mean(sample)), stats.sem(sample) if len(sample) > 1 else np.nan
    low, high = stats.t.interval(0.95, len(sample) - 1, mean, error) if error else (mean, mean)
    return float(low), float(high)


def in_words(sample: "Sequence[float] | pd.Series | np.ndarray") -> str:
    """The mean and `interval` of fractions as the tables show them, in %: "14.6 [14.2, 14.9]"."""
    low, high = interval(sample)
    return f"{100 * np.mean(sample):.1f} [{100 * low:.1f}, {100 * high:.1f}]"


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
