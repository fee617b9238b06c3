"""One training loop for every approach (Algorithm 1, §4): the approaches differ in the orders that they draw.

All randomness derives from (seed, purpose, step), so a run that is resumed takes the same steps as one that was
never interrupted.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.utils.data import Dataset, Subset

from lsnotebook.core.randomness import stream
from lsnotebook.core.seeding import seeded
from lsnotebook.data.augmentation import augmented
from lsnotebook.data.batches import Batches, in_turn
from lsnotebook.engine.launch import Launch, TrainingError, read

if TYPE_CHECKING:
    from lsnotebook.core.orders import Order, Sampler
    from lsnotebook.core.profiles import Schedule
    from lsnotebook.data.splits import Splits


def fit(
    launch: Launch,
    splits: "Splits",
    schedule: "Schedule",
    sampler: "Sampler",
    layers: int,
    seed: int,
    start: int = 0,
    augment: bool = False,
) -> Iterator[dict[str, float]]:
    """Train from step `start` on, with an order drawn anew for each batch.

    Yields every `schedule.check_every` steps, and at the end, a row: step, learning_rate, train_loss (the mean since
    the last row), selection_loss and selection_top1. Raises `TrainingError` where a loss is not finite, and
    where a batch cannot be split over the ranks.
    """
    accelerator, network, optimizer, machine = launch
    batches = Batches(len(splits.train), schedule.batch_size, seed, start, schedule.steps)
    if batches.batch_size % accelerator.num_processes:
        raise TrainingError(
            f"A batch of {batches.batch_size} images cannot be split evenly over {accelerator.num_processes} "
            "processes; launch a number of processes that divides it."
        )
    rank, orders = accelerator.process_index, selection_orders(sampler, layers, seed, schedule.selection_orders)
    losses = []
    network.train()
    for step, (pixel_values, labels) in enumerate(read(splits.train, batches, accelerator, machine), start=start):
        order = sampler(layers, stream(seed, "order", step))
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(schedule, step)
        if augment:
            pixel_values = augmented(pixel_values, stream(seed, f"augment {rank}", step))
        with seeded(seed, f"dropout {rank}", step):
            losses.append(gradients(launch, pixel_values, labels, order))
        optimizer.step()
        optimizer.zero_grad()

        done = step + 1
        if done % schedule.check_every == 0 or done == schedule.steps:
            since = accelerator.reduce(torch.stack(losses), "mean")
            check_finite(since, done - len(losses))
            row = {
                "step": done,
                "learning_rate": learning_rate(schedule, step),
                "train_loss": since.mean().item(),
                **selection_score(network, splits.selection, orders, schedule.batch_size, accelerator, machine.readers),
            }
            check_finite(torch.tensor([row["selection_loss"]]), done)  # the last update may have broken it
            losses = []
            yield row


def selection_orders(sampler: "Sampler", layers: int, seed: int, count: int) -> list["Order"]:
    """The orders of the evaluations on the selection images, without repeats."""
    return list(dict.fromkeys(sampler(layers, stream(seed, "selection order", k)) for k in range(count)))


def is_best(history: Sequence[dict[str, float]]) -> bool:
    """Whether the last row has the lowest loss on the selection images: early stopping keeps its weights."""
    *before, last = (row["selection_loss"] for row in history)
    return not before or last < min(before)


def gradients(launch: Launch, pixel_values: Tensor, labels: Tensor, order: "Order") -> Tensor:
    """Accumulate the gradients of this rank's images over micro-batches, and return their mean loss."""
    accelerator, network, _, machine = launch
    parts = list(zip(pixel_values.chunk(machine.accumulate), labels.chunk(machine.accumulate), strict=True))
    loss = torch.zeros((), device=pixel_values.device)
    for k, (images, targets) in enumerate(parts, start=1):
        share = len(images) / len(pixel_values)  # the loss is a mean: weigh a part by its size
        with accelerator.no_sync(network) if k < len(parts) else contextlib.nullcontext():
            part = network(images, order=order, labels=targets).loss * share
            accelerator.backward(part)
        loss += part.detach()
    return loss


def learning_rate(schedule: "Schedule", step: int) -> float:
    """Linear warm-up to `schedule.learning_rate`, then linear decay to zero at the end."""
    rise = (step + 1) / max(1, schedule.warmup * schedule.steps)
    fall = (1 - step / schedule.steps) / (1 - schedule.warmup)
    return schedule.learning_rate * min(1.0, rise, fall)


@torch.no_grad()
def selection_score(
    network: nn.Module,
    images: Dataset,
    orders: Sequence["Order"],
    batch_size: int,
    accelerator: Accelerator,
    readers: int = 0,
) -> dict[str, float]:
    """The training loss (as in the authors' trainer) and top-1 on `images`, averaged over `orders`."""
    network.eval()
    device, ranks = accelerator.device, accelerator.num_processes
    even, size = len(images) - len(images) % ranks, max(1, batch_size // ranks)
    # A loss is the mean of a batch, so none is padded: all ranks have equally many images, and each the few left over.
    shares = range(accelerator.process_index, even, ranks), range(even, len(images))
    sums = np.zeros((2, 2))
    for total, share in zip(sums, shares, strict=True):
        for pixel_values, labels in in_turn(Subset(images, share), size, device, readers) if share else ():
            pixel_values, labels = pixel_values.to(device), labels.to(device)
            for order in orders:
                output = network(pixel_values, order=order, labels=labels)
                each = output.loss.float().expand(len(labels)), (output.logits.argmax(-1) == labels).float()
                total += [values.sum().item() for values in each]
    network.train()
    of_ranks = accelerator.reduce(torch.tensor(sums[0], device=device if ranks > 1 else "cpu"), "sum").cpu().numpy()
    loss, correct = ((of_ranks + sums[1]) / (len(images) * len(orders))).tolist()
    return {"selection_loss": loss, "selection_top1": correct}


def check_finite(losses: Tensor, first_step: int) -> None:
    """Raise `TrainingError` that names the first step whose loss is not finite."""
    bad = (~losses.isfinite()).nonzero()
    if len(bad):
        raise TrainingError(
            f"The loss is {losses[bad[0]].item()} at step {first_step + int(bad[0])}; the last good state is kept. "
            "Lower the profile's learning_rate, or train in full precision."
        )
