"""The run store: asking for a run returns it, training it only if it is not there. Interrupted runs are resumed."""

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module

import pandas as pd
import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list
from joblib import cpu_count
from safetensors.torch import load as tensors_of
from threadpoolctl import threadpool_limits
from torch import nn
from torch.distributed.checkpoint.state_dict import get_model_state_dict

from lsnotebook.core.progress import Progress
from lsnotebook.core.seeding import seeded
from lsnotebook.core.store import RunStoreError, turn, writing
from lsnotebook.data.checkpoints import folder_of
from lsnotebook.data.loading import load as load_images
from lsnotebook.data.splits import Splits
from lsnotebook.engine import finished, training
from lsnotebook.engine.launch import WHOLE, TrainingError
from lsnotebook.engine.provenance import provenance
from lsnotebook.engine.ranks import rank, world_size
from lsnotebook.engine.run import Run, unfinished
from lsnotebook.engine.state import read_parts
from lsnotebook.engine.workers import side_by_side, start_server


def splits_of(run: Run) -> Splits:
    """The images of a run's profile, split into training, selection and validation."""
    return load_images(run.profile.images, run.profile.backbone)


def load(run: Run) -> nn.Module:
    """The trained network, in evaluation mode, on the GPU where there is one, unless the profile trains on the CPU.

    Trains it where it is not in the store. Raises `RunStoreError` where the folder is damaged or of another recipe.
    """
    ensure([run])
    weights, config = finished.content(run, "model.safetensors"), finished.content(run, "config.json")
    with finished.understanding(run, "config.json"):
        network = import_module(run.approach.network).restored(json.loads(config))
        network.load_state_dict(tensors_of(weights))
    on_gpu = torch.accelerator.is_available() and not run.schedule.cpu
    return network.eval().to(torch.accelerator.current_accelerator() if on_gpu else "cpu")


def initial(run: Run) -> nn.Module:
    """The network before its first step: the weights of its base or checkpoint, fresh ones for the rest."""
    base = load(run.base).state_dict() if run.base else None
    checkpoint = run.profile.backbone.checkpoint
    folder = folder_of(checkpoint) if checkpoint else None
    with seeded(run.seed, "initialisation"):
        return import_module(run.approach.network).initial(run.profile, run.approach, base, folder)


def ensure(runs: Iterable[Run], workers: int | None = None) -> None:
    """Train the runs that are not in the store yet, side by side on the CPU, and show the progress.

    Two processes that ask for the same run train it once: the second waits and finds it. `workers` is the number
    of processes; by default one a core for profiles that train on the CPU, else one. Under `accelerate launch`, all
    ranks train each run together.
    """
    wanted = list(dict.fromkeys(runs))
    missing = [run for run in wanted if not run.is_there]
    if world_size() > 1 and wanted:  # rank 0's list is broadcast, so that all ranks agree
        PartialState(cpu=all(run.schedule.cpu for run in wanted))
        missing = broadcast_object_list([missing])[0]
    if not missing:
        return
    if workers is None:
        workers = cpu_count() if all(run.schedule.cpu for run in missing) else 1
    alone = world_size() > 1 or min(workers, len(missing)) == 1
    tables = ["lsnotebook.engine.tables", "lsnotebook.engine.attention"]  # what comes next
    imports = [__name__, *tables, *(run.approach.network for run in missing)]
    if not alone:
        with contextlib.suppress(OSError, EOFError, RuntimeError):  # `side_by_side` tries again, and says why
            start_server(imports)  # imports while the bases are trained
    ensure(dict.fromkeys(run.base for run in missing if run.base), workers=1)
    for profile in dict.fromkeys(run.profile for run in missing):
        load_images(profile.images, profile.backbone)  # what is wrong or left out is said once, not by each worker
    what = f"{len(missing)} networks" if len(missing) > 1 else str(missing[0])
    total = sum(run.schedule.steps for run in missing)
    with Progress(total, f"training {what}", hidden=rank() > 0) as progress:
        if alone:
            for run in missing:
                train(run, progress.advance)
        else:
            side_by_side(train, missing, workers, progress.advance, imports)


def train(run: Run, advance: Callable[[int], None] = lambda steps: None) -> None:
    """Train one run and store it, unless it is there already; wait where another process is training it."""
    recipe, folder = run.recipe, run.folder
    with contextlib.ExitStack() as held:
        if run.schedule.cpu:
            held.enter_context(one_thread())
        state = PartialState(cpu=run.schedule.cpu)
        lock = folder.with_name(folder.name + ".lock")
        held.enter_context(  # broadcast after each timeout: a collective fails after ten minutes
            turn(lock, f"training {run}", state.is_main_process, lambda ours: broadcast_object_list([ours])[0])
        )
        if broadcast_object_list([run.is_there])[0]:
            advance(run.schedule.steps)
            return
        with writing(unfinished(folder)):
            unfinished(folder).mkdir(exist_ok=True)
        splits, network = splits_of(run), initial(run)
        machine, augment = run.profile.machine, run.profile.images.augment
        table = training.train(
            network, splits, run.schedule, run.approach.order, run.seed, unfinished(folder), advance, machine, augment
        )
        weights = get_model_state_dict(network, options=WHOLE)  # a collective
        if run.recipe != recipe:
            raise RunStoreError(
                f"The images or the checkpoint of {run} changed while it was trained; run the same command again."
            )
        if state.is_main_process:
            made = provenance(network.device)
            finished.keep(folder, recipe, made, network.config.to_json_string(), weights, table)
        state.wait_for_everyone()  # the next run may start from this one


def status(wanted: Sequence[Run], every_byte: bool = False) -> pd.DataFrame:
    """Where each run and its base stand: done, begun (at which step, how good at its last evaluation, after how many
    hours), to do, or damaged, and then what is (see `finished.check`)."""
    rows = []
    for run in dict.fromkeys([*(run.base for run in wanted if run.base), *wanted]):
        stands, history, damage = "to do", [], ""
        try:
            if run.is_there:
                finished.check(run, every_byte)
                stands, history = "done", finished.history(run).to_dict("records")
            elif os.path.lexists(unfinished(run.folder)):
                stands, history = "begun", read_parts(unfinished(run.folder))[0]
        except (RunStoreError, TrainingError) as error:
            stands, damage = "damaged", str(error)
        last = history[-1] if history else {"step": 0, "selection_top1": float("nan"), "seconds": 0.0}
        at = f"{last['step']} of {run.schedule.steps}"
        rows.append((str(run), stands, at, 100 * last["selection_top1"], last["seconds"] / 3600, damage))
    return pd.DataFrame(rows, columns=["run", "stands", "step", "top-1 %", "hours", "damage"])


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Sum in one order whatever the number of cores, so that the same seed gives the same bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)
