"""torch's global generator is seeded for a block, and as it was after it."""

import numpy as np
import torch

from lsnotebook.core.draws import draw
from lsnotebook.core.orders import arbitrary
from lsnotebook.core.seeding import seeded


def test_drawing_leaves_the_global_generators_alone():
    numpy_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()
    draw(arbitrary, 12, 5)
    with seeded(0, "dropout", 3):
        inside = torch.rand(1)
    with seeded(0, "dropout", 3):
        assert torch.rand(1) == inside
    assert (np.random.get_state()[1] == numpy_state).all()
    assert torch.equal(torch.get_rng_state(), torch_state)
