"""The update of Algorithm 1: a step moves the parameters of the drawn sub-model, and nothing else.

A layer that did not run has no gradient, and an optimizer leaves it alone. But of a weight that was cut, what lies
outside of the leading block has the gradient zero, and there Adam's momentum, or SGD's, goes on moving it.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

Block = tuple[slice, ...]


def update_only(drawn: Iterable[tuple[nn.Parameter, Block | Tensor]]) -> Callable[[], None]:
    """Keep what lies outside of the blocks (or masks) as it is, in the next step of the optimizer that holds these
    parameters: the weights, and the optimizer's moments of them. The function that is returned calls this off.

    Whose optimizer it is, a network cannot know, so this is a hook of all, which goes away after that step.
    """
    blocks = dict(drawn)
    held: list[Tensor] = []
    before_it: list[Tensor] = []
    inside: list[Block | Tensor] = []

    @torch.no_grad()
    def before(optimizer: torch.optim.Optimizer, *_: object) -> None:
        for parameter in (one for group in optimizer.param_groups for one in group["params"] if one in blocks):
            moments = [one for one in optimizer.state[parameter].values() if getattr(one, "shape", None) is not None]
            tensors = [parameter, *(one for one in moments if one.shape == parameter.shape)]
            held.extend(tensors)
            inside.extend([blocks[parameter]] * len(tensors))
        before_it.extend(torch._foreach_clone(held) if held else [])

    @torch.no_grad()
    def after(optimizer: torch.optim.Optimizer, *_: object) -> None:
        if not held:  # another optimizer's step
            return
        for old, tensor, block in zip(before_it, held, inside, strict=True):
            old[block] = tensor[block]
        torch._foreach_copy_(held, before_it)
        off()

    handles = [register_optimizer_step_pre_hook(before), register_optimizer_step_post_hook(after)]

    def off() -> None:
        for handle in handles:
            handle.remove()

    return off
