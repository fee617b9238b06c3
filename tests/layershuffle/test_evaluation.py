"""What one model gives in many orders, against one image at a time."""

import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

from lsnotebook.core.orders import OrderError
from lsnotebook.engine.attention import few_tokens_attention
from lsnotebook.layershuffle.evaluation import evaluate, outputs


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


@pytest.mark.parametrize("attention", ["sdpa", "eager", few_tokens_attention.__name__])
@pytest.mark.parametrize(
    "variant", [{}, {"encode_position": True}, {"predict_position": True}, {"distilled": True}], ids=str
)
def test_what_orders_begin_with_in_common_runs_once_and_the_end_for_the_class_token(toy, images, variant, attention):
    model, ran = toy(**variant), []
    orders = [(2, 0, 1, 3), (0,), (2, 0, 3, 1), (3, 2, 1, 0), (2, 0, 1, 3), (0, 2), (2, 0)]
    alone = [model(images, order=order) for order in orders]
    model.set_attn_implementation(attention)
    for layer in model.vit.layers:
        layer.mlp.register_forward_hook(lambda layer, given, _: ran.append(given[0].shape[1]))
    turns = sorted(orders)
    with torch.inference_mode():
        for order, output in zip(turns, outputs(model, turns, images), strict=True):
            expected = alone[orders.index(order)]
            if ran[-1] > 1 and attention == "sdpa":  # then what is shared changes no bit
                assert torch.equal(output.logits, expected.logits)
                assert not model.config.predict_position or torch.equal(
                    output.position_logits, expected.position_logits
                )
            torch.testing.assert_close(output.logits, expected.logits)
            torch.testing.assert_close(output.position_logits, expected.position_logits)
    prefixes = {order[:length] for order in orders for length in range(1, len(order) + 1)}
    ends = {order for order in orders if not any(other[: len(order)] == order != other for other in orders)}
    ends -= {(2, 0, 1, 3)}  # asked for twice
    assert len(ran) == len(prefixes) == 12
    assert ran.count(1) == (0 if model.config.predict_position else len(ends)) < 4
    table = evaluate(model, TensorDataset(images, torch.zeros(6, dtype=torch.long)), orders)
    assert table["order"].tolist() == [" ".join(map(str, order)) for order in orders], "as they were given"
    losses = [-output.logits.log_softmax(-1)[:, 0].mean().item() for output in alone]
    assert table["loss"].tolist() == pytest.approx(losses)


def test_orders_may_come_in_any_order(toy, images):
    model = toy()
    assert list(outputs(model, [], images)) == []
    orders = [(), (1,), (1, 0), (1,), (1,), (0, 1, 1), (0, 1), (), (3, 2)]
    for order, output in zip(orders, outputs(model, orders, images), strict=True):
        z = model.embedded(images)
        for position, index in enumerate(order):
            z, _ = model.step(z, (), index, position)
        torch.testing.assert_close(output.logits, model.output(z, ()).logits)


def test_a_model_in_training_drops_out_in_its_last_layer_too(toy, images):
    model = toy(hidden_dropout_prob=0.5, attention_probs_dropout_prob=0.5).train()
    torch.manual_seed(0)
    expected = model(images, order=(2, 0)).logits
    torch.manual_seed(0)
    (output,) = outputs(model, [(2, 0)], images)
    assert torch.equal(output.logits, expected)


def test_an_order_that_the_model_does_not_have_is_refused(toy, images):
    with pytest.raises(OrderError, match="layer 4"):
        evaluate(toy(), TensorDataset(images, torch.zeros(6, dtype=torch.long)), [(0, 1), (0, 4)])
