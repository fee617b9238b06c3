"""Training that can be stopped at any moment: the loop, with its state kept on disk and read back.

A resumed run ends in the same weights as one that was never interrupted.
"""

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from accelerate.utils import DistributedType
from torch import nn
from torch.distributed.checkpoint.state_dict import get_model_state_dict, get_optimizer_state_dict, set_model_state_dict
from torch.utils.data import Subset

from lsnotebook.core.orders import Order, Sampler
from lsnotebook.core.profiles import PLAIN, Machine, Schedule
from lsnotebook.core.randomness import stream
from lsnotebook.data.batches import in_turn, reading
from lsnotebook.data.splits import Splits
from lsnotebook.engine.at_once import update_at_once
from lsnotebook.engine.launch import WHOLE, Launch, TrainingError, prepare
from lsnotebook.engine.loop import fit, is_best
from lsnotebook.engine.meter import Meter
from lsnotebook.engine.state import read_state, write_state


def train(
    network: nn.Module,
    splits: Splits,
    schedule: Schedule,
    sampler: Sampler,
    seed: int,
    folder: Path,
    advance: Callable[[int], None] = lambda steps: None,
    machine: Machine = PLAIN,
    augment: bool = False,
) -> pd.DataFrame:
    """Train `network` in place and leave it with the weights of its best checkpoint (early stopping).

    The best checkpoint is the one with the lowest loss on the selection images under the sampler's orders.
    `folder` keeps the state: where it holds one, training goes on from there. `advance` is told how many steps were
    done.

    Returns the rows of `loop.fit` with seconds and, where it is measured, joules. Raises `TrainingError` where the
    loss is not finite, where a batch cannot be split over the ranks, where it does not fit into the GPU's
    memory, where weights cannot be updated at once, and where the state is damaged, and `DataError` where images
    cannot be read.
    """
    layers = network.config.num_hidden_layers
    launch = prepare(network, schedule, sampler, machine)
    history, best = read_state(folder, launch.network, launch.optimizer.optimizer)
    if machine.update_at_once:
        update_at_once(launch)
    done = history[-1]["step"] if history else 0
    advance(done)
    meter, out_of_memory = Meter(launch.accelerator, history), False
    try:
        with reading():
            for row in fit(launch, splits, schedule, sampler, layers, seed, done, augment):
                history.append({**row, **meter.read()})
                best = save(launch, folder, history, best)
                advance(int(row["step"]) - done)
                done = int(row["step"])
    except torch.OutOfMemoryError:
        out_of_memory = True
    if out_of_memory:  # only now has the traceback freed what the failed pass kept
        raise TrainingError(too_large(launch, splits, schedule, sampler(layers, stream(seed, "order", 0))))
    options = dataclasses.replace(WHOLE, broadcast_from_rank0=launch.accelerator.num_processes > 1)
    set_model_state_dict(launch.network, best, options=options)
    return pd.DataFrame(history)


def save(launch: Launch, folder: Path, history: list[dict], best: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Write the state (rank 0 does), and return the best weights so far."""
    weights = get_model_state_dict(launch.network, options=WHOLE)  # rank 0's; empty on the others
    if is_best(history):
        best = {name: weight.detach().cpu().clone() for name, weight in weights.items()}
    adam = get_optimizer_state_dict(launch.network, launch.optimizer.optimizer, options=WHOLE)
    if launch.accelerator.is_main_process:
        write_state(folder, weights, adam["state"], history, best)
    return best


def too_large(launch: Launch, splits: Splits, schedule: Schedule, order: Order) -> str:
    """The error message where a micro-batch does not fit into memory: it names the size that does."""
    accelerator, network, _, machine = launch
    size = -(-min(schedule.batch_size, len(splits.train)) // accelerator.num_processes // machine.accumulate)
    if accelerator.distributed_type == DistributedType.FSDP:  # no rank runs a layer alone
        return (
            f"{size} images at a time do not fit into the memory of the GPU: train with --accumulate "
            "(the result is the same), or with --recompute."
        )
    images, labels = next(iter(in_turn(Subset(splits.train, range(size)), size)))
    images, labels, fits = images.to(accelerator.device), labels.to(accelerator.device), size
    while fits := fits // 2:
        torch.cuda.empty_cache()
        with contextlib.suppress(torch.OutOfMemoryError):
            with accelerator.no_sync(network):
                accelerator.backward(network(images[:fits], order=order, labels=labels[:fits]).loss)
            break
    if not fits:
        return "Not even one image fits into the memory of the GPU; train with --recompute, or on a larger one."
    return (
        f"{size} images at a time do not fit into the memory of the GPU, but {fits} do: train with --accumulate "
        f"{-(-size // fits) * machine.accumulate} (the result is the same), or with --recompute."
    )
