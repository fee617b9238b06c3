"""Merged models and ensembles: whose weights they are, and what they compute."""

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import TensorDataset

from lsnotebook import merging, runs
from lsnotebook.evaluation import accuracies, score
from lsnotebook.merging import MergeError, Sources, draw_sources, mean_logits, merge
from lsnotebook.profiles import PROFILES


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


def test_score_takes_any_forward_pass(toy, images):
    model = toy()
    labels = model(images).logits.argmax(-1)
    table = score([model, merge([model], Sources((0, 0, 0, 0), 0))], TensorDataset(images, labels))
    assert table["top1"].tolist() == [1, 1]


@pytest.mark.slow
def test_merged_accuracies_of_a_study(trained, monkeypatch):
    models = runs.study(PROFILES["smoke"], ["baseline"], 4)
    table = merging.merged_accuracies(models, "sequential", 5)
    assert len(table) == 5 and (table["order"] == "0 1 2 3").all() and (table["distinct"] == 4).all()
    assert (table["sources"].map(lambda text: len(set(text.split()))) == 4).all()
    alone = merging.merged_accuracies(models, "sequential", 5, distinct=1)
    by_seed = accuracies(models, "sequential").set_index("seed")["top1"]
    assert alone["top1"].tolist() == [by_seed[int(text.split()[0])] for text in alone["sources"]]
    assert (merging.drifts(models)["drift"] > 0).all()
    monkeypatch.setattr(runs, "load", lambda run: pytest.fail("evaluated again"))
    pd.testing.assert_frame_equal(merging.merged_accuracies(models, "sequential", 5), table)


def test_table_2_has_the_papers_numbers_beside_ours():
    models = pd.DataFrame({"approach": "baseline", "model": "merged", "top1": [0.5, 0.7], "top5": [0.9, 0.9]})
    published = pd.DataFrame(
        {"approach": "baseline", "model": "merged", "measure": ["top1", "top5"], "mean": [0.0187, 0.0453], "std": 0.1}
    )
    table = merging.table2(models, published)
    assert table.loc["ViT, merged", ("top-1", "paper")] == "1.87 ± 10.00"
    assert table.loc["ViT, merged", ("top-1", "this build")] == "60.00 ± 14.14"


def test_where_merging_breaks_is_told_from_the_table():
    table = pd.DataFrame(
        {"approach": "baseline", "hotter": [1, 4], "drift": [0.1, 0.9], "source": 0.9, "merged": [0.8, 0.2], "std": 0.1}
    )
    assert "At a drift of 0.90 (4 times" in merging.broken(table)
    assert "Up to a drift of 0.10 they never" in merging.broken(table[:1])
