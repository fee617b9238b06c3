"""Maps of layer outputs on a plane (§4.3, §5)."""

from importlib import metadata

import numpy as np
import pandas as pd
from umap import UMAP

from lsnotebook.core.store import checksum, remembered


def umap(vectors: np.ndarray, neighbours: int = 15) -> pd.DataFrame:
    """The vectors (B, D) on a plane by UMAP, columns x and y, cached in the run store.

    The map differs from machine to machine: take no number from it.
    """

    def compute() -> pd.DataFrame:
        return pd.DataFrame(UMAP(neighbours, random_state=0, n_jobs=1).fit_transform(vectors), columns=["x", "y"])

    version = metadata.version("umap-learn")
    recipe = {"umap": version, "vectors": checksum(np.ascontiguousarray(vectors).tobytes()), "neighbours": neighbours}
    return remembered(recipe, "umap", compute)
