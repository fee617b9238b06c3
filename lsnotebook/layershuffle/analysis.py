"""What the layers do at the positions that they run at (§4.3, §5): outputs, norms, attention, maps."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.core.orders import Order, arbitrary
from lsnotebook.core.randomness import stream
from lsnotebook.data.splits import Splits
from lsnotebook.data.subsets import evenly, spread
from lsnotebook.layershuffle.model import ShuffleViT

NORMS = ["contribution", "attention", "mlp"]
FOLDS = 5


class AnalysisError(LsnotebookError, ValueError):
    """Too few images, or outputs that do not differ."""


class Trace(NamedTuple):
    """One forward pass of B images, each in an order of its own, at P positions. Norms are L2, of the class token."""

    layers: np.ndarray
    """(B, P) the layer that ran."""
    outputs: np.ndarray
    """(B, P, D) the class token of the layer's output."""
    incoming: np.ndarray
    """(B, P) norm of the class token that the layer was given."""
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

    The orders are of one length. At each position the images that run the same layer form a batch; this is
    the forward pass of `ShuffleViT`, image by image. Dropout is off.
    """
    layers = torch.tensor(orders)  # (B, P)
    model.eval().set_attn_implementation("eager")  # the others do not return their weights
    with torch.inference_mode():
        z = model.embedded(pixel_values.to(model.device))  # (B, N+1, D)
        outputs = torch.empty(*layers.shape, z.shape[-1])
        incoming, contribution, attention, mlp = (torch.empty(layers.shape) for _ in range(4))
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
                incoming[here, position] = before[:, 0].norm(dim=-1).cpu()
                contribution[here, position] = (after - before)[:, 0].norm(dim=-1).cpu()
                attention[here, position] = attended[:, 0].norm(dim=-1).cpu()
                mlp[here, position] = added[:, 0].norm(dim=-1).cpu()
                weights[here, position] = attention_weights[:, :, 0].cpu()
    return Trace(*(part.numpy() for part in (layers, outputs, incoming, contribution, attention, mlp, weights)))


def trace_images(model: ShuffleViT, splits: Splits, images: int = 1000) -> Trace:
    """`trace` of validation images, evenly spaced, each in a random order (§4.3); of all where there are fewer.

    Raises `AnalysisError` where there are too few to cross-validate anything.
    """
    some = spread(splits.validation, images)
    if (count := len(some)) < FOLDS:
        raise AnalysisError(
            f"{count} validation images are too few for {FOLDS}-fold cross-validation; take at least {FOLDS}, and "
            "better hundreds."
        )
    pixel_values = torch.stack([pixels for pixels, _ in some])
    layers = model.config.num_hidden_layers
    orders = [arbitrary(layers, stream(0, "order of an image", k)) for k in range(len(pixel_values))]
    return trace(model, pixel_values, orders)


def norms(models: Sequence[nn.Module], splits: Splits, images: int) -> pd.DataFrame:
    """How much each layer of one model adds to the class token at each position.

    One row for each (image, position): image, layer, position, distance (position minus original index); contribution,
    attention and mlp as in `Trace`, in units of the layer's mean over positions; and relative, the contribution's norm
    as a share of that of the class token that the layer was given.
    """
    (model,) = models
    traced = trace_images(model, splits, images)
    table = places(traced.layers).assign(**{name: getattr(traced, name).ravel() for name in NORMS})
    table["distance"] = table["position"] - table["layer"]
    table["relative"] = table["contribution"] / traced.incoming.ravel()
    table[NORMS] /= table.groupby("layer")[NORMS].transform("mean")
    return table


def places(layers: np.ndarray) -> pd.DataFrame:
    """One row for each (image, position) of the layers (B, P) that ran: image, position, layer."""
    return pd.DataFrame(layers).rename_axis("image").rename_axis("position", axis=1).stack().reset_index(name="layer")


def explained_by_distance(norms: pd.DataFrame, measure: str) -> np.ndarray:
    """For each image of one network: the share of the variance of the log of a norm that the distance explains beyond
    layer and position (a cross-validated R^2, which is negative where the distance only adds noise).

    Two linear models, of layer and position and of these and the unsigned distance, all as categories, are fitted on
    four fifths of the images and tested on the others, in turn.
    """
    y = np.log(norms[measure].to_numpy() + 1e-12)
    without = pd.get_dummies(norms[["layer", "position"]].astype("category"), dtype=float).to_numpy()
    distances = pd.get_dummies(norms["distance"].abs(), dtype=float).to_numpy()
    folds = list(GroupKFold(FOLDS).split(y, groups=norms["image"]))
    linear = LinearRegression(fit_intercept=False)  # the categories of a column add up to one
    errors = [cross_val_predict(linear, x, y, cv=folds) - y for x in (without, np.hstack([without, distances]))]
    gain = pd.Series(errors[0] ** 2 - errors[1] ** 2).groupby(norms["image"].to_numpy()).mean()
    return (gain / max(y.var(), 1e-12)).to_numpy()  # 0 of norms that do not vary


def outputs_of(traced: Trace, layer: int) -> tuple[np.ndarray, np.ndarray]:
    """The outputs (B, D) of one layer, and the positions (B,) that it ran at."""
    image, position = (traced.layers == layer).nonzero()
    return traced.outputs[image, position], position


def probe(vectors: np.ndarray, labels: np.ndarray, groups: np.ndarray | None = None) -> np.ndarray:
    """The cross-validated prediction of the label of each vector (K, D) by linear discriminant analysis.

    Outputs of one image, whose number is in `groups` (K,), are in one fold. Raises `AnalysisError` where there are too
    few vectors for the labels, or all are equal.
    """
    folds = GroupKFold(FOLDS) if groups is not None else StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    reader = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis())
    try:
        return cross_val_predict(reader, vectors, labels, groups=groups, cv=folds)
    except (ValueError, IndexError) as error:  # IndexError: no column varies
        raise AnalysisError(
            f"{len(vectors)} outputs at {len(np.unique(labels))} places cannot be told apart by {FOLDS}-fold "
            f"cross-validation ({error}); take more images."
        ) from error


def readability(models: Sequence[nn.Module], splits: Splits, layer: int, images: int) -> pd.DataFrame:
    """The position of one layer of one model, predicted by `probe` from its output, its norm, and its direction.

    One row for each image: image, position, and the predictions output, norm (from its logarithm and the square of
    that) and direction (from the output divided by its norm).
    """
    (model,) = models
    vectors, positions = outputs_of(trace_images(model, splits, images), layer)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    features = {
        "output": vectors,
        "norm": np.hstack([np.log(length), np.log(length) ** 2]),
        "direction": vectors / length,
    }
    found = {name: probe(values, positions) for name, values in features.items()}
    return pd.DataFrame({"image": range(len(positions)), "position": positions, **found})


def joint_readability(models: Sequence[nn.Module], splits: Splits, images: int) -> pd.DataFrame:
    """Of the outputs of all layers at all positions of one model: how often `probe` predicts position and layer.

    One row for each image, all of whose outputs are in one fold: image, position, layer (shares of its outputs).
    """
    (model,) = models
    vectors, labels = joint(trace_images(model, splits, images), images)
    correct = {name: probe(vectors, labels[name], labels["image"]) == labels[name] for name in ("position", "layer")}
    return pd.DataFrame(correct).groupby(labels["image"]).mean().reset_index()


def joint(traced: Trace, images: int = 80) -> tuple[np.ndarray, pd.DataFrame]:
    """The outputs (K, D) of all layers at all positions, with image, layer, position (§5): of `images` that are evenly
    spaced among those traced."""
    chosen = evenly(len(traced.outputs), images)
    outputs = traced.outputs[chosen]
    return outputs.reshape(-1, outputs.shape[-1]), places(traced.layers[chosen])


def attention_maps(traced: Trace, images: int) -> np.ndarray:
    """(B, P, rows, columns): the class token's attention, the mean over the heads; patches as in the image."""
    weights = traced.weights[:images].mean(axis=2)
    side = math.isqrt(weights.shape[-1])  # the class token and, in DeiT, the distillation token come first
    return weights[..., -(side**2) :].reshape(*weights.shape[:2], side, side)
