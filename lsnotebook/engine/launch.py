"""A network on the devices of one launch: one process or several, DDP or FSDP, images decoded on the CPU or the GPU.

Under `accelerate launch` a batch is split over the ranks, which all run the order of the step: N ranks take the
same steps as one process, and FSDP's all-gathers are the same on all ranks.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import torch
from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer
from accelerate.state import AcceleratorState
from accelerate.utils import (
    DataLoaderConfiguration,
    DistributedDataParallelKwargs,
    DistributedType,
    GradientAccumulationPlugin,
)
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions
from torch.utils.data import Dataset

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.data.batches import Batches, loader
from lsnotebook.data.pictures import Unprepared
from lsnotebook.engine.ranks import world_size

if TYPE_CHECKING:
    from lsnotebook.core.orders import Sampler
    from lsnotebook.core.profiles import Machine, Schedule

WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)
"""State dicts as one process has them, however they are sharded over the ranks."""

ARITHMETIC = (
    *("ATEN_CPU_CAPABILITY", "MKL_CBWR", "MKL_DEBUG_CPU_TYPE", "MKL_ENABLE_INSTRUCTIONS", "OPENBLAS_CORETYPE"),
    *(f"{name}_{what}" for name in ("ONEDNN", "DNNL") for what in ("MAX_CPU_ISA", "DEFAULT_FPMATH_MODE")),
    *("NVIDIA_TF32_OVERRIDE", "ACCELERATE_TORCH_DEVICE"),
)
"""Environment variables that choose how numbers are computed, and that no call can overrule."""
ENGINES = tuple(f"ACCELERATE_USE_{name}" for name in ("DEEPSPEED", "MEGATRON_LM", "PARALLELISM_CONFIG", "SAGEMAKER"))
"""Those by which `accelerate launch` asks for an engine that trains in another way."""


class TrainingError(LsnotebookError, RuntimeError):
    """Training cannot go on; the last good state is kept."""


class Launch(NamedTuple):
    """The network and its optimizer as Accelerate has prepared them, and the options of speed and memory."""

    accelerator: Accelerator
    network: nn.Module
    optimizer: AcceleratedOptimizer
    machine: "Machine"


def prepare(network: nn.Module, schedule: "Schedule", sampler: "Sampler", machine: "Machine") -> Launch:
    """The network on the devices of this launch, its layers compiled where asked, and its optimizer."""
    accelerator = accelerator_for(schedule, sampler)
    if machine.compile:
        layers = [one for one in network.modules() if type(one).__name__ in network._no_split_modules]
        for layer in layers:  # one by one: a whole model would be recompiled for each order
            layer.compile()
    if machine.recompute:
        # The second is what transformers called it before 5.23.
        getattr(network, "activation_checkpointing_enable", network.gradient_checkpointing_enable)()
    optimizer = torch.optim.Adam(
        network.parameters(), lr=schedule.learning_rate, betas=schedule.betas, eps=schedule.epsilon, fused=True
    )
    prepared, optimizer = accelerator.prepare(network, optimizer)
    return Launch(accelerator, prepared, optimizer, machine)


def accelerator_for(schedule: "Schedule", sampler: "Sampler") -> Accelerator:
    """Stock Accelerate; the devices of `accelerate config` and `accelerate launch` count, and FSDP.

    What decides the weights is the schedule's alone, whatever the environment says: precision, gradient accumulation,
    compilation. Raises `TrainingError` where it cannot be, and for the first version of FSDP, which does not tell the
    shapes of the weights.
    """
    asked = [name for name in ARITHMETIC if os.environ.get(name)]
    asked += [name for name in ENGINES if os.environ.get(name, "").lower() == "true"]
    if asked:
        raise TrainingError(
            f"The environment would change the weights by {', '.join(asked)}: unset that (or, under `accelerate "
            "launch`, choose plain DDP or FSDP 2 in `accelerate config`)."
        )
    torch.set_float32_matmul_precision("highest")  # TORCH_ALLOW_TF32_CUBLAS_OVERRIDE is set in NVIDIA's containers
    if world_size() == 1:
        # One process may train at several precisions, and on the CPU after the GPU; Accelerate keeps to the first.
        AcceleratorState._reset_state(reset_partial_state=True)
    # Without this, a layer that is left out has no gradient, and the ranks silently go on with unequal ones.
    kwargs = DistributedDataParallelKwargs(find_unused_parameters=sampler.skips_layers)
    accelerator = Accelerator(
        mixed_precision=schedule.mixed_precision,
        cpu=schedule.cpu,
        dynamo_backend="no",
        gradient_accumulation_plugin=GradientAccumulationPlugin(num_steps=1),  # we do that ourselves, see `gradients`
        dataloader_config=DataLoaderConfiguration(split_batches=True, non_blocking=True),
        kwargs_handlers=[kwargs],
    )
    if accelerator.distributed_type == DistributedType.FSDP and not accelerator.is_fsdp2:
        raise TrainingError("FSDP is supported in its version 2 only; choose that in `accelerate config`.")
    return accelerator


def read(
    images: Dataset, batches: Batches, accelerator: Accelerator, machine: "Machine"
) -> Iterator[tuple[Tensor, Tensor]]:
    """This rank's part of each batch, on its device: (pixel_values, labels)."""
    device = accelerator.device
    if not (machine.decode_on_gpu and device.type == "cuda"):
        yield from accelerator.prepare(loader(images, device, machine.readers, batch_sampler=batches))
        return
    unprepared = loader(
        Unprepared(images), device, machine.readers, batch_sampler=batches, collate_fn=Unprepared.collate
    )
    beside = torch.cuda.Stream(device)
    for joined, shapes, labels in accelerator.prepare_data_loader(unprepared, device_placement=False):
        with torch.cuda.stream(beside):  # while the last step still runs
            # The decoder does not wait for pending reads of the memory that it writes to.
            beside.synchronize()
            pixel_values = images.dataset.pixels(Unprepared.apart(joined, shapes), device)
        current = torch.cuda.current_stream(device)
        current.wait_stream(beside)
        pixel_values.record_stream(current)
        yield pixel_values, labels.to(device, non_blocking=True)
