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
from lsnotebook.swarm.trials import Trial, summary

MEASURES = {
    "layers": "layers run",
    "p50": "median latency, hops",
    "p99": "99th percentile, hops",
    "throughput": "answers a hop",
}


def real(
    pool: Pool, run: Run, trial: Trial, requests: int, draw: int = 0, hop: float = HOP
) -> tuple[pd.DataFrame, list[Fault], float]:
    """Serve a trial on the nodes of a pool: its rows (with the column right), what was done to the nodes, and the
    largest difference of a logit from that of the network along the recorded route.

    The draw is that of `trials.simulated`; every other death ends the process in the middle of a hop. Layers of other
    networks, where the trial has several, are those of the next seeds. Raises `SwarmError`.
    """
    trial.check(run.layers)
    rng = stream(draw, "swarm")
    held, faults, arrivals = trial.drawn(run.layers, requests, rng)
    killed = [fault for fault in faults if fault.kind == "kill"]
    faults = [dataclasses.replace(one, kind="crash") if one in killed[::2] else one for one in faults]
    networks = [dataclasses.replace(run, seed=run.seed + k) for k in range(trial.networks)]
    models, images = [runs.load(one).cpu() for one in networks], runs.splits_of(run).validation
    pixel_values, labels = zip(*(images[k % len(images)] for k in range(requests)), strict=True)
    asked = torch.stack(pixel_values)[:, None].cpu()
    limits = (trial.patience, trial.deadline, trial.in_flight)
    rows, logits = serve(pool, models, held, asked, arrivals, trial.rule, faults, *limits, hop)
    # Each by itself, as the nodes ran it: sums over a batch may be taken in another order.
    again = torch.stack([replay(models, one, [route]) for one, route in zip(asked, rows["route"], strict=True)])
    rows["right"] = (logits[:, 0].argmax(-1) == torch.tensor(labels)).numpy()
    return rows, faults, (logits - again).abs().max().item()


def beside(rows: pd.DataFrame, simulated: pd.DataFrame) -> pd.DataFrame:
    """What came of the requests of a trial: one row for each measure, a column for the real nodes and one for those of
    the simulation."""
    return pd.DataFrame(
        {
            name: {
                "requests answered": len(of),
                "hops given up": of["retries"].sum(),
                **{MEASURES[key]: value for key, value in summary(of).items()},
            }
            for name, of in {"real": rows, "simulated": simulated}.items()
        }
    )
