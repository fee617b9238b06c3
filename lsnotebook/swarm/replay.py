"""What the networks themselves say along the routes that a swarm took: every answer can be checked on one machine."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lsnotebook.core.profiles import Approach
from lsnotebook.layershuffle.model import ShuffleViT
from lsnotebook.swarm.hops import Block, SwarmError

POSITIONS = (
    "The layers of LayerShuffle-position and -predict are more than their blocks, and know the positions of one "
    "network alone: give a swarm the baseline, LayerShuffle or LayerDrop."
)


def check_approach(approach: Approach) -> None:
    """Raise `SwarmError` where nodes cannot hold the layers of an approach's networks, whatever their sizes."""
    if approach.variant:
        raise SwarmError(POSITIONS)


def check_models(models: Sequence[ShuffleViT]) -> None:
    """Raise `SwarmError` where nodes cannot hold the layers of these networks."""
    if not models:
        raise SwarmError("A swarm holds the layers of at least one network; give one.")
    config = models[0].config
    if config.encode_position or config.predict_position:
        raise SwarmError(POSITIONS)
    if config.hidden_act != "gelu":
        raise SwarmError(f"The nodes run layers with the activation gelu, but this network has {config.hidden_act!r}.")
    sizes = {(one.config.num_hidden_layers, one.config.hidden_size, one.config.num_attention_heads) for one in models}
    if len(sizes) > 1:
        raise SwarmError("The networks of a swarm are of one size, so that their layers can follow one another.")


@torch.no_grad()
def replay(models: Sequence[ShuffleViT], pixel_values: Tensor, routes: Sequence[Sequence[Block]]) -> Tensor:
    """The logits (R, classes) of R images (R, channels, height, width), each along a route of its own.

    Embedding and head are those of the first network, as a swarm's client has them. Requests that run the same block
    at the same position run it together. Raises `SwarmError`.
    """
    check_models(models)
    z = models[0].embedded(pixel_values)
    for position in range(max(map(len, routes), default=0)):
        at = [route[position] if position < len(route) else None for route in routes]
        for block in sorted({one for one in at if one is not None}):
            those = torch.tensor([one == block for one in at])
            z[those], _ = models[block.network].step(z[those], (), block.layer, position)
    return models[0].output(z, ()).logits
