"""The training state on disk: one file with all that is needed to resume, written atomically, checked when read."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from lsnotebook.core.store import DamagedError, read_checked, write_checked
from lsnotebook.engine.launch import WHOLE, TrainingError

STATE = "training.state"
"""Its checksum is made with the name of its folder, so that a state copied from another run is noticed."""


def write_state(
    folder: Path,
    weights: Mapping[str, Tensor],
    adam: Mapping[str, Mapping[str, Tensor]],
    history: Sequence[dict],
    best: Mapping[str, Tensor],
) -> None:
    """Write weights, Adam's moments, the history so far, and the best weights so far."""
    tensors = {f"model/{name}": weight for name, weight in weights.items()}
    tensors |= {f"best/{name}": weight for name, weight in best.items()}
    for name, moments in adam.items():
        tensors |= {f"adam/{name}/{kind}": value for kind, value in moments.items()}
    content = save({name: tensor.contiguous() for name, tensor in tensors.items()})
    write_checked(folder / STATE, folder.name, json.dumps(history).encode() + b"\n", content)


def read_state(folder: Path, network: nn.Module, optimizer: torch.optim.Adam) -> tuple[list[dict], dict[str, Tensor]]:
    """The history and the best weights so far, with `network` and `optimizer` restored; empty at the start.

    Raises `TrainingError` where the file is damaged.
    """
    history, content = read_parts(folder)
    if not history:
        return [], {}
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "best": {}, "adam": {}}
    for name, tensor in sorted(load(content).items()):  # the same on all ranks; `load` keeps no order
        part, _, rest = name.partition("/")
        parts[part][rest] = tensor
    moments: dict[str, dict[str, Tensor]] = {}
    for name, tensor in parts["adam"].items():
        weight, _, kind = name.rpartition("/")
        moments.setdefault(weight, {})[kind] = tensor
    every_rank = dataclasses.replace(WHOLE, cpu_offload=False)
    groups = get_optimizer_state_dict(network, optimizer, options=every_rank)["param_groups"]
    for name in (name for group in groups for name in group["params"] if name not in moments):
        zero = torch.zeros_like(parts["model"][name])  # of a layer that has not run yet: as Adam begins
        moments[name] = {"step": torch.zeros(()), "exp_avg": zero, "exp_avg_sq": zero.clone()}
    set_model_state_dict(network, parts["model"], options=WHOLE)
    set_optimizer_state_dict(network, optimizer, {"state": moments, "param_groups": groups}, options=WHOLE)
    return history, parts["best"]


def read_parts(folder: Path) -> tuple[list[dict], bytes]:
    """The history, and the tensors as bytes; both empty where there is no state yet. Raises `TrainingError`."""
    try:
        content = read_checked(folder / STATE, folder.name)
    except DamagedError as error:
        raise TrainingError(f"{error} Remove it to train this run anew.") from error
    history, _, tensors = (content or b"[]\n").partition(b"\n")
    return json.loads(history), tensors
