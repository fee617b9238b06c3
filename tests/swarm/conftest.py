"""Made-up rows of the swarm's measurements."""

import itertools

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def answers():
    """Rows as of `measurements.answers`; `top1` and `p50` of each (approach, policy), spread a little by chance."""

    def made(top1, p50=None, policies=("a", "b")):
        rng, rows = np.random.default_rng(0), []
        for (approach, values), (k, policy) in itertools.product(top1.items(), enumerate(policies)):
            for draw in range(6):
                late = rng.normal(scale=0.01)
                times = {
                    "p50": (p50 or {}).get(approach, [12] * 9)[k] + late,
                    "p99": 20.0,
                    "throughput": 0.5,
                    "layers": 9,
                }
                for seed in range(3):
                    row = {"approach": approach, "policy": policy, "rule": "any", "seed": seed, "draw": draw}
                    rows.append({**row, "top1": values[k] + rng.normal(scale=0.01), **times})
        return pd.DataFrame(rows)

    return made
