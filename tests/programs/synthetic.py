"""Tables of accuracies whose variance has known sources."""

import numpy as np
import pandas as pd


def accuracies(
    by_seed: float = 0.0, by_order: float = 0.0, rest: float = 0.0, seeds: int = 6, orders: int = 30
) -> pd.DataFrame:
    """Accuracies around 0.5 of every seed under every order, with these standard deviations."""
    rng = np.random.default_rng(0)
    seed_effect, order_effect = rng.normal(0, by_seed, seeds), rng.normal(0, by_order, orders)
    rows = [
        {"approach": "layershuffle", "policy": "arbitrary", "seed": s, "draw": d, "order": f"{d}",
         "top1": 0.5 + seed_effect[s] + order_effect[d] + rng.normal(0, rest)}
        for s in range(seeds) for d in range(orders)
    ]  # fmt: skip
    return pd.DataFrame(rows)
