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
        f"{config.model_type}, batch {batch}: {shown(plan.step.weights / MIB)} MiB of weights, "
        f"{shown(fixed)} MiB with Adam's moments; a step of {len(plan.step.graph):,} operators needs beside them",
        *(
            f"{name:16}{shown(plan.mib(name)):>12} MiB{shown(fixed + plan.mib(name)):>12} MiB in all"
            for name in plan.orders
        ),
        proof(plan),
        f"In one arena, the order of least memory takes {shown(extent(them, best(them)) / MIB)} MiB.",
    ]
    return "\n".join(lines)


def shown(mib: float) -> str:
    """With a digit behind the point, and with four below 1 MiB: small networks take little."""
    return f"{mib:,.1f}" if mib >= 1 else f"{mib:.4f}"


def proof(plan: Plan) -> str:
    if plan.found.proven:
        return "No order needs less than the last one: that is proven."
    return f"No better order was found; that none needs less than {shown(plan.found.bound / MIB)} MiB is proven."


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
        found = f"batches of up to {low:,}" if low else "not even a batch of 1"
        lines.append(f"{order:16}{found if low < MOST else f'batches of {MOST:,} or more'}")
    return "\n".join(lines)
