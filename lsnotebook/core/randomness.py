"""Every random number of the project derives from (seed, purpose, step), never from a global generator.

A generator is made where it is used, and not kept: there is no random state to save, and a run that is
resumed at step 300 draws at step 301 what it would have drawn anyway.
"""

import zlib

import numpy as np


def stream(seed: int, purpose: str, step: int = 0) -> np.random.Generator:
    """The generator of one (seed, purpose, step): equal arguments give equal draws, on every machine."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), step])
