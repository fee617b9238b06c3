"""The three parts of a data set, and what is checked of them."""

import numpy as np
from sklearn.datasets import load_digits

from lsnotebook.data.splits import digits


def test_digits_are_the_real_ones():
    images, labels = digits().tensors
    assert np.allclose((images[:, 0].numpy() + 1) * 8, load_digits().images)
    assert (labels.numpy() == load_digits().target).all() and images.min() == -1 and images.max() == 1
