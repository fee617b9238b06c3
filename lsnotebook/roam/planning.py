"""What the command `lsnotebook roam` says of a network."""

from typing import Any

from transformers import PretrainedConfig

from lsnotebook.roam.layout import best, blocks, extent
from lsnotebook.roam.plans import LEAST, MIB, Plan, of_network

MOST = 4096
"""The largest batch that is tried."""
STATES = 500
"""Of a search, for each batch size that is tried."""


def report(config: PretrainedConfig, batch: int, **options: Any) -> str:
    """The peak of each order at a batch size; `options` are those of `plans.of_network`."""
    (plan,) = of_network(config, [batch], **options).values()
    fixed, least = plan.step.fixed / MIB, plan.orders[LEAST]
    them = blocks(plan.step.graph, least)
    lines = [
        f"{config.model_type}, batch {batch}: {plan.step.weights / MIB:,.1f} MiB of weights, "
        f"{fixed:,.1f} MiB with Adam's moments; a step of {len(plan.step.graph):,} operators needs beside them",
        *(f"{name:16}{plan.mib(name):12,.1f} MiB{fixed + plan.mib(name):12,.1f} MiB in all" for name in plan.orders),
        proof(plan),
        f"In one arena, the order of least memory takes {extent(them, best(them)) / MIB:,.1f} MiB.",
    ]
    return "\n".join(lines)


def proof(plan: Plan) -> str:
    if plan.found.proven:
        return "No order needs less than the last one: that is proven."
    return f"No better order was found; that none needs less than {plan.found.bound / MIB:,.1f} MiB is proven."


def largest(config: PretrainedConfig, memory: float, **options: Any) -> str:
    """For each order the largest batch whose step fits into so many GiB, with weights and moments."""
    tried: dict[int, Plan] = {}

    def fits(order: str, size: int) -> bool:
        if size not in tried:
            tried.update(of_network(config, [size], limit=STATES, **options))
        return tried[size].step.fixed / MIB + tried[size].mib(order) <= 1024 * memory

    fits(LEAST, 1)
    lines = [f"Into {memory:g} GiB fit"]
    for order in tried[1].orders:
        low, high = 0, 1  # the largest known to fit, the smallest known not to
        while high <= MOST and fits(order, high):
            low, high = high, 2 * high
        while high - low > 1 and low < MOST:
            middle = (low + high) // 2
            low, high = (middle, high) if fits(order, middle) else (low, middle)
        lines.append(f"{order:16}batches of up to {low}" if low else f"{order:16}not even a batch of 1")
    return "\n".join(lines)
