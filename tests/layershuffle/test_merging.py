"""Merged models and ensembles: whose weights they are, and what they compute."""

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import TensorDataset

from lsnotebook.layershuffle.evaluation import score
from lsnotebook.layershuffle.merging import MergeError, Sources, draw_sources, drift, mean_logits, merge


@given(st.integers(1, 8), st.integers(1, 12), st.data())
def test_layers_come_from_as_many_sources_as_asked_for_as_evenly_as_can_be(layers, models, data):
    distinct = data.draw(st.integers(1, min(layers, models)))
    for sources in draw_sources(layers, models, 3, distinct, seed=data.draw(st.integers(0, 5))):
        counts = pd.Series(sources.layers).value_counts()
        assert len(sources.layers) == layers and len(counts) == distinct
        assert counts.max() - counts.min() <= 1
        assert sources.rest in sources.layers and max(sources.layers) < models


@given(st.integers(1, 8), st.integers(0, 4))
def test_by_default_no_two_layers_come_from_one_source(layers, spare):
    assert all(len(set(sources.layers)) == layers for sources in draw_sources(layers, layers + spare, 4))


@pytest.mark.parametrize(("models", "distinct"), [(3, None), (12, 5), (2, 3), (4, 0)])
def test_too_few_models_are_refused_with_a_sentence(models, distinct):
    with pytest.raises(MergeError, match=r"4 layers of \d+ models can come from 1 to"):
        draw_sources(4, models, 1, distinct)


def test_a_merged_model_is_its_sources_own_layers(toy, images):
    models = [toy(seed) for seed in range(4)]
    sources = Sources((2, 0, 3, 1), rest=1)
    merged = merge(models, sources)
    for index, source in enumerate(sources.layers):
        assert merged.vit.layers[index] is models[source].vit.layers[index]
    own = {id(weight) for model in models for weight in model.parameters()}
    assert all(id(weight) in own for weight in merged.parameters()), "a weight was copied"

    # The same as the naive way: build its state dict, and load that into a new model.
    state = models[sources.rest].state_dict()
    for name in state:
        if name.startswith("vit.layers."):
            state[name] = models[sources.layers[int(name.split(".")[2])]].state_dict()[name]
    naive = toy(9)
    naive.load_state_dict(state)
    order = (3, 1, 0, 2)
    assert torch.equal(merged(images, order=order).logits, naive(images, order=order).logits)
    assert len(models[1].vit.layers) == 4 and models[1].vit.layers[0] is not merged.vit.layers[0]


def test_a_model_merged_from_one_source_is_that_source(toy, images):
    models = [toy(0), toy(1)]
    merged = merge(models, Sources((1, 1, 1, 1), rest=1))
    assert torch.equal(merged(images).logits, models[1](images).logits)


def test_layers_that_know_their_position_are_not_merged(toy):
    with pytest.raises(MergeError, match="are not merged"):
        merge([toy(encode_position=True)], Sources((0, 0, 0, 0), 0))


def test_an_ensemble_is_the_mean_of_the_logits_each_in_its_own_order(toy, images):
    models, orders = [toy(0), toy(1)], [(0, 1, 2, 3), (3, 2)]
    expected = (models[0](images, order=orders[0]).logits + models[1](images, order=orders[1]).logits) / 2
    assert torch.allclose(mean_logits(models, orders, images).logits, expected)


def test_score_takes_the_outputs_of_any_models(toy, images):
    model = toy()
    labels, same = model(images).logits.argmax(-1), merge([model], Sources((0, 0, 0, 0), 0))
    table = score(lambda pixel_values: (one(pixel_values) for one in (model, same)), TensorDataset(images, labels))
    assert table["top1"].tolist() == [1, 1]


def test_drift_is_the_distance_of_the_layers_in_units_of_their_norm(toy):
    base, moved = toy(), toy()
    assert drift(moved, base) == 0
    with torch.no_grad():
        moved.classifier.weight.add_(1)  # not of a layer
        for weight in moved.vit.layers.parameters():
            weight.mul_(1.5)
    assert drift(moved, base) == pytest.approx(0.5)
