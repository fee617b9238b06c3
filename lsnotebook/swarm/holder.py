"""What runs on a node. It imports torch alone: with transformers too, a node takes seconds more to start."""

import os
import signal
import time
from collections.abc import Mapping

import numpy as np
import torch

from lsnotebook.core.source import code_version
from lsnotebook.swarm.blocks import block as run_block
from lsnotebook.swarm.hops import Block


class Holder:
    """Some layers, and whoever asks runs one of them. Tensors travel as arrays, which arrive read-only."""

    def __init__(self) -> None:
        torch.set_num_threads(1)  # the nodes of one machine share its cores

    def version(self) -> str:
        """Of the code by which this node runs layers."""
        return version()

    def hold(self, weights: Mapping[Block, Mapping[str, np.ndarray]], heads: int, eps: float) -> None:
        """Hold these layers in place of those before."""
        self.weights = {
            block: {name: torch.from_numpy(one.copy()) for name, one in of.items()} for block, of in weights.items()
        }
        self.heads, self.eps = heads, eps

    def run(self, block: Block, z: np.ndarray, seconds: float) -> np.ndarray:
        """The tokens (N, T, D) after a layer; takes at least so many seconds."""
        began = time.monotonic()
        after = run_block(torch.from_numpy(z.copy()), self.weights[block], self.heads, self.eps).numpy()
        time.sleep(max(0.0, seconds - (time.monotonic() - began)))
        return after

    def crash(self) -> None:
        """End as a process does that runs out of memory."""
        os.kill(os.getpid(), signal.SIGKILL)


def version() -> str:
    return code_version(__name__)
