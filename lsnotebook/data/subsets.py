"""Some images of many, for what need not be measured on all."""

import numpy as np
from torch.utils.data import Dataset, Subset


def spread(images: Dataset, count: int) -> Subset:
    """So many of the images, evenly spaced, since folders are read class by class; all where there are fewer."""
    whole = len(images)  # type: ignore[arg-type]
    return Subset(images, np.linspace(0, whole - 1, min(count, whole)).round().astype(int).tolist())
