"""A rank of two that hold a network sharded by FSDP: four steps, in the middle of which the state is saved and read.

Rank 0 prints the history that was read, and how far the weights are from those of one process.
"""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import get_model_state_dict, get_optimizer_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from lsnotebook.core.orders import Order
from lsnotebook.core.seeding import seeded
from lsnotebook.engine.launch import WHOLE
from lsnotebook.engine.state import read_state, write_state
from lsnotebook.layershuffle.approaches import LAYERSHUFFLE
from lsnotebook.layershuffle.networks import initial
from lsnotebook.layershuffle.profiles import SMOKE

ORDERS = [(2, 0, 3, 1), (3, 2, 1, 0), (1, 3, 0, 2), (0, 3, 2, 1)]
mesh = init_device_mesh("cpu", (2,))
folder = Path(sys.argv[1])
images = torch.linspace(-1, 1, 8 * 64).view(8, 1, 8, 8)
labels = torch.arange(8)


def fresh(sharded: bool) -> tuple[nn.Module, torch.optim.Adam]:
    with seeded(0, "initialisation"):
        made = initial(SMOKE, LAYERSHUFFLE)
    if sharded:
        for layer in made.vit.layers:
            fully_shard(layer, mesh=mesh)
        fully_shard(made, mesh=mesh)
    return made, torch.optim.Adam(made.parameters(), lr=1e-3)


def steps(made: nn.Module, optimizer: torch.optim.Adam, orders: list[Order]) -> None:
    for order in orders:
        made(images, order=order, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()


alone, optimizer = fresh(sharded=False)
steps(alone, optimizer, ORDERS)

made, optimizer = fresh(sharded=True)
steps(made, optimizer, ORDERS[:2])
weights = get_model_state_dict(made, options=WHOLE)
adam = get_optimizer_state_dict(made, optimizer, options=WHOLE)
if torch.distributed.get_rank() == 0:
    best = {name: weight.clone() for name, weight in weights.items()}
    write_state(folder, weights, adam["state"], [{"step": 2}], best)
torch.distributed.barrier()
made, optimizer = fresh(sharded=True)
history, best = read_state(folder, made, optimizer)
steps(made, optimizer, ORDERS[2:])
weights = get_model_state_dict(made, options=WHOLE)
if torch.distributed.get_rank() == 0:
    far = max((weights[name] - weight).abs().max().item() for name, weight in alone.state_dict().items())
    print("history", history, "far", "little" if far < 1e-5 else far)
torch.distributed.destroy_process_group()
