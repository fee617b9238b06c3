"""Maps of layer outputs on a plane (§4.3, §5)."""

import numpy as np
import pandas as pd
from umap import UMAP

from lsnotebook.core.store import checksum, remembered


def umap(vectors: np.ndarray, neighbours: int = 15) -> pd.DataFrame:
    """The vectors (B, D) on a plane by UMAP, columns x and y, remembered in the run store.

    The map differs from machine to machine: a picture, from which no number is to be taken.
    """

    def compute() -> pd.DataFrame:
        return pd.DataFrame(UMAP(neighbours, random_state=0, n_jobs=1).fit_transform(vectors), columns=["x", "y"])

    recipe = {"vectors": checksum(np.ascontiguousarray(vectors).tobytes()), "neighbours": neighbours}
    return remembered(recipe, "umap", compute)
