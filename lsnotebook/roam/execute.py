"""A captured step run for real, in any order of its operators, and from one arena: is it the same to the last bit?"""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import getitem
from typing import Any

import torch
from torch import Tensor, fx
from torch.profiler import ProfilerActivity, profile
from torch.utils._pytree import tree_map_only

from lsnotebook.engine.runs import one_thread
from lsnotebook.roam.capture import Step
from lsnotebook.roam.graph import Schedule, lifetimes
from lsnotebook.roam.layout import Layout, blocks, extent
from lsnotebook.roam.plans import MIB, Plan


@dataclass(frozen=True)
class Outcome:
    """What a run of a step leaves."""

    loss: Tensor
    state: list[Tensor]
    """The weights and Adam's moments after the step."""
    peak: int
    """The most bytes of the step that were allocated at once, as torch's profiler has seen them: the arena, too, where
    there is one, and what an operator returns until it is copied there."""

    def same(self, other: "Outcome") -> bool:
        """Whether loss, weights and moments are equal to the last bit."""
        pairs = zip([self.loss, *self.state], [other.loss, *other.state], strict=True)
        return all(torch.equal(one, another) for one, another in pairs)


def needed(plan: Plan, orders: Sequence[str]) -> float:
    """Bytes that running these orders takes: weights and moments after each are kept."""
    return len(orders) * plan.step.fixed + max((plan.mib(order) for order in orders), default=0) * MIB


def room() -> float:
    """Bytes that runs may take: half of the machine's memory, and no bound where the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2
    except (AttributeError, ValueError, OSError):
        return math.inf


def fitting(plan: Plan, orders: Sequence[str]) -> list[str]:
    """These orders, if there is room to run them, else none."""
    return list(orders) if needed(plan, orders) <= room() else []


def arguments(step: Step, seed: int = 0) -> list[Tensor]:
    """Random weights and a random batch; Adam's moments and its count of steps are 0."""
    numbers, values = torch.Generator().manual_seed(seed), []
    for place, node in enumerate(step.traced.graph.find_nodes(op="placeholder")):
        value = torch.zeros(node.meta["val"].shape, dtype=node.meta["val"].dtype)
        if not value.dtype.is_floating_point:
            value.random_(2, generator=numbers)  # labels and tokens: 0 and 1 are in every vocabulary
        elif not step.parameters <= place <= 3 * step.parameters:
            value.normal_(0, 0.02, generator=numbers)
        values.append(value)
    return values


def outcome(step: Step, order: Schedule, layout: Layout | None = None, seed: int = 0) -> Outcome:
    """Run the step in an order; where a layout is given, all that operators return lies at its addresses."""
    given = arguments(step, seed)
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        loss, peak = measured(lambda: run(step, order, given, layout))
    floats = [value for value in given if value.dtype.is_floating_point]
    return Outcome(loss, floats, peak)


@torch.no_grad()
def run(step: Step, order: Schedule, given: list[Tensor], layout: Layout | None = None) -> Tensor:
    """Run the operators of a step in an order, and return the loss. Weights and moments change in place."""
    values: dict[fx.Node, Any] = dict(zip(step.traced.graph.find_nodes(op="placeholder"), given, strict=True))
    for node in step.traced.graph.find_nodes(op="get_attr"):
        values[node] = getattr(step.traced, node.target)

    def value(node: fx.Node) -> Any:
        if node not in values:  # a view, made when it is needed
            values[node] = called(node)
        return values[node]

    def called(node: fx.Node) -> Any:
        taken, named = fx.map_arg((node.args, node.kwargs), value)
        return node.target(*taken, **named)

    slots = arena(step, order, layout) if layout else None
    last = [final for _, final in lifetimes(step.graph, order)]
    dying: list[list[int]] = [[] for _ in order]
    for block, when in enumerate(last):
        if block not in step.graph.kept:
            dying[when].append(block)
    for now, operator in enumerate(order):
        node = step.operators[operator]
        found = called(node)
        if slots:
            found = tree_map_only(Tensor, lambda tensor: slots(operator, tensor), found)  # noqa: B023
        if isinstance(found, Tensor):
            values[node] = found
        else:  # its parts one by one: else they would keep one another alive
            for part in node.users:
                if part.target is getitem:
                    values[part] = found[part.args[1]]
        del found
        for block in dying[now]:
            for holder in step.nodes[block]:
                values.pop(holder, None)
    (loss,) = step.traced.graph.output_node().all_input_nodes
    return value(loss)


def arena(step: Step, order: Schedule, layout: Layout) -> Callable[[int, Tensor], Tensor]:
    """One piece of memory for all blocks, and what puts the results of an operator into it: (operator, tensor) to the
    same values at the planned address."""
    memory = torch.empty(extent(blocks(step.graph, order), layout), dtype=torch.uint8).numpy()
    made: dict[int, list[int]] = {}
    for block, maker in enumerate(step.graph.makers):
        made.setdefault(maker, []).append(block)

    waiting: dict[int, Iterator[int]] = {operator: iter(blocks) for operator, blocks in made.items()}

    def put(operator: int, tensor: Tensor) -> Tensor:
        block = next(waiting[operator], None) if operator in waiting else None
        if block is None or not step.graph.sizes[block]:
            return tensor
        # A storage of its own that begins at the address: `as_strided` counts from the beginning of a storage.
        count = tensor.untyped_storage().nbytes() // tensor.itemsize
        whole = torch.frombuffer(memory, dtype=tensor.dtype, count=count, offset=layout[block])
        return torch.as_strided(whole, tensor.size(), tensor.stride(), tensor.storage_offset()).copy_(tensor)

    return put


def measured(work: Callable[[], Any]) -> tuple[Any, int]:
    """What `work` returns, and the most bytes that it had allocated at once on the CPU, by torch's profiler."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watched:
        result = work()
    found = [one for one in watched.profiler.kineto_results.events() if one.name() == "[memory]"]
    changes = [one.nbytes() for one in sorted(found, key=lambda one: one.start_ns())]
    return result, max(accumulate(changes), default=0)
