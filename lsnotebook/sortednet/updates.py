"""The update of Algorithm 1: a step moves the parameters of the drawn sub-model, and nothing else.

A layer that did not run has no gradient, and an optimizer leaves it alone. But of a weight that was cut, what lies
outside of the leading block has the gradient zero, and there Adam's momentum, or SGD's, goes on moving it.
"""

import functools
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook


class Drawn:
    """What a sub-model has of some parameters, or several sub-models together."""

    def __init__(self, parts: Mapping[nn.Parameter, torch.Size | Tensor]):
        """`parts` are shapes of leading blocks, and masks."""
        self.parts = parts
        self.cut = {one: part for one, part in parts.items() if isinstance(part, Tensor) or part != one.shape}
        self.views: dict[tuple[int, ...], list[Tensor]] = {}
        """Of what lies outside of the blocks, by the addresses of the tensors: making them takes longer than a step."""

    def update_only(self) -> Callable[[], None]:
        """Keep what lies outside as it is when these parameters are updated next: the weights, and the optimizer's
        moments of them. The function that is returned calls this off.

        Whose optimizer it is, a network cannot know, so this is a hook of all, which goes away once each parameter has
        been updated, be it by one optimizer or by several, together or one by one.
        """
        waiting = set(self.cut)
        updated: list[nn.Parameter] = []
        restore: list[Callable[[], object]] = []

        @torch.no_grad()
        def before(optimizer: torch.optim.Optimizer, *_: object) -> None:
            updated[:] = [one for group in optimizer.param_groups for one in group["params"] if one in waiting]
            restore[:] = self.hold(
                {one: with_moments(one, optimizer) for one in updated}
            )  # not what a failed step left

        @torch.no_grad()
        def after(*_: object) -> None:
            for one in restore:
                one()
            waiting.difference_update(updated)
            if not waiting:
                off()

        handles = (
            [register_optimizer_step_pre_hook(before), register_optimizer_step_post_hook(after)] if waiting else []
        )

        def off() -> None:
            for handle in handles:
                handle.remove()

        return off

    def hold(self, updated: dict[nn.Parameter, list[Tensor]]) -> Iterator[Callable[[], object]]:
        """Functions that make what lies outside of the blocks and masks as it is now."""
        blocks: list[tuple[Tensor, torch.Size]] = []
        for parameter, tensors in updated.items():
            part = self.cut[parameter]
            if isinstance(part, Tensor):
                for tensor in tensors:
                    yield functools.partial(torch.where, part, tensor, tensor.clone(), out=tensor)
            else:
                blocks += [(tensor, part) for tensor in tensors]
        addresses = tuple(tensor.data_ptr() for tensor, _ in blocks)
        if addresses not in self.views:
            self.views[addresses] = [view for tensor, shape in blocks for view in outside(tensor, shape)]
        if views := self.views[addresses]:
            yield functools.partial(torch._foreach_copy_, views, torch._foreach_clone(views))


def with_moments(parameter: nn.Parameter, optimizer: torch.optim.Optimizer) -> list[Tensor]:
    moments = [one for one in optimizer.state[parameter].values() if isinstance(one, Tensor)]
    return [parameter, *(one for one in moments if one.shape == parameter.shape)]


def outside(tensor: Tensor, shape: torch.Size) -> Iterator[Tensor]:
    """What is not in the leading block of a shape: of a matrix the rows below it, and what is right of it."""
    for dimension, length in enumerate(shape):
        if length < tensor.shape[dimension]:
            yield tensor[(*map(slice, shape[:dimension]), slice(length, None))]
