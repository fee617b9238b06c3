"""torch's global generators, seeded for the length of a block: for calls that take no generator of their own."""

import contextlib
from collections.abc import Iterator

import torch

from lsnotebook.core.randomness import stream


@contextlib.contextmanager
def seeded(seed: int, purpose: str, step: int = 0) -> Iterator[None]:
    """Run a block (initialisation, dropout) under a seed of its own.

    The global generators, the CPU's and that of the GPU in use, are as they were when the block ends.
    """
    # To look at the generator of a GPU that this process has not used yet would start it, with all the memory it takes.
    in_use = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(in_use):
        torch.manual_seed(int(stream(seed, purpose, step).integers(2**63)))
        yield
