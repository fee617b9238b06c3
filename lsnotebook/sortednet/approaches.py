"""What is compared: networks of which only the whole is trained, sorted ones, and sub-models that are trained alone."""

from dataclasses import replace

from lsnotebook.core.profiles import Approach
from lsnotebook.sortednet.samplers import Largest, Only, Prefix, Several

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
LOSSES = (DEPTH, SUMMATION, MIXED, BOTH, INNER, MOVING)
"""What a page compares: other losses, another width, another update."""
LARGEST = replace(ORDINARY, name="sortednet-largest", title="sorted, the largest alone", order=Largest(HEADS))
"""Only the largest sub-models are drawn (Figure 3)."""
ACCUMULATED = {
    count: replace(
        ORDINARY,
        name=f"sortednet-accumulated-{count}",
        title=f"sorted in both, {count} batches an update",
        order=Several(Prefix(HEADS), count),
        network="lsnotebook.sortednet.accumulation",
    )
    for count in range(1, 5)
}
"""Gradients of so many batches, each of its own sub-model, are accumulated (Tables 5 and 6)."""


def alone(layers: int, heads: int) -> Approach:
    """The sub-model of one size, refined by itself from the base's leading block.

    What lies outside of it never has a gradient, nor momentum: a plain update leaves it alone, too, in less time.
    """
    name, title = f"sortednet-alone-{layers}x{heads}", f"alone with {layers} layers and {heads} heads"
    return replace(ORDINARY, name=name, title=title, order=Only(layers, heads), variant=("moves_rest",))


ALONE = {(layers, heads): alone(layers, heads) for layers in range(1, 13) for heads in range(1, HEADS + 1)}
APPROACHES = {
    one.name: one for one in (BASE, ORDINARY, WIDTH, *LOSSES, LARGEST, *ACCUMULATED.values(), *ALONE.values())
}
