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
    """Keep what lies outside of the blocks (or masks) as it is when these parameters are updated next: the weights, and
    the optimizer's moments of them. The function that is returned calls this off.

    Whose optimizer it is, a network cannot know, so this is a hook of all, which goes away once each parameter has been
    updated, be it by one optimizer or by several, together or one by one.
    """
    blocks = dict(drawn)
    updated: list[nn.Parameter] = []
    held: list[tuple[Tensor, Block | Tensor]] = []
    before_it: list[Tensor] = []

    @torch.no_grad()
    def before(optimizer: torch.optim.Optimizer, *_: object) -> None:
        updated[:] = [one for group in optimizer.param_groups for one in group["params"] if one in blocks]
        held.clear()  # an earlier step may have failed
        for parameter in updated:
            moments = [one for one in optimizer.state[parameter].values() if getattr(one, "shape", None) is not None]
            tensors = parameter, *(one for one in moments if one.shape == parameter.shape)
            held.extend((tensor, blocks[parameter]) for tensor in tensors)
        before_it[:] = torch._foreach_clone([tensor for tensor, _ in held]) if held else []

    @torch.no_grad()
    def after(optimizer: torch.optim.Optimizer, *_: object) -> None:
        for (tensor, block), old in zip(held, before_it, strict=True):
            old[block] = tensor[block]
        if held:
            torch._foreach_copy_([tensor for tensor, _ in held], before_it)
        for parameter in updated:
            del blocks[parameter]
        if not blocks:
            off()

    handles = [register_optimizer_step_pre_hook(before), register_optimizer_step_post_hook(after)] if blocks else []

    def off() -> None:
        for handle in handles:
            handle.remove()

    return off
