"""Data augmentation: random shifts and horizontal flips."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def augmented(pixel_values: Tensor, rng: np.random.Generator) -> Tensor:
    """Each image (B, channels, height, width) shifted by up to an eighth of its size, and flipped half of the time.

    The padding is zero (grey).
    """
    batch, _, height, width = pixel_values.shape
    reach = height // 8
    padded = F.pad(pixel_values, [reach] * 4)
    drawn = rng.integers(0, 2 * reach + 1, (2, batch, 1, 1, 1)), rng.random((batch, 1, 1, 1)) < 0.5
    # Non-blocking: else each step would wait for the GPU.
    (top, left), mirrored = (torch.from_numpy(one).to(pixel_values.device, non_blocking=True) for one in drawn)
    across = torch.arange(width, device=pixel_values.device).expand(batch, 1, 1, -1)
    across = torch.where(mirrored, across.flip(-1), across)
    down = torch.arange(height, device=pixel_values.device).view(1, 1, -1, 1)
    where = ((top + down) * padded.shape[-1] + left + across).expand(-1, pixel_values.shape[1], -1, -1)
    return padded.flatten(2).gather(2, where.flatten(2)).view_as(pixel_values)
