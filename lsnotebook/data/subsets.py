"""Some images of many, for what need not be measured on all."""

import numpy as np
from torch.utils.data import Dataset, Subset


def evenly(whole: int, count: int) -> np.ndarray:
    """So many of the indices 0 ... `whole`-1, evenly spaced; all where there are fewer."""
    return np.linspace(0, whole - 1, min(count, whole)).round().astype(int)


def spread(images: Dataset, count: int) -> Subset:
    """So many of the images, evenly spaced, since folders are read class by class; all where there are fewer."""
    return Subset(images, evenly(len(images), count).tolist())  # type: ignore[arg-type]
