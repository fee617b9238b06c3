"""The book's own training loop, with its weights updated after the backward pass and within it (`engine.at_once`)."""

import dataclasses
from collections.abc import Callable

import pandas as pd
import torch
from transformers import PreTrainedModel

from lsnotebook.core.orders import sequential
from lsnotebook.core.profiles import Machine, Schedule
from lsnotebook.core.seeding import seeded
from lsnotebook.engine.at_once import update_at_once
from lsnotebook.engine.launch import prepare
from lsnotebook.engine.loop import gradients
from lsnotebook.roam.execute import measured
from lsnotebook.roam.networks import batch_of
from lsnotebook.roam.plans import MIB


def compared(make: Callable[[], PreTrainedModel], schedule: Schedule, batch: int, steps: int = 2) -> pd.DataFrame:
    """Train a fresh network on the CPU for some steps on one random batch, in both ways: the peak of the last step in
    MiB, and whether the weights are the same to the last bit. `make` is called with the generators seeded."""
    schedule, rows, weights = dataclasses.replace(schedule, cpu=True, mixed_precision="no"), {}, []
    for name, machine in (("update after", Machine()), ("update at once", Machine(update_at_once=True))):
        with seeded(0, "initialisation"):
            network = make().train()
        launch, order = prepare(network, schedule, sequential, machine), sequential(network.config.num_hidden_layers)
        if machine.update_at_once:
            update_at_once(launch)
        shapes, numbers = batch_of(network, batch), torch.Generator().manual_seed(0)
        pixels = torch.rand(shapes["pixel_values"].shape, generator=numbers)
        labels = torch.randint(network.config.num_labels, shapes["labels"].shape, generator=numbers)

        def step() -> None:  # as `engine.loop.fit` has it
            gradients(launch, pixels, labels, order)  # noqa: B023
            launch.optimizer.step()  # noqa: B023
            launch.optimizer.zero_grad()  # noqa: B023

        for _ in range(steps - 1):  # the first step makes Adam's moments
            step()
        _, peak = measured(step)
        weights.append(network.state_dict())
        same = all(torch.equal(weight, weights[0][key]) for key, weight in weights[-1].items())
        rows[name] = {"peak of a step, MiB": peak / MIB, "weights": "the same bits" if same else "others"}
    return pd.DataFrame.from_dict(rows, orient="index")
