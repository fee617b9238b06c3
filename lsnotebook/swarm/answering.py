"""How good the answers of simulated swarms are: the networks run along the routes that were taken."""

from collections.abc import Mapping, Sequence

import pandas as pd
import torch

from lsnotebook.data.splits import Splits
from lsnotebook.layershuffle.model import ShuffleViT
from lsnotebook.swarm.hops import Block, SwarmError
from lsnotebook.swarm.replay import replay
from lsnotebook.swarm.trials import Trial, simulated, summary

BATCH = 500


def answered(models: Sequence[ShuffleViT], splits: Splits, trial: Mapping, requests: int, draws: int) -> pd.DataFrame:
    """A trial (its fields) simulated `draws` times, and its routes run by each network. One row for each (network,
    draw): their numbers, top1 (the share of the requests that were answered correctly), and those of `summary`.

    Where the nodes hold layers of several networks, these are a network and those that follow it. Raises `SwarmError`.
    """
    asked = Trial(**trial)
    if asked.networks > len(models):
        raise SwarmError(
            f"The nodes are to hold layers of {asked.networks} networks, but there are {len(models)}; take fewer."
        )
    rows = [simulated(asked, models[0].config.num_hidden_layers, requests, draw) for draw in range(draws)]
    took = pd.DataFrame([summary(one) for one in rows]).assign(draw=range(draws))
    routes = [route for one in rows for route in one["route"]]
    groups = [[models[(k + j) % len(models)] for j in range(asked.networks)] for k in range(len(models))]
    top1 = right(groups, splits, routes).float().view(len(models), draws, requests).mean(2)
    return pd.concat([took.assign(network=k, top1=of.numpy()) for k, of in enumerate(top1)], ignore_index=True)


def right(groups: Sequence[Sequence[ShuffleViT]], splits: Splits, routes: Sequence[Sequence[Block]]) -> torch.Tensor:
    """Whether each request is answered correctly, by each group of networks that hold the layers (G, R). Request k is
    about validation image k, and begins again after the last one."""
    images, found = splits.validation, []
    for first in range(0, len(routes), BATCH):
        some = routes[first : first + BATCH]
        pairs = [images[(first + k) % len(images)] for k in range(len(some))]
        pixel_values = torch.stack([pixels for pixels, _ in pairs]).to(groups[0][0].device)
        logits = torch.stack([replay(models, pixel_values, some) for models in groups])
        found.append(logits.argmax(-1).cpu() == torch.tensor([label for _, label in pairs]))
    return torch.cat(found, dim=1)
