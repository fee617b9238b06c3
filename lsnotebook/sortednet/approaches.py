"""What is compared: networks of which only the whole is trained, sorted ones, and sub-models that are trained alone."""

from dataclasses import replace

from lsnotebook.core.profiles import Approach
from lsnotebook.sortednet.samplers import Only, Prefix

NETWORK = "lsnotebook.sortednet.networks"
HEADS = 4
"""Widths that a sorted network is trained for: as many as it has heads."""

WHOLE = Prefix(HEADS, depth=False, width=False)
BASE = Approach("sortednet-base", "Base", WHOLE, NETWORK)
"""All others refine it."""
ORDINARY = Approach("sortednet-ordinary", "ordinary", WHOLE, NETWORK, BASE)
DEPTH = replace(ORDINARY, name="sortednet-depth", title="sorted in depth", order=Prefix(HEADS, width=False))
WIDTH = replace(ORDINARY, name="sortednet-width", title="sorted in width", order=Prefix(HEADS, depth=False))
BOTH = replace(ORDINARY, name="sortednet-both", title="sorted in both", order=Prefix(HEADS))
SUMMATION = replace(ORDINARY, name="sortednet-summation", title="summation loss, depth", variant=("summation",))
"""The loss of the whole network and of the targeted depths inside it, in every batch."""
MIXED = replace(DEPTH, name="sortednet-mixed", title="stochastic summation, depth", variant=("summation",))
"""The loss of a random prefix and of the targeted depths inside it."""
INNER = replace(BOTH, name="sortednet-inner", title="sorted in both, inner width", variant=("inner",))
"""Narrower sub-models keep the whole residual stream."""
MOVING = replace(BOTH, name="sortednet-moving", title="sorted, momentum everywhere", variant=("moves_rest",))
"""Updated as a plain optimizer does (see `updates`)."""
ALONE = {
    (layers, heads): replace(
        ORDINARY,
        name=f"sortednet-alone-{layers}x{heads}",
        title=f"alone with {layers} layers and {heads} heads",
        order=Only(layers, heads),
    )
    for layers in range(1, 13)
    for heads in range(1, HEADS + 1)
}
"""The sub-model of one size, refined by itself from the base's leading block."""
APPROACHES = {
    one.name: one for one in (BASE, ORDINARY, DEPTH, WIDTH, BOTH, SUMMATION, MIXED, INNER, MOVING, *ALONE.values())
}
