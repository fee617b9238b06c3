"""Missing layers: what they are worth, and which are chosen."""

import itertools

import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

from lsnotebook.layershuffle import pruning
from lsnotebook.layershuffle.evaluation import evaluate


@pytest.fixture
def labelled(toy, images):
    """A model, and images whose labels are what it predicts in sequence."""
    model = toy()
    return model, TensorDataset(images, model(images).logits.argmax(-1))


def test_leave_one_out_is_the_loss_of_accuracy(labelled):
    model, dataset = labelled
    table = pruning.leave_one_out(model, dataset)
    for row in table.itertuples():
        without = tuple(layer for layer in range(4) if layer != row.layer)
        assert row.contribution == pytest.approx(1 - evaluate(model, dataset, [without])["top1"].item())


def test_shapley_values_add_up_to_the_accuracy_above_chance(labelled):
    table = pruning.shapley(*labelled, draws=5)
    assert table.groupby("draw")["contribution"].sum().to_numpy() == pytest.approx(np.full(5, 1 - 0.1))
    assert (table.groupby("draw")["layer"].nunique() == 4).all()


def test_a_layer_that_does_nothing_is_worth_nothing_and_goes_first(labelled):
    model, dataset = labelled
    with torch.no_grad():
        for weights in (model.vit.layers[2].attention.o_proj, model.vit.layers[2].mlp.fc2):
            weights.weight.zero_()
            weights.bias.zero_()
    shapley = pruning.shapley(model, dataset, draws=6)
    later = shapley[shapley.groupby("draw").cumcount() > 0]  # the first to come in replaces chance
    assert (later.query("layer == 2")["contribution"] == 0).all() and len(later.query("layer == 2"))
    assert pruning.leave_one_out(model, dataset)["contribution"][2] == 0
    kept = pruning.greedy(model, dataset)
    assert [len(order) for order in kept] == [4, 3, 2, 1]
    assert all(set(fewer) < set(more) for more, fewer in itertools.pairwise(kept))
    best = min(itertools.combinations(range(4), 3), key=lambda order: evaluate(model, dataset, [order])["loss"].item())
    assert kept[1] == best
