"""The tables and sentences of the swarm's page."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from lsnotebook.core.statistics import crossed, matrix
from lsnotebook.layershuffle.approaches import TITLES
from lsnotebook.pages.tables import mean_and_interval
from lsnotebook.swarm.trials import Trial, summary


def served(found: pd.DataFrame) -> pd.DataFrame:
    """The rows of `trials.answers` for the eye: one for each (trial, approach)."""
    rows = {}
    for (policy, approach), group in found.groupby(["policy", "approach"], sort=False):
        rows[policy, TITLES[approach]] = {
            "top-1, %": mean_and_interval(matrix(group).to_numpy(), (0, 1)),
            "layers run": group["layers"].mean(),
            "median latency, hops": group["p50"].mean(),
            "99th percentile, hops": group["p99"].mean(),
            "answers a hop": group["throughput"].mean(),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def first(found: pd.DataFrame, condition: str) -> str:
    """Which approach is the most accurate under each condition, and by how much it leads the second."""
    parts = []
    for policy, group in found.groupby("policy", sort=False):
        values = {name: matrix(one) for name, one in group.groupby("approach", sort=False)}
        best, second = sorted(values, key=lambda name: values[name].to_numpy().mean(), reverse=True)[:2]
        lead = crossed((values[best] - values[second]).to_numpy())
        points = f"{100 * lead.mean:.1f} [{100 * lead.low:.1f}, {100 * lead.high:.1f}] points"
        if lead.low > 0:
            parts.append(f"with {condition.format(policy)} {TITLES[best]} leads {TITLES[second]} by {points}")
        else:
            parts.append(f"with {condition.format(policy)} {TITLES[best]} and {TITLES[second]} cannot be told apart")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]} (differences paired by network and draw, 95 % intervals over both)."


def real(rows: pd.DataFrame, agreement: float, simulated: pd.DataFrame) -> str:
    """What real nodes did, beside what the simulation of the same swarm says."""
    ours, theirs = summary(rows), summary(simulated)
    return (
        f"All {len(rows)} requests were answered; {rows['retries'].sum()} hops were begun and given up. Along the "
        f"recorded routes the network itself gives the same logits, to {agreement:.0e}. Median latency "
        f"{ours['p50']:.1f} hops, 99th percentile {ours['p99']:.1f}; the simulation says {theirs['p50']:.1f} and "
        f"{theirs['p99']:.1f}."
    )


def coverage(layers: int, counts: Sequence[int], draws: int) -> pd.DataFrame:
    """How often nodes that each draw a layer hold all of them: nodes, covered (of so many draws), exact (by inclusion
    and exclusion)."""
    trials = {count: Trial(nodes=count, planned=False) for count in counts}
    covered = [
        np.mean([len(set(trial.layout(layers, np.random.default_rng([count, k])).values())) == layers
                 for k in range(draws)])
        for count, trial in trials.items()
    ]  # fmt: skip
    exact = [
        sum((-1) ** k * math.comb(layers, k) * ((layers - k) / layers) ** count for k in range(layers + 1))
        for count in counts
    ]
    return pd.DataFrame({"nodes": counts, "covered": covered, "exact": exact})
