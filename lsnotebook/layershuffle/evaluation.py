"""One model under many orders: accuracy, and how well its layers predict their positions (§4.1)."""

from collections.abc import Iterator, Sequence
from functools import partial
from os.path import commonprefix

import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import Dataset

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
    again: sorted orders run each common prefix once, and hold the activations of one order only."""
    states: list[State] = [(model.embedded(pixel_values), ())]
    before: Order = ()
    for order in orders:
        shared = len(commonprefix((before, order)))  # noqa: RUF071  # of any sequences, not of paths alone
        del states[shared + 1 :]
        for position in range(shared, len(order)):
            states.append(model.step(*states[-1], order[position], position))
        yield model.output(*states[-1])
        before = order


def under_orders(models: Sequence[ShuffleViT], splits: Splits, orders: Sequence[Order], part: str) -> pd.DataFrame:
    """`evaluate` of one model on a split of its images, for a cached table."""
    (model,) = models
    return evaluate(model, getattr(splits, part), orders)
