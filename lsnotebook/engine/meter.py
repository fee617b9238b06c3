"""What training cost: seconds and, where the GPUs measure it, energy in joules."""

import math
import time
from collections.abc import Mapping, Sequence

import torch
from accelerate import Accelerator


class Meter:
    """Continues from the last row of a resumed run's history."""

    def __init__(self, accelerator: Accelerator, history: Sequence[Mapping] = ()):
        self.accelerator = accelerator
        self.before = history[-1] if history else {}
        self.began, self.joules = time.monotonic(), joules(accelerator.device)

    def read(self) -> dict[str, float]:
        """`seconds` since the start and, where all GPUs measure it, `joules` of all GPUs, including other processes.

        Under `accelerate launch` all ranks must call this together, since it is a collective.
        """
        spent = torch.tensor(joules(self.accelerator.device) - self.joules, device=self.accelerator.device)
        spent = self.accelerator.reduce(spent, "sum").item()
        counted = {"seconds": time.monotonic() - self.began, **({} if math.isnan(spent) else {"joules": spent})}
        return {name: value + self.before.get(name, 0.0) for name, value in counted.items()}


def joules(device: torch.device) -> float:
    """What the GPU has used since its driver was loaded; NaN without the extra `gpu`, or where it has no counter."""
    if device.type != "cuda":
        return float("nan")
    try:
        import pynvml
    except ImportError:
        return float("nan")
    try:
        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        return pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000
    except pynvml.NVMLError:
        return float("nan")
