"""Layers held in place, layers exchanged, and the answer after every layer, against passes of the model itself."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import TensorDataset

from lsnotebook.core.draws import draw
from lsnotebook.core.orders import arbitrary
from lsnotebook.layershuffle import collapse
from lsnotebook.layershuffle.evaluation import evaluate

ORDERS = [(3, 1, 0, 2), (2, 3, 1, 0), (1, 0, 2, 3)]


@pytest.fixture
def splits(images):
    return SimpleNamespace(validation=TensorDataset(images, torch.tensor([0, 3, 3, 9, 1, 2])))


@given(st.permutations(range(7)), st.sets(st.integers(0, 6)))
def test_held_layers_are_in_place_and_the_others_as_they_were_drawn(order, layers):
    found = collapse.held(order, layers)
    assert sorted(found) == list(range(7)) and all(found[layer] == layer for layer in layers)
    assert [layer for layer in found if layer not in layers] == [layer for layer in order if layer not in layers]


def test_none_held_is_the_drawn_order_all_held_the_original_one(toy, splits):
    model = toy()
    table = collapse.anchored([model], splits, ORDERS, images=6)
    drawn, (original,) = (evaluate(model, splits.validation, those)["top1"] for those in (ORDERS, [(0, 1, 2, 3)]))
    for way in ("first", "last"):
        rows = table[table["way"] == way]
        assert rows.loc[rows["number"] == 0, "top1"].tolist() == drawn.tolist()
        assert rows.loc[rows["number"] == 4, "top1"].tolist() == [original] * 3
    orders = table.set_index(["way", "number", "draw"])["order"]
    assert (
        orders["first", 2, 0] == "0 1 3 2" and orders["last", 1, 0] == "1 0 2 3" and orders["layer", 2, 1] == "3 1 2 0"
    )
    assert set(table.loc[table["way"] == "layer", "number"]) == {0, 1, 2, 3}


@pytest.mark.parametrize("layers", [2, 3, 12, 48])
def test_no_more_layers_are_held_than_there_are(layers):
    for way, number, those in collapse.holdings(layers):
        assert len(those) == (1 if way == "layer" else number) and all(0 <= layer < layers for layer in those)


def test_every_pair_is_exchanged_once_and_a_layer_with_itself_is_no_exchange(toy, splits):
    model = toy()
    table = collapse.swaps([model], splits, images=6).set_index(["first", "second"])["top1"]
    assert len(table) == 4 + 6
    orders = {(0, 3): (3, 1, 2, 0), (1, 2): (0, 2, 1, 3), (2, 2): (0, 1, 2, 3), (0, 0): (0, 1, 2, 3)}
    assert table[list(orders)].tolist() == evaluate(model, splits.validation, list(orders.values()))["top1"].tolist()


def test_the_lens_ends_with_what_the_model_says_and_begins_with_the_bare_embeddings(toy, splits, images):
    model, labels = toy(), splits.validation.tensors[1]
    table = collapse.lens([model], splits, ORDERS, images=6).set_index(["policy", "draw", "number"])["probability"]
    with torch.inference_mode():
        for policy, draw_, order in [("sequential", 0, None), *(("arbitrary", k, one) for k, one in enumerate(ORDERS))]:
            said = model(images, order=order).logits.softmax(-1)[range(6), labels].mean().item()
            assert table[policy, draw_, 4] == pytest.approx(said, rel=1e-5)
        embedded = model.classifier(model.vit.layernorm(model.embedded(images))[:, 0]).softmax(-1)
    assert (
        table["arbitrary", 1, 0] == table["sequential", 0, 0] == pytest.approx(embedded[range(6), labels].mean().item())
    )
    assert len(table) == 4 * 5


def test_draws_are_the_first_of_table_1():
    assert draw(arbitrary, 4, 10)[:3] == draw(arbitrary, 4, 3) and len(np.unique(draw(arbitrary, 12, 8), axis=0)) == 8
