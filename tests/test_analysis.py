"""What is recorded is what the model does."""

import numpy as np
import pandas as pd
import pytest
import torch

from lsnotebook import analysis, runs
from lsnotebook.analysis import named_by_neighbours, outputs_of, record
from lsnotebook.profiles import PROFILES

ORDERS = [(0, 1, 2, 3), (3, 2, 1, 0), (0, 1, 2, 3), (2, 0, 3, 1), (1, 1, 2, 0), (3, 0, 0, 2)]


@pytest.mark.parametrize("options", [{}, {"encode_position": True}, {"predict_position": True}])
def test_each_image_runs_in_its_own_order_as_the_model_runs_it(toy, images, options):
    model = toy(**options)
    noted = record(model, images, ORDERS)
    assert noted.layers.tolist() == [list(order) for order in ORDERS]
    for image, order in enumerate(ORDERS):
        logits = model(images[image : image + 1], order=order).logits
        last = torch.from_numpy(noted.outputs[image, -1])
        assert torch.allclose(model.classifier(model.vit.layernorm(last)), logits[0], atol=1e-5)


def test_norms_are_of_what_the_layer_adds_to_the_class_token(toy, images):
    model = toy()
    noted = record(model, images, ORDERS)
    before = np.concatenate([model.vit.embeddings(images)[:, :1].detach().numpy(), noted.outputs[:, :-1]], axis=1)
    assert np.allclose(noted.contribution, np.linalg.norm(noted.outputs - before, axis=-1), atol=1e-5)
    assert (noted.contribution <= noted.attention + noted.mlp + 1e-5).all()
    assert noted.looks.shape == (6, 4, 4, 5)
    assert np.allclose(noted.looks.sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("variant", [{}, {"distilled": True}], ids=["ViT", "DeiT"])
def test_an_attention_map_is_of_the_patches_alone(toy, images, variant):
    noted = record(toy(**variant), images, ORDERS)
    maps = analysis.attention_maps(noted, 2)
    assert maps.shape == (2, 4, 2, 2)
    assert np.allclose(maps[1, 3].ravel(), noted.looks[1, 3].mean(0)[-4:])


def test_the_outputs_of_a_layer_come_with_its_positions(toy, images):
    noted = record(toy(), images, ORDERS)
    vectors, positions = outputs_of(noted, 3)
    assert positions.tolist() == [3, 0, 3, 2, 0]
    assert np.array_equal(vectors[1], noted.outputs[1, 0])


def test_neighbours_name_what_is_plain_and_guess_what_is_not():
    rng = np.random.default_rng(0)
    positions = np.repeat(np.arange(4), 100)
    plain = positions[:, None] + 0.01 * rng.normal(size=(400, 3))
    assert (named_by_neighbours(plain, positions) == positions).mean() == 1
    assert (named_by_neighbours(rng.normal(size=(400, 3)), positions) == positions).mean() < 0.4


def test_switched_off_counts_the_pairs_that_add_next_to_nothing():
    table = pd.DataFrame(
        {
            "approach": "layershuffle",
            "layer": [0, 0, 1, 1],
            "position": [0, 1, 0, 1],
            "contribution": [1.5, 0.5, 1.95, 0.05],
        }
    )
    row = analysis.switched_off(table).loc["layershuffle"]
    assert row.iloc[0] == 25 and row.iloc[1] == pytest.approx(5)
    assert (row["by layer"], row["at position"]) == (1, 1)


@pytest.mark.slow
def test_norms_are_in_units_of_the_layers_own_mean(trained):
    models = runs.study(PROFILES["smoke"], ["baseline"], 1)
    table = analysis.norms(models, 40)
    assert np.allclose(table.groupby("layer")[["contribution", "attention", "mlp"]].mean(), 1)
    assert (table["distance"] == table["position"] - table["layer"]).all() and len(table) == 40 * 4
    assert analysis.dependence(models, 40)["correlation"].between(-1, 1).all()
    read = analysis.readability(models, 1, 100)
    assert read[["accuracy", "first", "others"]].stack().between(0, 1).all()
