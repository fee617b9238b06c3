"""What the layers do at the positions that they run at (§4.3, §5): outputs, norms, attention, maps."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy import stats
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor, nn

from lsnotebook.core.orders import Order, arbitrary
from lsnotebook.core.randomness import stream
from lsnotebook.data.splits import Splits
from lsnotebook.layershuffle.model import ShuffleViT

NORMS = ("contribution", "attention", "mlp")


class Trace(NamedTuple):
    """One forward pass of B images, each in an order of its own, at P positions. Norms are L2, of the class token."""

    layers: np.ndarray
    """(B, P) the layer that ran."""
    outputs: np.ndarray
    """(B, P, D) the class token of the layer's output."""
    contribution: np.ndarray
    """(B, P) norm of what the layer added to the class token."""
    attention: np.ndarray
    """(B, P) norm of what its attention (MSA) added."""
    mlp: np.ndarray
    """(B, P) norm of what its MLP added."""
    weights: np.ndarray
    """(B, P, heads, N+1) attention weights of the class token; N+2 in DeiT, the patches last."""


def trace(model: ShuffleViT, pixel_values: Tensor, orders: Sequence[Order]) -> Trace:
    """Run each of the images (B, channels, height, width) in its own order, and record what the layers do.

    The orders are of one length. At each position all images whose turn it is go through a layer together; this is
    the forward pass of `ShuffleViT`, image by image. Dropout is off.
    """
    layers = torch.tensor(orders)  # (B, P)
    model.eval().set_attn_implementation("eager")  # the others do not return their weights
    with torch.inference_mode():
        z = model.vit.embeddings(pixel_values.to(model.device))  # (B, N+1, D)
        outputs = torch.empty(*layers.shape, z.shape[-1])
        contribution, attention, mlp = (torch.empty(layers.shape) for _ in range(3))
        weights = torch.empty(*layers.shape, model.config.num_attention_heads, z.shape[1])
        for position in range(layers.shape[1]):
            for index in layers[:, position].unique().tolist():
                here = (layers[:, position] == index).nonzero()[:, 0]
                block, before = model.vit.layers[index], z[here]
                given = before
                if model.config.encode_position:
                    given = model.position_encodings[index](before, model.position_table(index, position))
                attended, attention_weights = block.attention(block.layernorm_before(given))
                added = block.mlp(block.layernorm_after(given + attended))
                z[here] = after = given + attended + added
                outputs[here, position] = after[:, 0].cpu()
                contribution[here, position] = (after - before)[:, 0].norm(dim=-1).cpu()
                attention[here, position] = attended[:, 0].norm(dim=-1).cpu()
                mlp[here, position] = added[:, 0].norm(dim=-1).cpu()
                weights[here, position] = attention_weights[:, :, 0].cpu()
    return Trace(*(part.numpy() for part in (layers, outputs, contribution, attention, mlp, weights)))


def trace_images(model: ShuffleViT, splits: Splits, images: int = 1000) -> Trace:
    """`trace` of the first validation images, each in a random order (§4.3); fewer where there are fewer."""
    split = splits.validation
    pixel_values = torch.stack([split[k][0] for k in range(min(images, len(split)))])
    layers = model.config.num_hidden_layers
    orders = [arbitrary(layers, stream(0, "order of an image", k)) for k in range(len(pixel_values))]
    return trace(model, pixel_values, orders)


def norms(models: Sequence[nn.Module], splits: Splits, images: int) -> pd.DataFrame:
    """How much each layer of one model adds to the class token at each position, in units of its mean over positions.

    One row for each (image, position): layer, position, distance (position minus original index), and contribution,
    attention and mlp as in `Trace`, divided by the layer's mean.
    """
    (model,) = models
    traced = trace_images(model, splits, images)
    table = pd.DataFrame({name: getattr(traced, name).ravel() for name in NORMS})
    table["layer"] = traced.layers.ravel()
    table["position"] = np.tile(np.arange(traced.layers.shape[1]), len(traced.layers))
    table["distance"] = table["position"] - table["layer"]
    for name in NORMS:
        table[name] /= table.groupby("layer")[name].transform("mean")
    return table


def dependence(norms: pd.DataFrame, measure: str = "contribution") -> pd.DataFrame:
    """Spearman's rank correlation of a norm with the unsigned distance from the layer's original position.

    One row for each network: approach, seed, correlation.
    """
    rows = [
        (*names, stats.spearmanr(group["distance"].abs(), group[measure]).statistic)
        for names, group in norms.groupby(["approach", "seed"], sort=False)
    ]
    return pd.DataFrame(rows, columns=["approach", "seed", "correlation"])


def outputs_of(traced: Trace, layer: int) -> tuple[np.ndarray, np.ndarray]:
    """The outputs (B, D) of one layer, and the positions (B,) that it ran at."""
    image, position = (traced.layers == layer).nonzero()
    return traced.outputs[image, position], position


def predicted_by_neighbours(vectors: np.ndarray, positions: np.ndarray, neighbours: int = 15) -> np.ndarray:
    """The cross-validated k-nearest-neighbour prediction of the position of each vector (B, D)."""
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return cross_val_predict(KNeighborsClassifier(neighbours), vectors, positions, cv=folds)


def readability(models: Sequence[nn.Module], splits: Splits, layer: int, images: int) -> pd.DataFrame:
    """How well the position of a layer of one model is predicted from its outputs by `predicted_by_neighbours`.

    One row: accuracy, and the recall of the first quarter of the positions and of the others.
    """
    (model,) = models
    vectors, positions = outputs_of(trace_images(model, splits, images), layer)
    correct = predicted_by_neighbours(vectors, positions) == positions
    first = positions < model.config.num_hidden_layers / 4
    shares = {"accuracy": correct.mean(), "first": correct[first].mean(), "others": correct[~first].mean()}
    return pd.DataFrame([shares])


def joint(traced: Trace, images: int = 80) -> tuple[np.ndarray, pd.DataFrame]:
    """The outputs (K, D) of all layers at all positions for the first images, and their layer and position (§5)."""
    outputs = traced.outputs[:images]
    labels = {"layer": traced.layers[:images].ravel(), "position": np.tile(np.arange(outputs.shape[1]), len(outputs))}
    return outputs.reshape(-1, outputs.shape[-1]), pd.DataFrame(labels)


def attention_maps(traced: Trace, images: int) -> np.ndarray:
    """(B, P, rows, columns): the class token's attention, the mean over the heads; patches as in the image."""
    weights = traced.weights[:images].mean(axis=2)
    side = math.isqrt(weights.shape[-1])  # before the patches stand the class token and, in DeiT, the distillation's
    return weights[..., -(side**2) :].reshape(*weights.shape[:2], side, side)
