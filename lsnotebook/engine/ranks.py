"""The processes of one launch (`accelerate launch`, `torchrun`), as their environment names them."""

import os


def world_size() -> int:
    """How many processes train together; 1 without a launch."""
    return int(os.environ.get("WORLD_SIZE", 1))


def rank() -> int:
    """The rank of this process; rank 0 reports and writes for all."""
    return int(os.environ.get("RANK", 0))
