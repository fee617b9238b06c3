"""What training cost: seconds and, where the GPU tells, joules."""

import time
from collections.abc import Mapping, Sequence

import torch


class Meter:
    """Counts on from the last look of a run that is taken up again."""

    def __init__(self, device: torch.device, history: Sequence[Mapping] = ()):
        self.device = device
        self.before = history[-1] if history else {}
        self.began = self._now()

    def read(self) -> dict[str, float]:
        """`seconds` since the start, and `joules` of this rank's GPU, whatever ran on it."""
        return {name: value - self.began[name] + self.before.get(name, 0.0) for name, value in self._now().items()}

    def _now(self) -> dict[str, float]:
        counters = {"seconds": time.monotonic()}
        if self.device.type == "cuda":
            counters |= joules(self.device)
        return counters


def joules(device: torch.device) -> dict[str, float]:
    """Nothing without the extra `gpu`, or where the GPU has no counter."""
    try:
        import pynvml
    except ImportError:
        return {}
    try:
        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        return {"joules": pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000}
    except pynvml.NVMLError:
        return {}
