"""One model under many orders: accuracy, and how well its layers predict their positions (§4.1)."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from lsnotebook.core.draws import as_text
from lsnotebook.core.orders import Order
from lsnotebook.data.splits import Splits
from lsnotebook.engine import evaluation
from lsnotebook.layershuffle.model import ShuffleViTOutput


def position(output: ShuffleViTOutput, labels: Tensor) -> Tensor:
    """The share of the layers whose position is predicted correctly (§3.4), for each image; NaN without predictions."""
    if output.position_logits is None:
        return torch.full(labels.shape, torch.nan)
    positions = torch.arange(output.position_logits.shape[1], device=labels.device)
    return (output.position_logits.argmax(-1) == positions).float().mean(1)


MEASURES = {**evaluation.MEASURES, "position": position}
score = partial(evaluation.score, measures=MEASURES)
"""`engine.evaluation.score` with the columns top1, top5, loss and position."""


def evaluate(model: nn.Module, images: Dataset, orders: Sequence[Order], batch_size: int = 250) -> pd.DataFrame:
    """`score` of a model under each order, with the order as text."""
    table = score([partial(model, order=order) for order in orders], images, model.device, batch_size)
    table.insert(0, "order", [as_text(order) for order in orders])
    return table


def under_orders(models: Sequence[nn.Module], splits: Splits, orders: Sequence[Order], part: str) -> pd.DataFrame:
    """`evaluate` of one model on a split of its images, for a cached table."""
    (model,) = models
    return evaluate(model, getattr(splits, part), orders)
