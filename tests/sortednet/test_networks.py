"""Training moves the drawn sub-model alone (Algorithm 1)."""

import copy
import dataclasses
import pickle

import pytest
import torch

from lsnotebook.core.profiles import PLAIN
from lsnotebook.core.randomness import stream
from lsnotebook.core.seeding import seeded
from lsnotebook.engine.at_once import update_at_once
from lsnotebook.engine.launch import prepare
from lsnotebook.engine.loop import gradients
from lsnotebook.sortednet.approaches import BOTH, INNER, MOVING, SUMMATION
from lsnotebook.sortednet.networks import StartError, initial, restored, stock
from lsnotebook.sortednet.profiles import SMOKE
from lsnotebook.sortednet.samplers import Only, Prefix
from lsnotebook.sortednet.submodels import block, extract


def network(approach=BOTH):
    with seeded(0, "toy"):
        return initial(SMOKE, approach)


def step(model, optimizer, images, order):
    """One step of training; the changes of the parameters, by name."""
    before = {name: one.detach().clone() for name, one in model.named_parameters()}
    model(images, order=order, labels=torch.arange(len(images))).loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return {name: (one - before[name]).detach() for name, one in model.named_parameters()}


def outside(model, changes, order):
    """How many numbers moved in the drawn sub-model, and outside of it."""
    small, moved = dict(model.sub_model(order)[0].named_parameters()), torch.zeros(2, dtype=int)
    for name, change in changes.items():
        drawn = torch.zeros_like(change, dtype=bool)
        if name in small:
            drawn[block(small[name].shape)] = True
        moved += torch.tensor([(change[drawn] != 0).sum(), (change[~drawn] != 0).sum()])
    return moved.tolist()


@pytest.mark.parametrize("approach", [BOTH, INNER])
def test_a_step_moves_the_drawn_sub_model_alone(approach, images):
    model = network(approach).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, fused=True)
    step(model, optimizer, images, (3, 4))  # from now on there is momentum everywhere
    inside, beyond = outside(model, step(model, optimizer, images, (2, 2)), (2, 2))
    assert inside > 1_000 and beyond == 0
    inside, beyond = outside(model, step(model, optimizer, images, (3, 4)), (3, 4))
    assert beyond == 0 and inside > 10_000, "the hook is gone: all of the whole network moves again"


@pytest.mark.parametrize("at_once", [False, True])
def test_so_does_a_step_of_the_training_loop(images, at_once):
    launch = prepare(network(), SMOKE.refine, BOTH.order, PLAIN)
    if at_once:
        update_at_once(launch)
    model, labels = launch.network.train(), torch.arange(len(images))
    for order in ((3, 4), (2, 2)):
        before = {name: one.detach().clone() for name, one in model.named_parameters()}
        gradients(launch, images, labels, order)
        launch.optimizer.step()
        launch.optimizer.zero_grad()
    changes = {name: (one - before[name]).detach() for name, one in model.named_parameters()}
    inside, beyond = outside(model, changes, (2, 2))
    assert inside > 1_000 and beyond == 0


def test_a_plain_optimizer_moves_the_rest_too(images):
    model = network(MOVING).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    step(model, optimizer, images, (3, 4))
    assert outside(model, step(model, optimizer, images, (2, 2)), (2, 2))[1] > 1_000


def test_moments_outside_stay_too_and_a_step_that_never_came_is_forgotten(images):
    model = network().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    step(model, optimizer, images, (3, 4))
    weight = model.vit.layers[0].mlp.fc1.weight
    momentum = optimizer.state[weight]["momentum_buffer"]
    before = momentum.clone()
    model(images, order=(1, 1))  # no step follows
    step(model, optimizer, images, (1, 2))
    assert torch.equal(momentum[32:], before[32:]) and not torch.equal(momentum[16:32, :16], before[16:32, :16])


def test_the_summation_loss_is_that_of_every_target_inside(images):
    model, labels = network(SUMMATION).eval(), torch.arange(len(images))
    assert model.config.targets == [1, 2, 3]  # of 4 layers: the first, and the quarters
    losses = {layers: network(BOTH).eval()(images, order=(layers, 4), labels=labels).loss for layers in (1, 2, 3, 4)}
    assert model(images, labels=labels).loss.item() == pytest.approx(sum(losses.values()).item())
    assert model(images, order=(1, 4), labels=labels).loss == losses[1]


def test_its_sub_models_are_those_of_the_stock_class(images):
    model = network(INNER).eval()
    assert model.config.width == "inner"
    assert torch.equal(model(images, order=(2, 3)).logits, extract(stock(model), (2, 3), "inner")(images).logits)
    assert torch.equal(model(images).logits, stock(model)(images).logits)
    again = restored(model.config.to_dict())
    again.load_state_dict(model.state_dict())
    assert torch.equal(again.eval()(images, order=(2, 3)).logits, model(images, order=(2, 3)).logits)


def test_parameters_that_are_exchanged_and_copies_of_a_network_have_skeletons_of_their_own(images):
    model, other = network().train(), network(INNER)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    step(model, optimizer, images, (2, 2))  # has made skeletons, and views of moments
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        inside, beyond = outside(copied, step(copied, torch.optim.Adam(copied.parameters()), images, (2, 2)), (2, 2))
        assert inside > 1_000 and beyond == 0
    with torch.no_grad():
        state = {name: one + 1 for name, one in other.state_dict().items()}
    model.load_state_dict(state, assign=True)
    assert torch.equal(model.eval()(images, order=(2, 4)).logits, extract(stock(model), (2, 4))(images).logits)


def test_a_profile_with_other_heads_or_a_checkpoint_is_refused(tmp_path):
    wider = dataclasses.replace(SMOKE, backbone=dataclasses.replace(SMOKE.backbone, heads=8))
    with pytest.raises(StartError, match="draws 1 to 4 heads, but the network of sorted-smoke has 8"):
        initial(wider, BOTH)
    with pytest.raises(StartError, match=r"no backbone\.checkpoint"):
        initial(SMOKE, BOTH, checkpoint=tmp_path)


def test_samplers_draw_every_size_and_no_other():
    drawn = {Prefix(2)(3, stream(0, "order", k)) for k in range(100)}
    assert drawn == {(layers, heads) for layers in (1, 2, 3) for heads in (1, 2)}
    assert {Prefix(2, width=False)(3, stream(0, "order", k)) for k in range(50)} == {(1, 2), (2, 2), (3, 2)}
    assert {Prefix(2, depth=False)(3, stream(0, "order", k)) for k in range(50)} == {(3, 1), (3, 2)}
    assert Only(2, 1)(3) == (2, 1) and Only(2, 1).is_deterministic(3) and not Prefix(2).is_deterministic(3)
