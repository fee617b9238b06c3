"""torch's global generators, seeded for the length of a block: for calls that take no generator."""

import contextlib
from collections.abc import Iterator

import torch

from lsnotebook.core.randomness import stream


@contextlib.contextmanager
def seeded(seed: int, purpose: str, step: int = 0) -> Iterator[None]:
    """Run a block (initialisation, dropout) under a seed of its own.

    The global generators, the CPU's and that of the GPU in use, are as they were when the block ends.
    """
    # Reading the generator of an unused GPU would initialise CUDA, which takes memory.
    in_use = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(in_use):
        torch.manual_seed(int(stream(seed, purpose, step).integers(2**63)))
        yield
