"""One model under many orders: accuracy, and how well its layers predict their positions (§4.1)."""

from collections.abc import Iterator, Sequence
from functools import partial
from os.path import commonprefix

import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import Dataset
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.vit.modeling_vit import eager_attention_forward

from lsnotebook.core.draws import as_text
from lsnotebook.core.orders import Order
from lsnotebook.data.splits import Splits
from lsnotebook.engine import evaluation
from lsnotebook.layershuffle.model import ShuffleViT, ShuffleViTOutput, State


def position(output: ShuffleViTOutput, labels: Tensor) -> Tensor:
    """The share of the layers whose position is predicted correctly (§3.4), for each image; NaN without predictions."""
    if output.position_logits is None:
        return torch.full(labels.shape, torch.nan)
    positions = torch.arange(output.position_logits.shape[1], device=labels.device)
    return (output.position_logits.argmax(-1) == positions).float().mean(1)


MEASURES = {**evaluation.MEASURES, "position": position}
score = partial(evaluation.score, measures=MEASURES)
"""`engine.evaluation.score` with the columns top1, top5, loss and position."""


def evaluate(
    model: ShuffleViT, images: Dataset, orders: Sequence[Order], batch_size: int | None = None
) -> pd.DataFrame:
    """`score` of a model under each order, with the order as text. Raises `OrderError`."""
    checked = [model.check_order(order) for order in orders]
    turns = sorted(range(len(checked)), key=checked.__getitem__)
    table = score(partial(outputs, model, [checked[k] for k in turns]), images, model.device, batch_size)
    table = table.set_axis(turns).sort_index().reset_index(drop=True)
    table.insert(0, "order", [as_text(order) for order in orders])
    return table


def outputs(model: ShuffleViT, orders: Sequence[Order], pixel_values: Tensor) -> Iterator[ShuffleViTOutput]:
    """The output under each order. The layers that an order begins with in common with the order before are not run
    again: sorted orders run each common prefix once, and hold the activations of one order only. Of the last layer's
    output the class token alone is computed where nothing else is asked for."""
    states: list[State] = [(model.embedded(pixel_values), ())]
    before: Order = ()
    for order, after in zip(orders, [*orders, ()][1:], strict=True):
        shared = len(commonprefix((before, order)))  # noqa: RUF071  # of any sequences, not of paths alone
        del states[shared + 1 :]
        whole = model.training or model.config.predict_position or tuple(after[: len(order)]) == tuple(order)
        for position in range(shared, len(order)):
            step = model.step if whole or position < len(order) - 1 else partial(last_step, model)
            states.append(step(*states[-1], order[position], position))
        yield model.output(*states[-1])
        before = order


def last_step(model: ShuffleViT, z: Tensor, u: tuple[Tensor, ...], index: int, position: int) -> State:
    """`ShuffleViT.step` of a model in evaluation mode that predicts no positions, for the class token (B, 1, D)
    alone."""
    if model.config.encode_position:
        z = model.position_encodings[index](z, model.position_table(index, position))
    layer = model.vit.layers[index]
    attention, normed = layer.attention, layer.layernorm_before(z)
    linears = ((attention.q_proj, normed[:, :1]), (attention.k_proj, normed), (attention.v_proj, normed))
    query, key, value = (
        linear(tokens).unflatten(-1, (-1, attention.head_dim)).transpose(1, 2) for linear, tokens in linears
    )
    attend = ALL_ATTENTION_FUNCTIONS.get_interface(model.config._attn_implementation, eager_attention_forward)
    attended, _ = attend(attention, query, key, value, None, scaling=attention.scaling)
    z = z[:, :1] + attention.o_proj(attended.flatten(2))
    return z + layer.mlp(layer.layernorm_after(z)), u


def under_orders(models: Sequence[ShuffleViT], splits: Splits, orders: Sequence[Order], part: str) -> pd.DataFrame:
    """`evaluate` of one model on a split of its images, for a cached table."""
    (model,) = models
    return evaluate(model, getattr(splits, part), orders)
