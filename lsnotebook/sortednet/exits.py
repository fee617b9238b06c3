"""Early exit: an image leaves after the first layer whose answer is sure enough (the question of Table 4, for a
classifier). One classifier serves all layers, as in the paper."""

import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lsnotebook.data.splits import Splits
from lsnotebook.engine.run import Run
from lsnotebook.engine.tables import Table
from lsnotebook.sortednet.grids import check_alike, features, joined
from lsnotebook.sortednet.networks import SortedViT, stock

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0)
"""How sure an answer must be, its probability; at 1 nearly every image takes all layers."""
TOLERANCE = 0.5
"""Points of accuracy that a threshold may cost on the selection images."""


@torch.no_grad()
def answers(models: Sequence[SortedViT], splits: Splits) -> pd.DataFrame:
    """The answer after every layer of the one network: part (selection, validation), image, layers, confidence, right,
    and agrees, whether it is that of the whole network."""
    (network,) = (stock(one).eval() for one in models)
    tables = []
    for part in ("selection", "validation"):
        found, labels = features(network, getattr(splits, part))
        sure, said = network.classifier(found).softmax(-1).max(-1)  # (L, N) each
        layers, images = sure.shape
        values = {"confidence": sure, "right": said.cpu() == labels, "agrees": said == said[-1]}
        flat = {name: value.cpu().T.flatten().numpy() for name, value in values.items()}
        place = {"image": np.repeat(range(images), layers), "layers": np.tile(range(1, layers + 1), images)}
        tables.append(pd.DataFrame({"part": part, **place, **flat}))
    return pd.concat(tables, ignore_index=True)


def all_answers(models: Sequence[Run]) -> pd.DataFrame:
    """`answers` of networks of any part: approach, seed, and those columns. Raises `ProfileError`."""
    check_alike(models)
    return joined(models, [Table("answers", answers, (run,)) for run in models], "answers")


def leaving(table: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """The rows of `answers` at which each image leaves: the first that is sure enough, else the last."""
    may = (table["confidence"] >= threshold) | (table["layers"] == table["layers"].max())
    return table[may].sort_values("layers").groupby(["approach", "seed", "part", "image"], as_index=False).first()


def curve(table: pd.DataFrame, thresholds: Sequence[float] = THRESHOLDS) -> pd.DataFrame:
    """Mean layers run and accuracy at each threshold: approach, seed, part, threshold, layers, top1."""
    rows = [leaving(table, one).assign(threshold=one) for one in thresholds]
    groups = pd.concat(rows).groupby(["approach", "seed", "part", "threshold"], as_index=False, sort=False)
    return groups.agg(layers=("layers", "mean"), top1=("right", "mean"))


def prefixes(table: pd.DataFrame) -> pd.DataFrame:
    """What the same number of layers gives for every image: approach, seed, part, layers, top1, agrees."""
    groups = table.groupby(["approach", "seed", "part", "layers"], as_index=False, sort=False)
    return groups.agg(top1=("right", "mean"), agrees=("agrees", "mean"))


def chosen(table: pd.DataFrame, tolerance: float = TOLERANCE) -> pd.DataFrame:
    """For each network the threshold that runs the fewest layers on the selection images and costs at most so many
    points there, and what it gives on the validation images: approach, seed, threshold, layers, top1, full."""
    curves = curve(table).set_index(["approach", "seed", "threshold"])
    last = table[table["layers"] == table["layers"].max()]
    whole = last.groupby(["approach", "seed", "part"])["right"].mean()
    rows = []
    for (approach, seed), there in curves.groupby(["approach", "seed"], sort=False):
        on = {part: rows_of.droplevel([0, 1]) for part, rows_of in there.groupby("part")}
        good = on["selection"]["top1"] >= whole[approach, seed, "selection"] - tolerance / 100 - 1e-9
        threshold = on["selection"]["layers"].where(good, np.inf).idxmin()
        given = on["validation"].loc[threshold]
        full = whole[approach, seed, "validation"]
        rows.append((approach, seed, threshold, given["layers"], given["top1"], full))
    return pd.DataFrame(rows, columns=["approach", "seed", "threshold", "layers", "top1", "full"])


@torch.no_grad()
def timed(network: SortedViT, images: Tensor, threshold: float) -> dict[str, float]:
    """Seconds an image, one by one on this machine: whole, and leaving early, with the layers that this took."""
    model, runs = stock(network).eval(), []

    def one(image: Tensor, sure: float) -> int:
        z = model.vit.embeddings(image[None])
        for count, layer in enumerate(model.vit.layers, start=1):
            z = layer(z)
            last = count == len(model.vit.layers)
            if (sure <= 1 or last) and model.classifier(model.vit.layernorm(z)[:, 0]).softmax(-1).max() >= sure:
                break
        return count

    for sure in (2.0, threshold, 2.0, threshold):  # the first two warm up
        begun = time.perf_counter()
        counts = [one(image, sure) for image in images]
        runs.append(((time.perf_counter() - begun) / len(images), float(np.mean(counts))))
    (whole, _), (early, layers) = runs[2:]
    return {"whole": whole, "early": early, "layers": layers}
