"""A captured step with all its orders, and the steps of one network at several batch sizes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from platform import machine

from transformers import PretrainedConfig

from lsnotebook.engine.provenance import again
from lsnotebook.roam.capture import Step, captured
from lsnotebook.roam.graph import Schedule, peak
from lsnotebook.roam.networks import batch_of, build
from lsnotebook.roam.orders import heuristic
from lsnotebook.roam.search import LIMIT, Found, optimum

MIB = 2**20
LEAST = "least memory"
"""What the search's order is called."""


def in_mib(size: float) -> str:
    """MiB with three digits, and with a separator where there are more: "0.191", "117", "1,763"."""
    return f"{size:,.0f}" if size >= 99.95 else f"{size:.3g}"


@dataclass(frozen=True)
class Plan:
    """A step, its orders by name, and what the search says of the best."""

    step: Step
    orders: Mapping[str, Schedule]
    found: Found

    def mib(self, order: str) -> float:
        """The peak of an order's dynamic memory."""
        return peak(self.step.graph, self.orders[order]) / MIB


def origin(notebook: str, **parameters: object) -> str:
    """How a figure came to be, and the command for it."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers"))
    return f"Traced for the CPU ({machine()}, {versions}). {again(notebook, **parameters)}"


def planned(step: Step, limit: int = LIMIT) -> Plan:
    found = optimum(step.graph, limit)
    return Plan(step, {**heuristic(step.graph), LEAST: found.order}, found)


def of_network(
    config: PretrainedConfig,
    batches: Iterable[int],
    attention: str | None = None,
    recompute: bool = False,
    length: int | None = None,
    limit: int = LIMIT,
) -> dict[int, Plan]:
    """By batch size the plan of a network's training step. Raises `NetworkError`."""
    model = build(config, attention, recompute)
    return {size: planned(captured(model, batch_of(model, size, length)), limit) for size in batches}
