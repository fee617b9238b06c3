"""The update of Algorithm 1: a step moves the parameters of the drawn sub-model, and nothing else.

A layer that did not run has no gradient, and an optimizer leaves it alone. But of a weight that was cut, what lies
outside of the leading block has the gradient zero, and there Adam's momentum, or SGD's, goes on moving it.
"""

import functools
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

_pending: list["Drawn"] = []
"""Those with parameters that wait for their update."""


class Drawn:
    """What a sub-model has of some parameters, or several sub-models together."""

    def __init__(self, parts: Mapping[nn.Parameter, torch.Size | Tensor]):
        """`parts` are shapes of leading blocks, and masks."""
        self.parts = parts
        self.cut = {one: part for one, part in parts.items() if isinstance(part, Tensor) or part != one.shape}
        self.views: dict[tuple[nn.Parameter, ...], tuple[list[int], list[Tensor]]] = {}
        """Of what lies outside of the blocks, and the addresses of the tensors: to make them takes longer than a step.
        """
        self.waiting: set[nn.Parameter] = set()
        self.updated: list[nn.Parameter] = []
        self.restore: list[Callable[[], object]] = []

    def update_only(self) -> None:
        """Keep what lies outside as it is when these parameters are updated next, each once, be it by one optimizer or
        by several, together or one by one: the weights, and the optimizer's moments of them.

        Whose optimizer it is, a network cannot know, so this is a hook of all. It cannot hold what a forward pass
        within `optimizer.step(closure)` draws.
        """
        hook_all_optimizers()
        self.call_off()
        self.waiting = set(self.cut)
        if self.waiting:
            _pending.append(self)

    def call_off(self) -> None:
        """Forget an update that never came."""
        self.waiting = set()
        _pending[:] = [one for one in _pending if one is not self]

    def hold(self, optimizer: torch.optim.Optimizer) -> None:
        """Before a step: remember what lies outside of the blocks and masks, and forget what a failed step left."""
        self.updated = [one for group in optimizer.param_groups for one in group["params"] if one in self.waiting]
        self.restore, blocks = [], []
        for parameter in self.updated:
            part = self.cut[parameter]
            for tensor in with_moments(parameter, optimizer):
                if isinstance(part, Tensor):
                    self.restore.append(functools.partial(torch.where, part, tensor, tensor.clone(), out=tensor))
                else:
                    blocks.append((tensor, part))
        addresses, of = [tensor.data_ptr() for tensor, _ in blocks], tuple(self.updated)
        if self.views.get(of, ([], []))[0] != addresses:
            self.views[of] = addresses, [view for tensor, shape in blocks for view in outside(tensor, shape)]
        if blocks:
            views = self.views[of][1]
            self.restore.append(functools.partial(torch._foreach_copy_, views, torch._foreach_clone(views)))

    def let_go(self) -> None:
        """After the step: make it as it was."""
        for one in self.restore:
            one()
        self.waiting.difference_update(self.updated)
        if not self.waiting:
            self.call_off()


@functools.cache
def hook_all_optimizers() -> None:
    """Once a process: torch does not like hooks that go away while it calls them."""

    @torch.no_grad()
    def before(optimizer: torch.optim.Optimizer, *_: object) -> None:
        for one in _pending:
            one.hold(optimizer)

    @torch.no_grad()
    def after(*_: object) -> None:
        for one in list(_pending):
            one.let_go()

    register_optimizer_step_pre_hook(before)
    register_optimizer_step_post_hook(after)


def with_moments(parameter: nn.Parameter, optimizer: torch.optim.Optimizer) -> list[Tensor]:
    moments = [one for one in optimizer.state[parameter].values() if isinstance(one, Tensor)]
    return [parameter, *(one for one in moments if one.shape == parameter.shape)]


def outside(tensor: Tensor, shape: torch.Size) -> Iterator[Tensor]:
    """What is not in the leading block of a shape: of a matrix the rows below it, and what is right of it."""
    for dimension, length in enumerate(shape):
        if length < tensor.shape[dimension]:
            yield tensor[(*map(slice, shape[:dimension]), slice(length, None))]
