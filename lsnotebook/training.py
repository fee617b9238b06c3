"""One training loop for every approach (Algorithm 1, §4): the approaches differ in the orders that they draw.

A run's state is one file, written whole or not at all at every look at the selection images. All randomness
derives from (seed, purpose, step), so a run resumed from that file ends in the weights of one never interrupted.
"""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from torch.utils.data import Dataset

from lsnotebook.data import Batches, Splits, in_turn, loader
from lsnotebook.model import ShuffleViT, ShuffleViTConfig
from lsnotebook.orders import POLICIES, Order
from lsnotebook.profiles import Approach, Profile, Schedule
from lsnotebook.randomness import seeded, stream
from lsnotebook.store import write_whole

STATE = "state.safetensors"


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
) -> pd.DataFrame:
    """Train `model` in place and leave it with the weights of its best checkpoint.

    `policy` names the orders that are drawn, a fresh one for each batch. The best checkpoint is the one with the
    lowest cross-entropy on the selection images under that policy. `folder` keeps the state: where it holds one,
    training goes on from there. `advance` hears how many steps were done.

    Returns one row for each look: step, learning_rate, train_loss, selection_loss, selection_top1.
    Raises `TrainingError` where the loss is no longer a number.
    """
    accelerator = Accelerator(mixed_precision=schedule.mixed_precision, cpu=schedule.cpu)
    sampler, layers = POLICIES[policy], model.config.num_hidden_layers
    looks = [sampler(layers, stream(seed, "selection order", k)) for k in range(schedule.selection_orders)]
    looks = list(dict.fromkeys(looks))  # a policy without chance has one order
    optimizer = torch.optim.Adam(
        model.parameters(), lr=schedule.learning_rate, betas=schedule.betas, eps=schedule.epsilon, fused=True
    )
    history, best = read_state(folder, model, optimizer)
    start = history[-1]["step"] if history else 0
    advance(start)

    steps = Batches(len(splits.train), schedule.batch_size, seed, start, schedule.steps)
    batches = loader(splits.train, schedule.workers, batch_sampler=steps)
    prepared, optimizer, batches = accelerator.prepare(model, optimizer, batches)
    prepared.train()
    losses = []
    for step, (pixel_values, labels) in enumerate(batches, start=start):
        order = sampler(layers, stream(seed, "order", step))
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(schedule, step)
        with seeded(seed, f"dropout {accelerator.process_index}", step):
            loss = prepared(pixel_values, order=order, labels=labels).loss
        accelerator.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.detach())

        done = step + 1
        if done % schedule.check_every == 0 or done == schedule.steps:
            check_finite(torch.stack(losses), done - len(losses), folder)
            look = {
                "step": done,
                "learning_rate": learning_rate(schedule, step),
                "train_loss": torch.stack(losses).mean().item(),
                **assess(model, splits.selection, looks, schedule, accelerator.device),
            }
            check_finite(torch.tensor([look["selection_loss"]]), done, folder)  # the last update may have broken it
            if not history or look["selection_loss"] < min(row["selection_loss"] for row in history):
                best = {name: weight.detach().clone() for name, weight in model.state_dict().items()}
            history.append(look)
            if accelerator.is_main_process:
                write_state(folder, model, optimizer, history, best)
            advance(len(losses))
            losses = []
    model.load_state_dict(best)
    return pd.DataFrame(history)


def initial(profile: Profile, approach: Approach, seed: int, base: dict[str, Tensor] | None = None) -> ShuffleViT:
    """The model before its first step: the weights of the checkpoint or of `base`, fresh ones for the rest."""
    backbone = profile.backbone
    variant = dataclasses.asdict(approach)
    del variant["order"], variant["layers"], variant["hotter"]
    with seeded(seed, "initialisation"):
        if backbone.checkpoint:
            model = ShuffleViT.from_pretrained(
                backbone.checkpoint,
                num_labels=profile.data.classes,
                ignore_mismatched_sizes=True,  # a head for other classes is made anew
                **variant,
            )
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


def learning_rate(schedule: Schedule, step: int) -> float:
    """Linear warm-up to `schedule.learning_rate`, then linear decay to zero at the end."""
    rise = (step + 1) / max(1, schedule.warmup * schedule.steps)
    fall = (1 - step / schedule.steps) / (1 - schedule.warmup)
    return schedule.learning_rate * min(1.0, rise, fall)


@torch.inference_mode()
def assess(
    model: ShuffleViT, images: Dataset, orders: list[Order], schedule: Schedule, device: torch.device
) -> dict[str, float]:
    """Cross-entropy of the class (never of the position) and top-1 of `images`, averaged over `orders`."""
    model.eval()
    loss = correct = 0.0
    for pixel_values, labels in in_turn(images, schedule.batch_size, schedule.workers):
        pixel_values, labels = pixel_values.to(device), labels.to(device)
        for order in orders:
            logits = model(pixel_values, order=order).logits
            loss += F.cross_entropy(logits, labels, reduction="sum").item()
            correct += (logits.argmax(-1) == labels).sum().item()
    model.train()
    seen = len(images) * len(orders)
    return {"selection_loss": loss / seen, "selection_top1": correct / seen}


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
    folder: Path, model: ShuffleViT, optimizer: torch.optim.Adam, history: list[dict], best: dict[str, Tensor]
) -> None:
    """Write all that training needs to go on, in one file that appears whole or not at all."""
    tensors = {f"model.{name}": weight for name, weight in model.state_dict().items()}
    tensors |= {f"best.{name}": weight for name, weight in best.items()}
    for number, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{number}.{name}": value for name, value in moments.items()}
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    write_whole(folder / STATE, save(tensors, metadata={"history": json.dumps(history)}))


def read_state(folder: Path, model: ShuffleViT, optimizer: torch.optim.Adam) -> tuple[list[dict], dict[str, Tensor]]:
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
        part, _, rest = name.partition(".")
        parts[part][rest] = tensor
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in parts["adam"].items():
        number, _, kind = name.partition(".")
        moments.setdefault(int(number), {})[kind] = tensor
    model.load_state_dict(parts["model"])
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    return history, parts["best"]
