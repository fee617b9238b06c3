"""What one model gives in many orders, against one image at a time."""

import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

from lsnotebook.layershuffle.evaluation import evaluate


@pytest.mark.parametrize("batch_size", [1, 4, 500])
def test_evaluate_equals_one_image_at_a_time(toy, images, batch_size):
    model, labels, orders = toy(predict_position=True), torch.tensor([0, 3, 3, 9, 1, 2]), [(0, 1, 2, 3), (3, 1), (2, 2)]
    table = evaluate(model, TensorDataset(images, labels), orders, batch_size)
    for row, order in zip(table.itertuples(), orders, strict=True):
        outputs = [model(image[None], order=order) for image in images]
        ranks = [(o.logits[0] > o.logits[0, label]).sum().item() for o, label in zip(outputs, labels, strict=True)]
        losses = [-o.logits[0].log_softmax(-1)[label].item() for o, label in zip(outputs, labels, strict=True)]
        correct = [(o.position_logits[0].argmax(-1) == torch.arange(len(order))).float().mean().item() for o in outputs]
        assert row.order == " ".join(map(str, order))
        assert row.top1 == pytest.approx(np.mean(np.array(ranks) == 0))
        assert row.top5 == pytest.approx(np.mean(np.array(ranks) < 5))
        assert row.loss == pytest.approx(np.mean(losses), rel=1e-4)
        assert row.position == pytest.approx(np.mean(correct))


def test_where_no_position_is_predicted_none_is_reported(toy, images):
    table = evaluate(toy(), TensorDataset(images, torch.zeros(6, dtype=torch.long)), [(0,)])
    assert table["position"].isna().all()
