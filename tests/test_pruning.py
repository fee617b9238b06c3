"""Missing layers: what is kept, what it is worth, and how it is chosen."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import TensorDataset

from lsnotebook import pruning, runs
from lsnotebook.evaluation import accuracies, evaluate
from lsnotebook.orders import KEEP, OrderError, Pruned, draw, layerdrop
from lsnotebook.profiles import PROFILES
from lsnotebook.randomness import stream


@given(st.integers(1, 12), st.data(), st.sampled_from(KEEP), st.booleans())
def test_a_pruned_order_keeps_so_many_different_layers(layers, data, which, shuffled):
    keep = data.draw(st.integers(1, layers))
    order = Pruned(keep, which, shuffled)(layers, stream(0, "order", data.draw(st.integers(0, 9))))
    assert len(set(order)) == len(order) == keep and set(order) <= set(range(layers))
    assert shuffled or list(order) == sorted(order)
    if which == "first":
        assert set(order) == set(range(keep))
    if which == "even" and keep > 1:
        steps = np.diff(sorted(order))
        assert {0, layers - 1} <= set(order) and steps.max() - steps.min() <= 1


def test_random_layers_are_drawn_anew_for_each_order_and_a_choice_without_chance_has_one():
    assert len(set(draw(Pruned(6), 12, 10))) == 10
    assert draw(Pruned(6, "even"), 12, 10) == [(0, 2, 4, 7, 9, 11)]
    assert draw(Pruned(3, "first", shuffled=True), 12, 4)[0] in itertools.permutations(range(3))


@pytest.mark.parametrize("keep", [0, 13])
def test_a_model_cannot_keep_what_it_does_not_have(keep):
    with pytest.raises(OrderError, match="can keep 1 to 12 of its layers"):
        Pruned(keep)(12, stream(0, "order"))


def test_layerdrop_leaves_out_one_layer_in_five_and_never_all():
    orders = [layerdrop(12, stream(0, "order", step)) for step in range(2_000)]
    assert np.mean([len(order) for order in orders]) == pytest.approx(9.6, abs=0.1)
    assert all(list(order) == sorted(set(order)) for order in orders)
    assert all(layerdrop(1, stream(0, "order", step)) == (0,) for step in range(50))


@pytest.fixture
def judged(toy, images):
    """A model and images whose labels are what it says in sequence."""
    model = toy()
    return model, TensorDataset(images, model(images).logits.argmax(-1))


def test_leave_one_out_is_the_loss_of_accuracy(judged):
    model, dataset = judged
    table = pruning.leave_one_out(model, dataset)
    for row in table.itertuples():
        without = tuple(layer for layer in range(4) if layer != row.layer)
        assert row.contribution == pytest.approx(1 - evaluate(model, dataset, [without])["top1"].item())


def test_shapley_values_add_up_to_the_accuracy_above_chance(judged):
    table = pruning.shapley(*judged, draws=5)
    assert table.groupby("draw")["contribution"].sum().to_numpy() == pytest.approx(np.full(5, 1 - 0.1))
    assert (table.groupby("draw")["layer"].nunique() == 4).all()


def test_a_layer_that_does_nothing_is_worth_nothing_and_goes_first(judged):
    model, dataset = judged
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


@pytest.mark.slow
def test_the_refined_have_only_their_layers_and_pruning_to_all_is_no_pruning(trained):
    smoke = PROFILES["smoke"]
    model = runs.load(runs.Run(smoke, "refined-2", 0))
    assert len(model.vit.layers) == model.config.num_hidden_layers == 2
    table = pruning.refined_accuracies(smoke, [2, 4], seeds=1, orders=3)
    assert set(table["layers"]) == {2, 4} and set(table["approach"]) == {"refined"}
    models = runs.study(smoke, ["layershuffle"], 1)
    whole = pruning.pruned_accuracies(models, [4], orders=3).query("policy == 'sequential'")["top1"]
    assert whole.tolist() == accuracies(models, "sequential")["top1"].tolist()
