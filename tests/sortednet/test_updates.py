"""A step moves what was drawn, and nothing else, whichever optimizers take it."""

import copy

import pytest
import torch

from lsnotebook.sortednet import updates
from lsnotebook.sortednet.updates import Drawn


def changed_outside(parameter, update):
    """How many numbers moved beyond the first two of a parameter, which alone are drawn; and whether these moved."""
    before = parameter.detach().clone()
    update()
    moved = parameter.detach() != before
    return int(moved[2:].sum()), bool(moved[:2].any())


def with_momentum(count=1):
    """Parameters (4,) and an optimizer for each, after a step that moved all of them."""
    parameters = [torch.nn.Parameter(torch.ones(4)) for _ in range(count)]
    optimizers = [torch.optim.SGD([one], lr=0.1, momentum=0.9) for one in parameters]
    for parameter, optimizer in zip(parameters, optimizers, strict=True):
        parameter.grad = torch.ones(4)
        optimizer.step()
    return parameters, optimizers


def test_parameters_of_several_optimizers_are_held_each_until_its_update():
    parameters, optimizers = with_momentum(2)
    Drawn({one: torch.Size([2]) for one in parameters}).update_only()
    for parameter, optimizer in zip(parameters, optimizers, strict=True):
        assert changed_outside(parameter, optimizer.step) == (0, True)
        assert changed_outside(parameter, optimizer.step)[0] == 2, "held for one update"


def test_a_step_that_fails_is_no_harm_to_the_next_ones():
    (parameter, other), (optimizer, its) = with_momentum(2)
    Drawn({parameter: torch.Size([2])}).update_only()

    def fails():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        optimizer.step(fails)
    assert changed_outside(other, its.step) == (2, True)
    assert changed_outside(parameter, optimizer.step) == (0, True)
    assert changed_outside(parameter, optimizer.step)[0] == 2


def test_nothing_to_hold_is_not_waited_for():
    drawn = Drawn({})
    drawn.update_only()
    assert drawn not in updates._pending  # where a step may be waited for that another test never took


def test_two_that_are_drawn_before_either_is_updated_are_both_held():
    parameters, optimizers = with_momentum(2)
    both = [Drawn({one: torch.Size([2])}) for one in parameters]
    for drawn in both:
        drawn.update_only()
    for drawn, parameter, optimizer in zip(both, parameters, optimizers, strict=True):
        assert drawn in updates._pending
        assert changed_outside(parameter, optimizer.step) == (0, True)
        assert drawn not in updates._pending


def test_moments_that_were_loaded_anew_are_held_as_well():
    (parameter,), (optimizer,) = with_momentum()
    drawn = Drawn({parameter: torch.Size([2])})
    for _ in range(3):
        optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))  # its moments are other tensors now
        momentum = optimizer.state[parameter]["momentum_buffer"]
        before = momentum.clone()
        drawn.update_only()
        assert changed_outside(parameter, optimizer.step) == (0, True)
        assert torch.equal(momentum[2:], before[2:]) and not torch.equal(momentum[:2], before[:2])
