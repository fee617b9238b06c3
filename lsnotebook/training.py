"""One training loop for every approach (Algorithm 1, §4): the approaches differ in the orders that they draw.

A run's state is one file, written whole or not at all at every look at the selection images. All randomness
derives from (seed, purpose, step), so a run resumed from that file ends in the weights of one never interrupted.

Under `accelerate launch` a batch is split over the ranks, which all run the order of the step: N processes take
the same steps as one, and FSDP, which gathers a layer from all ranks when it runs, works as it is.
"""

import contextlib
import dataclasses
import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer
from accelerate.state import AcceleratorState
from accelerate.utils import DataLoaderConfiguration, DistributedDataParallelKwargs, DistributedType
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.utils.data import Dataset
from transformers.utils import logging as transformers_logging

from lsnotebook.data import Batches, Splits, Unprepared, augmented, folder_of, in_turn, loader
from lsnotebook.meter import Meter
from lsnotebook.model import ShuffleViT, ShuffleViTConfig
from lsnotebook.orders import POLICIES, Order
from lsnotebook.profiles import PLAIN, Approach, Backbone, Machine, Profile, Schedule
from lsnotebook.randomness import seeded, stream
from lsnotebook.store import write_whole

STATE = "state.safetensors"
log = logging.getLogger(__name__)


class TrainingError(RuntimeError):
    """Training cannot go on; the last good state is kept."""


def train(
    model: ShuffleViT,
    splits: Splits,
    schedule: Schedule,
    policy: str,
    seed: int,
    folder: Path,
    advance: Callable[[int], None] = lambda steps: None,
    machine: Machine = PLAIN,
    augment: bool = False,
) -> pd.DataFrame:
    """Train `model` in place and leave it with the weights of its best checkpoint.

    `policy` names the orders that are drawn, a fresh one for each batch. The best checkpoint is the one with the
    lowest cross-entropy on the selection images under that policy. `folder` keeps the state: where it holds one,
    training goes on from there. `advance` hears how many steps were done.

    Returns one row for each look: step, learning_rate, train_loss, selection_loss, selection_top1, seconds and, where
    the device tells, joules. Raises `TrainingError` where the loss is no longer a number, where a batch cannot be
    split over the ranks, and where it does not fit into the GPU's memory.
    """
    sampler, layers = POLICIES[policy], model.config.num_hidden_layers
    looks = [sampler(layers, stream(seed, "selection order", k)) for k in range(schedule.selection_orders)]
    looks = list(dict.fromkeys(looks))  # a policy without chance has one order
    accelerator, prepared, optimizer = prepare(model, schedule, policy, machine)
    batches = Batches(len(splits.train), schedule.batch_size, seed, 0, schedule.steps)
    if batches.batch_size % accelerator.num_processes:
        raise TrainingError(
            f"A batch of {batches.batch_size} images cannot be split evenly over {accelerator.num_processes} "
            "processes; launch a number of processes that divides it."
        )
    history, best = read_state(folder, prepared, optimizer.optimizer)
    start = history[-1]["step"] if history else 0
    advance(start)
    batches.steps = range(start, schedule.steps)
    meter = Meter(accelerator, history)

    prepared.train()
    losses = []
    for step, (pixel_values, labels) in enumerate(read(splits.train, batches, accelerator, machine), start=start):
        order = sampler(layers, stream(seed, "order", step))
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(schedule, step)
        if augment:
            pixel_values = augmented(pixel_values, stream(seed, f"augment {accelerator.process_index}", step))
        with seeded(seed, f"dropout {accelerator.process_index}", step):
            losses.append(gradients(prepared, pixel_values, labels, order, accelerator, machine.accumulate))
        optimizer.step()
        optimizer.zero_grad()

        done = step + 1
        if done % schedule.check_every == 0 or done == schedule.steps:
            since = accelerator.reduce(torch.stack(losses), "mean")
            check_finite(since, done - len(losses), folder)
            look = {
                "step": done,
                "learning_rate": learning_rate(schedule, step),
                "train_loss": since.mean().item(),
                **assess(prepared, splits.selection, looks, schedule, accelerator, machine),
                **meter.read(),
            }
            check_finite(torch.tensor([look["selection_loss"]]), done, folder)  # the last update may have broken it
            weights = get_model_state_dict(prepared, options=WHOLE)  # the first rank's; empty on the others
            if not history or look["selection_loss"] < min(row["selection_loss"] for row in history):
                best = {name: weight.detach().cpu().clone() for name, weight in weights.items()}
            history.append(look)
            adam = get_optimizer_state_dict(prepared, optimizer.optimizer, options=WHOLE)
            if accelerator.is_main_process:
                write_state(folder, weights, adam["state"], history, best)
            advance(len(losses))
            losses = []
    told = dataclasses.replace(WHOLE, broadcast_from_rank0=accelerator.num_processes > 1)
    set_model_state_dict(prepared, best, options=told)
    return pd.DataFrame(history)


WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)
"""States as one process has them, however they are spread over the ranks."""


def prepare(
    model: ShuffleViT, schedule: Schedule, policy: str, machine: Machine
) -> tuple[Accelerator, nn.Module, AcceleratedOptimizer]:
    """The model on the devices of this launch, its layers compiled where asked, and its optimizer."""
    accelerator = accelerator_for(schedule, policy)
    if machine.compile:
        for layer in model.vit.layers:  # one by one: a model whose order changes would be compiled again and again
            layer.compile()
    if machine.recompute:
        # The second is what transformers called it before 5.23.
        getattr(model, "activation_checkpointing_enable", model.gradient_checkpointing_enable)()
    optimizer = torch.optim.Adam(
        model.parameters(), lr=schedule.learning_rate, betas=schedule.betas, eps=schedule.epsilon, fused=True
    )
    return accelerator, *accelerator.prepare(model, optimizer)


def accelerator_for(schedule: Schedule, policy: str) -> Accelerator:
    """Stock Accelerate; the configuration of `accelerate config` and `accelerate launch` counts.

    Raises `TrainingError` for the first version of FSDP, which does not tell the shapes of the weights.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        # One process may train at several precisions, and on the CPU after the GPU; Accelerate keeps to the first.
        AcceleratorState._reset_state(reset_partial_state=True)
    # DDP must be told that a dropped layer has no gradient: else ranks go on with unequal ones, and nobody says so.
    kwargs = DistributedDataParallelKwargs(find_unused_parameters=policy == "layerdrop")
    accelerator = Accelerator(
        mixed_precision=schedule.mixed_precision,
        cpu=schedule.cpu,
        dataloader_config=DataLoaderConfiguration(split_batches=True, non_blocking=True),
        kwargs_handlers=[kwargs],
    )
    if accelerator.distributed_type == DistributedType.FSDP and not accelerator.is_fsdp2:
        raise TrainingError("FSDP is supported in its version 2 only; choose that in `accelerate config`.")
    return accelerator


def read(
    images: Dataset, batches: Batches, accelerator: Accelerator, machine: Machine
) -> Iterator[tuple[Tensor, Tensor]]:
    """This rank's part of each batch, on its device: (pixel_values, labels)."""
    if not (machine.decode_on_gpu and accelerator.device.type == "cuda"):
        yield from accelerator.prepare(loader(images, accelerator.device, machine.workers, batch_sampler=batches))
        return
    unprepared = loader(
        Unprepared(images), accelerator.device, machine.workers, batch_sampler=batches, collate_fn=Unprepared.collate
    )
    device, beside = accelerator.device, torch.cuda.Stream(accelerator.device)
    for joined, shapes, labels in accelerator.prepare_data_loader(unprepared, device_placement=False):
        with torch.cuda.stream(beside):  # while the last step still runs
            # The decoder writes at once, also to memory that its stream has still to read from.
            beside.synchronize()
            pixel_values = images.dataset.pixels(Unprepared.apart(joined, shapes), device)
        current = torch.cuda.current_stream(device)
        current.wait_stream(beside)
        pixel_values.record_stream(current)
        yield pixel_values, labels.to(device, non_blocking=True)


def gradients(
    model: nn.Module, pixel_values: Tensor, labels: Tensor, order: Order, accelerator: Accelerator, accumulate: int
) -> Tensor:
    """Add the gradients of this rank's images, in `accumulate` parts, and return their mean loss."""
    parts = list(zip(pixel_values.chunk(accumulate), labels.chunk(accumulate), strict=True))
    loss = torch.zeros((), device=pixel_values.device)
    for k, (images, targets) in enumerate(parts, start=1):
        share = len(images) / len(pixel_values)  # the loss is a mean, so a part counts by its size
        try:
            with accelerator.no_sync(model) if k < len(parts) else contextlib.nullcontext():
                part = model(images, order=order, labels=targets).loss * share
                accelerator.backward(part)
        except torch.OutOfMemoryError:
            part = None
        if part is None:  # only now has the traceback let go of what the pass kept
            raise TrainingError(too_large(model, parts[0], order, accelerator))
        loss += part.detach()
    return loss


def too_large(model: nn.Module, part: tuple[Tensor, Tensor], order: Order, accelerator: Accelerator) -> str:
    """What to say when a part does not fit into the memory: the size that does."""
    images, labels = part
    if accelerator.distributed_type == DistributedType.FSDP:  # no rank runs a layer alone
        return (
            f"{len(images)} images at a time do not fit into the memory of the GPU: train with --accumulate "
            "(the result is the same), or with --recompute."
        )
    fits = len(images)
    while fits := fits // 2:
        torch.cuda.empty_cache()
        with contextlib.suppress(torch.OutOfMemoryError):
            with accelerator.no_sync(model):
                accelerator.backward(model(images[:fits], order=order, labels=labels[:fits]).loss)
            break
    if not fits:
        return "Not even one image fits into the memory of the GPU; train with --recompute, or on a larger one."
    return (
        f"{len(images)} images at a time do not fit into the memory of the GPU, but {fits} do: train with --accumulate "
        f"{-(-len(images) // fits)} times what it was (the result is the same), or with --recompute."
    )


def initial(profile: Profile, approach: Approach, seed: int, base: dict[str, Tensor] | None = None) -> ShuffleViT:
    """The model before its first step: the weights of the checkpoint or of `base`, fresh ones for the rest."""
    backbone = profile.backbone
    variant = dataclasses.asdict(approach)
    del variant["order"], variant["layers"], variant["hotter"]
    with seeded(seed, "initialisation"):
        if backbone.checkpoint:
            model = from_checkpoint(backbone, profile.data.classes, variant)
        else:
            model = ShuffleViT(
                ShuffleViTConfig(
                    hidden_size=backbone.hidden_size,
                    num_hidden_layers=backbone.layers,
                    num_attention_heads=backbone.heads,
                    intermediate_size=backbone.mlp_size,
                    image_size=backbone.image_size,
                    patch_size=backbone.patch_size,
                    num_channels=backbone.channels,
                    num_labels=profile.data.classes,
                    initializer_range=backbone.initial_std,
                    hidden_dropout_prob=backbone.dropout,
                    **variant,
                )
            )
    if base:
        model.load_state_dict({**model.state_dict(), **base})  # a name that the model lacks is an error
    if approach.layers:
        del model.vit.layers[approach.layers :]
        model.config.num_hidden_layers = approach.layers
    return model


def from_checkpoint(backbone: Backbone, classes: int, variant: dict[str, bool]) -> ShuffleViT:
    """The checkpoint's model, with a new head where its own is for other classes.

    Raises `DataError` where the checkpoint cannot be had, `TrainingError` where it cannot be read or is of another size
    than the profile says.
    """
    name, folder = backbone.checkpoint, folder_of(backbone.checkpoint)
    try:
        with silent():
            model, report = ShuffleViT.from_pretrained(
                folder, num_labels=classes, ignore_mismatched_sizes=True, output_loading_info=True, **variant
            )
    except Exception as error:  # whatever files of others make of it
        raise TrainingError(f"The checkpoint {name!r} in {folder} cannot be read ({error}); get it anew.") from error
    config = model.config
    sizes = {
        "layers": (config.num_hidden_layers, backbone.layers),
        "hidden_size": (config.hidden_size, backbone.hidden_size),
        "heads": (config.num_attention_heads, backbone.heads),
        "mlp_size": (config.intermediate_size, backbone.mlp_size),
        "image_size": (config.image_size, backbone.image_size),
        "patch_size": (config.patch_size, backbone.patch_size),
        "channels": (config.num_channels, backbone.channels),
    }
    for size, (its, ours) in sizes.items():
        if its != ours:
            raise TrainingError(
                f"The checkpoint {name!r} has {size} {its}, but the profile says {ours}; "
                f"set the profile's {size}, or name another checkpoint."
            )
    unset = {key for key in report["missing_keys"]} | {key for key, *_ in report["mismatched_keys"]}
    strange = {key for key in unset if not key.startswith(("classifier.", "position_"))}
    if strange:
        raise TrainingError(
            f"The checkpoint {name!r} lacks the weights {', '.join(sorted(strange)[:3])}; it is no ViT or DeiT."
        )
    if any(key.startswith("classifier.") for key in unset):
        log.info("The checkpoint %s has no head for %d classes: the head starts anew.", name, classes)
    return model


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Without Hugging Face's bars and its report, which would stand in pages; what it says is checked here."""
    verbosity, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()


def learning_rate(schedule: Schedule, step: int) -> float:
    """Linear warm-up to `schedule.learning_rate`, then linear decay to zero at the end."""
    rise = (step + 1) / max(1, schedule.warmup * schedule.steps)
    fall = (1 - step / schedule.steps) / (1 - schedule.warmup)
    return schedule.learning_rate * min(1.0, rise, fall)


@torch.no_grad()
def assess(
    model: nn.Module,
    images: Dataset,
    orders: list[Order],
    schedule: Schedule,
    accelerator: Accelerator,
    machine: Machine = PLAIN,
) -> dict[str, float]:
    """Cross-entropy of the class (never of the position) and top-1 of `images`, averaged over `orders`."""
    model.eval()
    size = max(1, schedule.batch_size // accelerator.num_processes)
    batches = accelerator.prepare(
        in_turn(images, size * accelerator.num_processes, accelerator.device, machine.workers)
    )
    sums = np.zeros(2)
    for pixel_values, labels in batches:
        for order in orders:
            logits = model(pixel_values, order=order).logits.float()
            each = F.cross_entropy(logits, labels, reduction="none"), (logits.argmax(-1) == labels).float()
            gathered = accelerator.gather_for_metrics(each)  # without those that filled up the last batch
            sums += [values.sum().item() for values in gathered]
    model.train()
    loss, correct = sums / (len(images) * len(orders))
    return {"selection_loss": loss, "selection_top1": correct}


def check_finite(losses: Tensor, first_step: int, folder: Path) -> None:
    """Raise `TrainingError` that names the first step whose loss is no number."""
    bad = (~losses.isfinite()).nonzero()
    if len(bad):
        at = first_step + int(bad[0])
        raise TrainingError(
            f"The loss is {losses[bad[0]].item()} at step {at}; the state before it is kept in {folder}. "
            "Lower the profile's learning_rate, or train in full precision."
        )


def write_state(
    folder: Path, weights: dict[str, Tensor], adam: dict, history: list[dict], best: dict[str, Tensor]
) -> None:
    """Write all that training needs to go on, in one file that appears whole or not at all."""
    tensors = {f"model/{name}": weight for name, weight in weights.items()}
    tensors |= {f"best/{name}": weight for name, weight in best.items()}
    for name, moments in adam.items():
        tensors |= {f"adam/{name}/{kind}": value for kind, value in moments.items()}
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    write_whole(folder / STATE, save(tensors, metadata={"history": json.dumps(history)}))


def read_state(folder: Path, model: nn.Module, optimizer: torch.optim.Adam) -> tuple[list[dict], dict[str, Tensor]]:
    """The history and the best weights so far, `model` and `optimizer` as they were; nothing at the start."""
    path = folder / STATE
    if not path.exists():
        return [], {}
    try:
        with safe_open(path, framework="pt") as file:
            history = json.loads(file.metadata()["history"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except SafetensorError as error:
        raise TrainingError(f"The state {path} is damaged ({error}); remove it to train this run anew.") from error
    parts = {"model": {}, "best": {}, "adam": {}}
    for name, tensor in tensors.items():
        part, _, rest = name.partition("/")
        parts[part][rest] = tensor
    moments: dict[str, dict[str, Tensor]] = {}
    for name, tensor in parts["adam"].items():
        weight, _, kind = name.rpartition("/")
        moments.setdefault(weight, {})[kind] = tensor
    every_rank = dataclasses.replace(WHOLE, cpu_offload=False)
    groups = get_optimizer_state_dict(model, optimizer, options=every_rank)["param_groups"]
    set_model_state_dict(model, parts["model"], options=WHOLE)
    set_optimizer_state_dict(model, optimizer, {"state": moments, "param_groups": groups}, options=WHOLE)
    return history, parts["best"]
