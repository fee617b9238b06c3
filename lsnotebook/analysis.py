"""What the layers do at the positions that they find themselves at (§4.3, §5): outputs, norms, attention, maps."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from lsnotebook import runs
from lsnotebook.evaluation import EVALUATION_CODE, in_words
from lsnotebook.orders import Order, arbitrary
from lsnotebook.plots import NAMES
from lsnotebook.randomness import stream
from lsnotebook.runs import Run
from lsnotebook.store import checksum, code_version, remembered

if TYPE_CHECKING:
    from torch import Tensor

    from lsnotebook.model import ShuffleViT


ANALYSIS_CODE = (*EVALUATION_CODE, "analysis")


class Record(NamedTuple):
    """One forward pass of B images, each in an order of its own, at P positions. Norms are L2, of the class token."""

    layers: np.ndarray
    """(B, P) the layer that ran."""
    outputs: np.ndarray
    """(B, P, D) the class token as the layer gave it on."""
    contribution: np.ndarray
    """(B, P) norm of what the layer added to the class token."""
    attention: np.ndarray
    """(B, P) norm of what its attention (MSA) added."""
    mlp: np.ndarray
    """(B, P) norm of what its MLP added."""
    looks: np.ndarray
    """(B, P, heads, N+1) where the class token looks: its attention weights; N+2 in DeiT, the patches last."""


def record(model: "ShuffleViT", pixel_values: "Tensor", orders: Sequence[Order]) -> Record:
    """Run each of the images (B, channels, height, width) in its own order, and note what the layers do.

    The orders are of one length. At each position all images whose turn it is go through a layer together; this is
    the forward pass of `ShuffleViT`, image by image. Dropout is off.
    """
    import torch

    layers = torch.tensor(orders)  # (B, P)
    model.eval().set_attn_implementation("eager")  # the others do not give their weights
    with torch.inference_mode():
        z = model.vit.embeddings(pixel_values.to(model.device))  # (B, N+1, D)
        outputs = torch.empty(*layers.shape, z.shape[-1])
        contribution, attention, mlp = (torch.empty(layers.shape) for _ in range(3))
        looks = torch.empty(*layers.shape, model.config.num_attention_heads, z.shape[1])
        for position in range(layers.shape[1]):
            for index in layers[:, position].unique().tolist():
                here = (layers[:, position] == index).nonzero()[:, 0]
                block, before = model.vit.layers[index], z[here]
                told = before
                if model.config.encode_position:
                    told = model.position_encodings[index](before, model.position_table(index, position))
                attended, weights = block.attention(block.layernorm_before(told))
                added = block.mlp(block.layernorm_after(told + attended))
                z[here] = after = told + attended + added
                outputs[here, position] = after[:, 0].cpu()
                contribution[here, position] = (after - before)[:, 0].norm(dim=-1).cpu()
                attention[here, position] = attended[:, 0].norm(dim=-1).cpu()
                mlp[here, position] = added[:, 0].norm(dim=-1).cpu()
                looks[here, position] = weights[:, :, 0].cpu()
    return Record(*(part.numpy() for part in (layers, outputs, contribution, attention, mlp, looks)))


def recorded(run: Run, images: int = 1000, part: str = "validation") -> Record:
    """`record` of the first images of a part, each in a random order (§4.3); fewer where there are fewer."""
    import torch

    model, split = runs.load(run), getattr(runs.splits_of(run.profile), part)
    pixel_values = torch.stack([split[k][0] for k in range(min(images, len(split)))])
    orders = [arbitrary(run.layers, stream(0, "order of an image", k)) for k in range(len(pixel_values))]
    return record(model, pixel_values, orders)


def norms(models: Sequence[Run], images: int = 1000) -> pd.DataFrame:
    """How much each layer adds to the class token at each position, in units of its own mean over all positions.

    One row for each (run, image, position): approach, seed, layer, position, distance (position less the layer's
    own place), and contribution, attention and mlp as in `Record`, divided by the layer's mean.
    """
    tables = []
    for run in models:
        noted = recorded(run, images)
        table = pd.DataFrame({name: getattr(noted, name).ravel() for name in ("contribution", "attention", "mlp")})
        table["layer"] = noted.layers.ravel()
        table["position"] = np.tile(np.arange(noted.layers.shape[1]), len(noted.layers))
        table["distance"] = table["position"] - table["layer"]
        for name in ("contribution", "attention", "mlp"):
            table[name] /= table.groupby("layer")[name].transform("mean")
        tables.append(table.assign(approach=run.approach, seed=run.seed))
    return pd.concat(tables, ignore_index=True)


def dependence(models: Sequence[Run], images: int = 1000, measure: str = "contribution") -> pd.DataFrame:
    """Spearman's rank correlation of a norm with the distance (unsigned) from the layer's own place, for each run.

    Remembered in the run store. Columns: approach, seed, correlation.
    """
    from scipy import stats

    def fresh() -> pd.DataFrame:
        rows = [
            (*names, stats.spearmanr(group["distance"].abs(), group[measure]).statistic)
            for names, group in norms(models, images).groupby(["approach", "seed"], sort=False)
        ]
        return pd.DataFrame(rows, columns=["approach", "seed", "correlation"])

    return _remembered(models, f"dependence of {measure}", {"images": images}, fresh)


def outputs_of(noted: Record, layer: int) -> tuple[np.ndarray, np.ndarray]:
    """The outputs (B, D) of one layer, and the positions (B,) that it ran at."""
    image, position = (noted.layers == layer).nonzero()
    return noted.outputs[image, position], position


def named_by_neighbours(vectors: np.ndarray, positions: np.ndarray, neighbours: int = 15) -> np.ndarray:
    """The position of each vector as its nearest neighbours have it, which it is not one of: cross-validated."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.neighbors import KNeighborsClassifier

    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return cross_val_predict(KNeighborsClassifier(neighbours), vectors, positions, cv=folds)


def readability(models: Sequence[Run], layer: int, images: int = 1000) -> pd.DataFrame:
    """How well the position of a layer is read from its outputs by `named_by_neighbours`, for each run.

    Remembered. Columns: approach, seed, accuracy, and its recall for the first quarter of the positions
    and for the others.
    """

    def fresh() -> pd.DataFrame:
        rows = []
        for run in models:
            vectors, positions = outputs_of(recorded(run, images), layer)
            right = named_by_neighbours(vectors, positions) == positions
            first = positions < run.layers / 4
            rows.append((run.approach, run.seed, right.mean(), right[first].mean(), right[~first].mean()))
        return pd.DataFrame(rows, columns=["approach", "seed", "accuracy", "first", "others"])

    return _remembered(models, "readability", {"layer": layer, "images": images}, fresh)


def _remembered(models: Sequence[Run], name: str, what: dict, fresh: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    runs.ensure(models)
    recipe = {"runs": [run.key for run in models], "name": name, **what, "code": code_version(*ANALYSIS_CODE)}
    return remembered(recipe, name.replace(" ", "-"), fresh)


def read_table(read: pd.DataFrame, on_map: Mapping[str, np.ndarray], layers: int) -> pd.DataFrame:
    """The results of `readability` in %, and of maps (right or not, for each dot), one row for each approach."""
    columns = {"accuracy": "from the outputs", "first": "first", "others": "others"}
    groups = {NAMES[approach]: group for approach, group in read.groupby("approach", sort=False)}
    table = {
        name: {text: in_words(group[column]) for column, text in columns.items()} for name, group in groups.items()
    }
    shares = named_table(on_map, layers).rename(columns={"named rightly": "on the map"})
    return pd.DataFrame.from_dict(table, orient="index").join(shares)


def named_table(right: Mapping[str, np.ndarray], layers: int) -> pd.DataFrame:
    """The share in % that is named rightly with its 95 % interval (Wilson), and chance, one row for each name."""
    from statsmodels.stats.proportion import proportion_confint

    rows = {}
    for name, each in right.items():
        low, high = proportion_confint(int(np.sum(each)), len(each), method="wilson")
        rows[name] = {"named rightly": f"{100 * np.mean(each):.1f} [{100 * low:.1f}, {100 * high:.1f}]"}
    return pd.DataFrame.from_dict(rows, orient="index").assign(chance=f"{100 / layers:.1f}")


def umap(vectors: np.ndarray, neighbours: int = 15) -> pd.DataFrame:
    """The vectors (B, D) on a plane by UMAP, columns x and y, remembered in the run store.

    The map differs from machine to machine: a picture, from which no number is to be taken.
    """

    def fresh() -> pd.DataFrame:
        from umap import UMAP

        return pd.DataFrame(UMAP(neighbours, random_state=0, n_jobs=1).fit_transform(vectors), columns=["x", "y"])

    recipe = {"vectors": checksum(np.ascontiguousarray(vectors).tobytes()), "neighbours": neighbours}
    return remembered({**recipe, "code": code_version(*ANALYSIS_CODE)}, "umap", fresh)


def switched_off(norms: pd.DataFrame, below: float = 0.1) -> pd.DataFrame:
    """Do layers switch themselves off where they find no input that they can process (§5)? For each approach: the
    share of (layer, position) pairs at which the layer adds less than `below` of what it adds on average, and the pair
    at which it adds the least; mean over networks and images."""
    rows = {}
    for approach, group in norms.groupby("approach", sort=False):
        cells = group.groupby(["layer", "position"])["contribution"].mean()
        layer, position = cells.idxmin()
        rows[approach] = {
            f"pairs below {below:.0%}, %": 100 * (cells < below).mean(),
            "least, % of the layer's mean": 100 * cells.min(),
            "by layer": layer,
            "at position": position,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def joint(noted: Record, images: int = 80) -> tuple[np.ndarray, pd.DataFrame]:
    """The outputs (K, D) of all layers at all positions for the first images, and their layer and position (§5)."""
    outputs = noted.outputs[:images]
    labels = {"layer": noted.layers[:images].ravel(), "position": np.tile(np.arange(outputs.shape[1]), len(outputs))}
    return outputs.reshape(-1, outputs.shape[-1]), pd.DataFrame(labels)


def attention_maps(noted: Record, images: int) -> np.ndarray:
    """(B, P, rows, columns): the class token's attention, the mean over the heads; patches as in the image."""
    weights = noted.looks[:images].mean(axis=2)
    side = math.isqrt(weights.shape[-1])  # before the patches stand the class token and, in DeiT, the distillation's
    return weights[..., -(side**2) :].reshape(*weights.shape[:2], side, side)


def attention_table(noted: Record, images: int) -> pd.DataFrame:
    """The weights of `attention_maps`, a row for each (image, position, patch), patches counted row by row."""
    maps = attention_maps(noted, images)
    index = pd.MultiIndex.from_product(
        [range(images), range(maps.shape[1]), range(maps[0, 0].size)], names=["image", "position", "patch"]
    )
    return pd.Series(maps.ravel(), index, name="weight").reset_index()
