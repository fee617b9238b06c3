"""Maps of layer outputs on a plane (§4.3, §5)."""

import os
import tempfile
from importlib import metadata

import numba
import numpy as np
import pandas as pd

from lsnotebook.core.store import checksum, remembered

try:
    from umap import UMAP
except RuntimeError:  # neither beside the packages nor in the home can numba keep what it compiles
    compiled = tempfile.TemporaryDirectory(prefix="numba-")
    os.environ["NUMBA_CACHE_DIR"] = compiled.name
    numba.config.reload_config()
    from umap import UMAP


def umap(vectors: np.ndarray, neighbours: int = 15) -> pd.DataFrame:
    """The vectors (B, D) on a plane by UMAP, columns x and y, cached in the run store.

    The map differs from machine to machine: take no number from it.
    """

    def compute() -> pd.DataFrame:
        return pd.DataFrame(UMAP(neighbours, random_state=0, n_jobs=1).fit_transform(vectors), columns=["x", "y"])

    version = metadata.version("umap-learn")
    recipe = {"umap": version, "vectors": checksum(np.ascontiguousarray(vectors).tobytes()), "neighbours": neighbours}
    return remembered(recipe, "umap", compute)
