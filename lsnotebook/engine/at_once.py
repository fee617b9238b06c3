"""Each weight is updated as soon as its gradient is there, so that no two gradients wait for one another.

The same weights are learned, to the last bit, in less memory: the gradients together are as large as the network.
"""

import torch
from torch import Tensor

from lsnotebook.engine.launch import Launch, TrainingError


def update_at_once(launch: Launch) -> None:
    """Let the backward pass update the weights, by torch's post-accumulate hooks. The loop's own update then finds no
    gradient. To be called once Adam's state has been read.

    Raises `TrainingError` where a gradient is not whole before all of the batch has passed: with gradient accumulation,
    and with several processes, which sum their gradients up after these hooks.
    """
    accelerator, network, optimizer, machine = launch
    if machine.accumulate > 1 or accelerator.num_processes > 1:
        reason = "several processes" if accelerator.num_processes > 1 else "--accumulate"
        raise TrainingError(
            f"With {reason} a gradient is not whole in the backward pass, so that no weight can be updated there: "
            "leave out --update-at-once, or train on one device in whole batches."
        )
    adam = optimizer.optimizer

    @torch.no_grad()
    def update(weight: Tensor) -> None:
        (group,) = adam.param_groups
        all_weights, group["params"] = group["params"], [weight]
        adam.step()
        group["params"], weight.grad = all_weights, None

    for weight in network.parameters():
        weight.register_post_accumulate_grad_hook(update)
