"""Missing layers: what they are worth, and which are chosen."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
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


def subsets(layers):
    """All sets of layers but the empty one, in sequence."""
    return [those for size in range(1, layers + 1) for those in itertools.combinations(range(layers), size)]


def silence(block):
    """Let a layer add nothing: the output projections of its attention and its MLP are zero."""
    with torch.no_grad():
        for weights in (block.attention.o_proj, block.mlp.fc2):
            weights.weight.zero_()
            weights.bias.zero_()


@pytest.fixture
def harder(toy):
    """A model, and 40 images of which it predicts about two thirds correctly in sequence, fewer without a layer."""
    model, rng = toy(), torch.Generator().manual_seed(1)
    images = torch.rand(40, 1, 8, 8, generator=rng) * 2 - 1
    labels = model(images).logits.argmax(-1)
    labels[::3] = torch.randint(0, 10, labels[::3].shape, generator=rng)
    return model, TensorDataset(images, labels)


def by_permutations(worth, players):
    """Shapley's definition: the mean gain over all turns in which the players can come in."""
    gains = np.zeros(players)
    for turn in itertools.permutations(range(players)):
        inside = 0
        for player in turn:
            gains[player] += worth[inside | 1 << player] - worth[inside]
            inside |= 1 << player
    return gains / math.factorial(players)


@pytest.mark.parametrize("players", [1, 2, 4, 5])
def test_the_exact_value_is_the_mean_over_all_permutations(players):
    worth = np.random.default_rng(players).normal(size=2**players)
    found = [pruning.exact_shapley(worth, player) for player in range(players)]
    assert found == pytest.approx(by_permutations(worth, players))
    assert sum(found) == pytest.approx(worth[-1] - worth[0])


def test_every_subset_has_the_accuracy_that_an_evaluation_of_it_has(harder):
    model, dataset = harder
    found, expected = pruning.subset_accuracies(model, dataset), subsets(4)
    top1 = evaluate(model, dataset, expected)["top1"].tolist()
    assert len(found) == 16 and found[0] == 0.1, "chance"
    assert [found[sum(1 << layer for layer in those)] for those in expected] == pytest.approx(top1)
    assert len(set(top1)) > 5, "layers matter"


def test_shapley_values_are_those_of_the_evaluated_subsets_and_add_up_to_the_accuracy_above_chance(harder):
    model, dataset = harder
    worth = {(): 0.1, **dict(zip(subsets(4), evaluate(model, dataset, subsets(4))["top1"], strict=True))}
    order = [tuple(layer for layer in range(4) if number >> layer & 1) for number in range(16)]
    table = pruning.shapley(model, dataset)
    assert table["layer"].tolist() == [0, 1, 2, 3] and (table["error"] == 0).all()
    assert table["contribution"].tolist() == pytest.approx(by_permutations([worth[those] for those in order], 4))
    assert table["contribution"].sum() == pytest.approx(worth[0, 1, 2, 3] - 0.1)


def test_layers_that_can_stand_for_each_other_have_equal_values(harder):
    """Neighbours with equal weights: no layer runs between them, so it does not matter which of both is in."""
    model, dataset = harder
    model.vit.layers[2].load_state_dict(model.vit.layers[1].state_dict())
    values = pruning.shapley(model, dataset)["contribution"]
    assert values[1] == pytest.approx(values[2]) and values[0] != pytest.approx(values[1])
    for layer in (0, 3):
        model.vit.layers[layer].load_state_dict(model.vit.layers[1].state_dict())
    whole = evaluate(model, dataset, [(0, 1, 2, 3)])["top1"].item()
    assert pruning.shapley(model, dataset)["contribution"].tolist() == pytest.approx([(whole - 0.1) / 4] * 4)


def test_a_layer_that_does_nothing_is_worth_what_no_layer_is_worth_above_chance(harder):
    """It comes in first in every fourth turn, where it replaces chance; then it adds nothing."""
    model, dataset = harder
    silence(model.vit.layers[2])
    images, labels = dataset.tensors
    logits = model.classifier(model.vit.layernorm(model.vit.embeddings(images))[:, 0])
    without = (logits.argmax(-1) == labels).float().mean().item()
    values = pruning.shapley(model, dataset)["contribution"]
    assert values[2] == pytest.approx((without - 0.1) / 4)
    for layer in (0, 1, 3):
        silence(model.vit.layers[layer])
    assert pruning.shapley(model, dataset)["contribution"].tolist() == pytest.approx([(without - 0.1) / 4] * 4)


def test_of_too_many_layers_turns_are_drawn_and_the_error_is_that_of_their_mean(harder, monkeypatch):
    model, dataset = harder
    exact = pruning.shapley(model, dataset)["contribution"]
    monkeypatch.setattr(pruning, "EXACT", 3)
    tables = [pruning.shapley(model, dataset, draws=50, seed=seed) for seed in range(40)]
    values = np.array([table["contribution"] for table in tables])  # (seeds, layers)
    errors = np.array([table["error"] for table in tables])
    assert values.sum(1) == pytest.approx(np.full(40, exact.sum()))
    assert len(np.unique(values, axis=0)) == 40, "each network has draws of its own"
    assert (abs(values.mean(0) - exact) < 4 * errors.mean(0) / np.sqrt(40)).all(), "unbiased"
    assert np.allclose(values.std(0, ddof=1), errors.mean(0), rtol=0.4)
    pd.testing.assert_frame_equal(pruning.shapley(model, dataset, draws=50, seed=7), tables[7])


def test_contributions_have_both_measures_on_the_selection_images(harder):
    model, dataset = harder
    table = pruning.contributions([model], SimpleNamespace(selection=dataset), seed=0)
    assert table.groupby("measure").size().to_dict() == {"leave one out": 4, "Shapley value": 4}
    for name, function in {"leave one out": pruning.leave_one_out, "Shapley value": pruning.shapley}.items():
        found, expected = table[table["measure"] == name], function(model, dataset)
        assert found["contribution"].tolist() == expected["contribution"].tolist() and (found["error"] == 0).all()


def test_a_layer_that_does_nothing_goes_first(labelled):
    model, dataset = labelled
    silence(model.vit.layers[2])
    assert pruning.leave_one_out(model, dataset)["contribution"][2] == 0
    kept = pruning.greedy(model, dataset)
    assert [len(order) for order in kept] == [4, 3, 2, 1]
    assert all(set(fewer) < set(more) for more, fewer in itertools.pairwise(kept))
    best = min(itertools.combinations(range(4), 3), key=lambda order: evaluate(model, dataset, [order])["loss"].item())
    assert kept[1] == best
