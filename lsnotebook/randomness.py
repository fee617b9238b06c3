"""Every random number of the project derives from (seed, purpose, step), never from a global generator.

A generator is made where it is used and thrown away after: there is no random state to save, so a run that
was killed and resumed at step 300 draws at step 301 what it would have drawn anyway.
"""

import contextlib
import zlib
from collections.abc import Iterator

import numpy as np


def stream(seed: int, purpose: str, step: int = 0) -> np.random.Generator:
    """The generator of one (seed, purpose, step): equal arguments give equal draws, on every machine."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), step])


@contextlib.contextmanager
def seeded(seed: int, purpose: str, step: int = 0) -> Iterator[None]:
    """Run a block whose torch calls take no generator (initialisation, dropout) under a seed of its own.

    The global torch generators, the CPU's and that of the GPU in use, are as they were when the block ends.
    """
    import torch

    # To look at the generator of a GPU that this process has not used yet would start it, with all the memory it takes.
    in_use = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(in_use):
        torch.manual_seed(int(stream(seed, purpose, step).integers(2**63)))
        yield
