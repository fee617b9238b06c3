"""A trial on real nodes, checked against the network itself."""

import dataclasses

import pandas as pd
import torch

from lsnotebook.core.randomness import stream
from lsnotebook.engine import runs
from lsnotebook.engine.run import Run
from lsnotebook.swarm.driver import Fault
from lsnotebook.swarm.nodes import HOP, Pool, serve
from lsnotebook.swarm.replay import replay
from lsnotebook.swarm.trials import Trial


def real(
    pool: Pool, run: Run, trial: Trial, requests: int, draw: int = 0, hop: float = HOP
) -> tuple[pd.DataFrame, list[Fault], float]:
    """Serve a trial on the nodes of a pool: its rows (with the column right), what was done to the nodes, and the
    largest difference of a logit from that of the network along the recorded route.

    The draw is that of `trials.simulated`; every other death ends the process in the middle of a hop. Raises
    `SwarmError`.
    """
    trial.check(run.layers)
    rng = stream(draw, "swarm")
    held = trial.layout(run.layers, rng)
    faults, arrivals = trial.faults(held, run.layers, rng), trial.arrivals(run.layers, requests, rng)
    killed = [fault for fault in faults if fault.kind == "kill"]
    faults = [dataclasses.replace(one, kind="crash") if one in killed[::2] else one for one in faults]
    model, images = runs.load(run), runs.splits_of(run).validation
    pixel_values, labels = zip(*(images[k % len(images)] for k in range(requests)), strict=True)
    asked = torch.stack(pixel_values)
    limits = {"patience": trial.patience, "deadline": trial.deadline, "in_flight": trial.in_flight}
    rows, logits = serve(pool, [model], held, asked[:, None], arrivals, trial.rule, faults, **limits, hop=hop)
    again = replay([model], asked, rows["route"].tolist())
    rows["right"] = (logits[:, 0].argmax(-1) == torch.tensor(labels)).numpy()
    return rows, faults, (logits[:, 0] - again).abs().max().item()
