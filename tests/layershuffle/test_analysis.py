"""What is recorded is what the model does."""

import numpy as np
import pytest
import torch

from lsnotebook.layershuffle.analysis import attention_maps, outputs_of, predicted_by_neighbours, trace

ORDERS = [(0, 1, 2, 3), (3, 2, 1, 0), (0, 1, 2, 3), (2, 0, 3, 1), (1, 1, 2, 0), (3, 0, 0, 2)]


@pytest.mark.parametrize("options", [{}, {"encode_position": True}, {"predict_position": True}])
def test_each_image_runs_in_its_own_order_as_the_model_runs_it(toy, images, options):
    model = toy(**options)
    traced = trace(model, images, ORDERS)
    assert traced.layers.tolist() == [list(order) for order in ORDERS]
    for image, order in enumerate(ORDERS):
        logits = model(images[image : image + 1], order=order).logits
        last = torch.from_numpy(traced.outputs[image, -1])
        assert torch.allclose(model.classifier(model.vit.layernorm(last)), logits[0], atol=1e-5)


def test_norms_are_of_what_the_layer_adds_to_the_class_token(toy, images):
    model = toy()
    traced = trace(model, images, ORDERS)
    before = np.concatenate([model.vit.embeddings(images)[:, :1].detach().numpy(), traced.outputs[:, :-1]], axis=1)
    assert np.allclose(traced.contribution, np.linalg.norm(traced.outputs - before, axis=-1), atol=1e-5)
    assert (traced.contribution <= traced.attention + traced.mlp + 1e-5).all()
    assert traced.weights.shape == (6, 4, 4, 5)
    assert np.allclose(traced.weights.sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("variant", [{}, {"distilled": True}], ids=["ViT", "DeiT"])
def test_an_attention_map_is_of_the_patches_alone(toy, images, variant):
    traced = trace(toy(**variant), images, ORDERS)
    maps = attention_maps(traced, 2)
    assert maps.shape == (2, 4, 2, 2)
    assert np.allclose(maps[1, 3].ravel(), traced.weights[1, 3].mean(0)[-4:])


def test_the_outputs_of_a_layer_come_with_its_positions(toy, images):
    traced = trace(toy(), images, ORDERS)
    vectors, positions = outputs_of(traced, 3)
    assert positions.tolist() == [3, 0, 3, 2, 0]
    assert np.array_equal(vectors[1], traced.outputs[1, 0])


def test_neighbours_predict_separated_positions_and_guess_where_there_is_only_noise():
    rng = np.random.default_rng(0)
    positions = np.repeat(np.arange(4), 100)
    separated = positions[:, None] + 0.01 * rng.normal(size=(400, 3))
    assert (predicted_by_neighbours(separated, positions) == positions).mean() == 1
    assert (predicted_by_neighbours(rng.normal(size=(400, 3)), positions) == positions).mean() < 0.4
