"""The run store: recipe -> trained model, made once, found again.

A *run* is (profile, approach, seed). Its recipe, every value that influences the weights and the version of the
training code, hashes to the name of its folder:

    data/runs/digits/layershuffle-seed0-1c27…/           the finished run, which appears whole or not at all
        config.json model.safetensors                    as `save_pretrained` writes them
        history.csv recipe.json checksums.json
    data/runs/digits/layershuffle-seed0-1c27….unfinished/   where training goes on after a kill
    data/runs/digits/layershuffle-seed0-1c27….lock          held by the one process that trains it

Nothing is ever unpickled. Evaluations are remembered beside the runs in the same way.
"""

import contextlib
import dataclasses
import io
import json
import logging
import os
import platform
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from filelock import FileLock, Timeout
from joblib import cpu_count

from lsnotebook import profiles
from lsnotebook.profiles import Profile
from lsnotebook.progress import Progress
from lsnotebook.store import RunStoreError, checksum, code_version, data_root, hashed, write_whole
from lsnotebook.workers import side_by_side

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from lsnotebook.data import Splits
    from lsnotebook.model import ShuffleViT

log = logging.getLogger(__name__)
TRAINING_CODE = ("randomness", "orders", "model", "data", "training")
"""The modules whose code influences the weights."""


@dataclasses.dataclass(frozen=True)
class Run:
    """One trained network of the study."""

    profile: Profile
    approach: str
    seed: int

    def __post_init__(self) -> None:
        profiles.approach(self.approach)

    def __str__(self) -> str:
        return f"{self.profile.name} {self.approach} seed {self.seed}"

    @property
    def base(self) -> "Run | None":
        """The pre-trained run that this one refines; None for that run, and where a checkpoint is named."""
        if self.approach == "base" or self.profile.pretrain is None:
            return None
        return Run(self.profile, "base", 0)

    @property
    def layers(self) -> int:
        return profiles.approach(self.approach).layers or self.profile.backbone.layers

    @property
    def schedule(self) -> profiles.Schedule:
        schedule = self.profile.pretrain if self.approach == "base" else self.profile.refine
        if schedule is None:
            raise RunStoreError(
                f"The profile {self.profile.name!r} has no base of its own to train: it starts from the "
                f"checkpoint {self.profile.backbone.checkpoint!r}."
            )
        hotter = profiles.approach(self.approach).hotter
        return dataclasses.replace(schedule, learning_rate=schedule.learning_rate * hotter)

    @property
    def recipe(self) -> dict:
        """Every value that influences the weights."""
        return {
            "data": dataclasses.asdict(self.profile.data),
            "backbone": dataclasses.asdict(self.profile.backbone),
            "schedule": dataclasses.asdict(self.schedule),
            "approach": dataclasses.asdict(profiles.approach(self.approach)),
            "seed": self.seed,
            "base": self.base.key if self.base else None,
            "code": code_version(*TRAINING_CODE),
        }

    @property
    def key(self) -> str:
        return hashed(self.recipe)

    @property
    def folder(self) -> Path:
        return data_root() / "runs" / self.profile.name / f"{self.approach}-seed{self.seed}-{self.key}"

    @property
    def unfinished(self) -> Path:
        return self.folder.with_name(self.folder.name + ".unfinished")


def study(profile: Profile, approaches: Iterable[str] = profiles.TABLE_1, seeds: int | None = None) -> list[Run]:
    """The runs of some approaches, `seeds` networks each (by default as many as the profile says)."""
    return [
        Run(profile, approach, seed)
        for approach in approaches
        for seed in range(1 if approach == "base" else seeds or profile.seeds)  # all refine the one base
    ]


def book(profile: Profile) -> list[Run]:
    """All runs that the pages ask for by default."""
    wanted = [
        *study(profile),
        *study(profile, ["layershuffle-predict-sum"], 2),
        *study(profile, ["layerdrop", *(f"refined-{layers}" for layers in profile.depths)]),
        *study(profile, ["baseline", "layershuffle"], profile.sources),
        *study(profile, profiles.DRIFTED, profiles.DRIFT_SEEDS),
    ]
    return list(dict.fromkeys(wanted))


def splits_of(profile: Profile) -> "Splits":
    """The images of a profile: to learn from, to choose the checkpoint, to report."""
    from lsnotebook import data

    return data.load(profile.data, profile.backbone)


def load(run: Run) -> "ShuffleViT":
    """The trained model, in evaluation mode, on the GPU where there is one and the profile wants it.

    Trains it where it is not in the store.
    Raises `RunStoreError` where the folder is damaged or of another recipe.
    """
    import torch
    from safetensors.torch import load

    from lsnotebook.model import ShuffleViT, ShuffleViTConfig

    ensure([run])
    if json.loads(verified(run, "recipe.json")) != json.loads(json.dumps(run.recipe)):
        raise RunStoreError(
            f"{run.folder} holds a run of another recipe than {run}; move it away and it will be trained anew."
        )
    weights = load(verified(run, "model.safetensors"))
    model = ShuffleViT(ShuffleViTConfig(**json.loads(verified(run, "config.json"))))
    model.load_state_dict(weights)
    on_gpu = torch.accelerator.is_available() and not run.schedule.cpu
    return model.eval().to(torch.accelerator.current_accelerator() if on_gpu else "cpu")


def base_of(run: Run) -> "ShuffleViT":
    """The model that a run began with."""
    from lsnotebook import training

    base = load(run.base).state_dict() if run.base else None
    return training.initial(run.profile, profiles.approach(run.approach), run.seed, base)


def history(run: Run) -> pd.DataFrame:
    """The learning curve: one row for each look at the selection images."""
    ensure([run])
    return pd.read_csv(io.BytesIO(verified(run, "history.csv")))


def status(wanted: Sequence[Run]) -> pd.DataFrame:
    """Where each run stands: done, begun (at which step, how good at its last look, after how many hours), to do, or
    damaged."""
    from safetensors import SafetensorError, safe_open

    rows = []
    for run in wanted:
        stands, looks = "to do", []
        if run.folder.exists():
            try:
                stands, looks = "done", history(run).to_dict("records")
            except RunStoreError:
                stands = "damaged"
        elif run.unfinished.exists():
            stands = "begun"
            try:
                with safe_open(run.unfinished / "state.safetensors", framework="pt") as state:
                    looks = json.loads(state.metadata()["history"])
            except FileNotFoundError:  # no look yet
                pass
            except (OSError, SafetensorError):
                stands = "damaged"
        last = looks[-1] if looks else {"step": 0, "selection_top1": float("nan"), "seconds": 0.0}
        at = f"{last['step']} of {run.schedule.steps}"
        rows.append((str(run), stands, at, 100 * last["selection_top1"], last["seconds"] / 3600))
    return pd.DataFrame(rows, columns=["run", "stands", "step", "top-1 %", "hours"])


def made(models: Sequence[Run], notebook: str, **parameters: object) -> str:
    """How a figure came to be: profile, seeds, what trained its models, and the line that makes it again."""
    ensure(models)
    profile, seeds = models[0].profile, sorted({run.seed for run in models})
    by = json.loads(verified(models[0], "made.json"))
    line = " ".join(f"-p {name} {value}" for name, value in parameters.items())
    return (
        f"Profile {profile.name}, seeds {seeds[0]} to {seeds[-1]}; trained on {by['device']} ({by['machine']}, "
        f"torch {by['torch']}). Again: papermill {notebook}.ipynb out.ipynb {line}"
    )


def verified(run: Run, name: str) -> bytes:
    """The content of a file of a finished run, checked against its checksum."""
    try:
        content = (run.folder / name).read_bytes()
        expected = json.loads((run.folder / "checksums.json").read_text())[name]
    except (OSError, ValueError, KeyError) as error:
        raise RunStoreError(
            f"{run.folder / name} cannot be read ({error}); remove the folder and it will be trained anew."
        ) from error
    if checksum(content) != expected:
        raise RunStoreError(
            f"{run.folder / name} is damaged: its checksum is not the one it was written with; "
            "remove the folder and it will be trained anew."
        )
    return content


def ensure(runs: Iterable[Run], workers: int | None = None) -> None:
    """Train the runs that are not in the store yet, side by side on the CPU, and show the progress.

    Two processes that ask for the same run train it once: the second waits and finds it. `workers` is the number
    of processes; by default one a core for profiles that train on the CPU, else one. Under `accelerate launch`, all
    ranks train each run together.
    """
    wanted = list(dict.fromkeys(runs))
    missing = [run for run in wanted if not run.folder.exists()]
    launched = int(os.environ.get("WORLD_SIZE", 1)) > 1
    if launched and wanted:  # another launch may finish one just now: all ranks have to mean the same
        from accelerate import PartialState
        from accelerate.utils import broadcast_object_list

        PartialState(cpu=all(run.schedule.cpu for run in wanted))
        missing = broadcast_object_list([missing])[0]
    if not missing:
        return
    ensure(dict.fromkeys(run.base for run in missing if run.base), workers=1)
    total = sum(run.schedule.steps for run in missing)
    if workers is None:
        workers = cpu_count() if all(run.schedule.cpu for run in missing) else 1
    what = f"{len(missing)} networks" if len(missing) > 1 else str(missing[0])
    with Progress(total, f"training {what}", hidden=int(os.environ.get("RANK", 0)) > 0) as progress:
        if launched or min(workers, len(missing)) == 1:
            for run in missing:
                train(run, progress.advance)
        else:
            side_by_side(train, missing, min(workers, len(missing)), progress.advance)


def train(run: Run, advance: Callable[[int], None] = lambda steps: None) -> None:
    """Train one run and put it in the store, unless it is there already or another process is just making it."""
    from accelerate import PartialState
    from accelerate.utils import broadcast_object_list
    from torch.distributed.checkpoint.state_dict import get_model_state_dict

    from lsnotebook import training

    run.folder.parent.mkdir(parents=True, exist_ok=True)
    state = PartialState(cpu=run.schedule.cpu)
    # The ranks of one launch train together: their first takes the lock, decides for all, and writes.
    lock = FileLock(run.folder.with_name(run.folder.name + ".lock"), timeout=10)
    with contextlib.ExitStack() as held:
        held.enter_context(_one_thread() if run.schedule.cpu else contextlib.nullcontext())
        ours = told = False
        while not ours:  # told again and again: ranks give up a wait of ten minutes
            try:
                if state.is_main_process:
                    held.enter_context(lock)
                ours = True
            except Timeout:
                if not told:
                    log.warning("Another process is training %s; waiting for it.", run)
                told = True
            ours, done = broadcast_object_list([ours, run.folder.exists()])
        if done:
            advance(run.schedule.steps)
            return
        run.unfinished.mkdir(exist_ok=True)
        splits, approach, model = splits_of(run.profile), profiles.approach(run.approach), base_of(run)
        table = training.train(
            model,
            splits,
            run.schedule,
            approach.order,
            run.seed,
            run.unfinished,
            advance,
            run.profile.machine,
            run.profile.data.augment,
        )
        weights = get_model_state_dict(model, options=training.WHOLE)  # from all ranks
        if state.is_main_process:
            _store(run, model, weights, table)
        state.wait_for_everyone()  # the next run may start from this one


def _store(run: Run, model: "ShuffleViT", weights: "dict[str, Tensor]", table: pd.DataFrame) -> None:
    """Move the finished run into place in one step."""
    from safetensors.torch import save

    files = {
        "config.json": model.config.to_json_string().encode(),
        "model.safetensors": save({name: weight.contiguous() for name, weight in weights.items()}, {"format": "pt"}),
        "history.csv": table.to_csv(index=False).encode(),
        "recipe.json": json.dumps(run.recipe, indent=1).encode(),
        "made.json": json.dumps(provenance(model.device), indent=1).encode(),
    }
    checksums = {name: checksum(content) for name, content in files.items()}
    files["checksums.json"] = json.dumps(checksums, indent=1).encode()
    finished = run.folder.with_name(run.folder.name + ".finished")
    shutil.rmtree(finished, ignore_errors=True)
    finished.mkdir()
    for name, content in files.items():
        write_whole(finished / name, content)
    finished.rename(run.folder)
    shutil.rmtree(run.unfinished)


PACKAGES = ("torch", "torchvision", "transformers", "accelerate")


def provenance(device: "torch.device") -> dict[str, str]:
    """What made a result, besides its recipe."""
    import torch

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    ranks = int(os.environ.get("WORLD_SIZE", 1))
    versions = {package: metadata.version(package) for package in PACKAGES}
    return {
        "device": f"{ranks} x {name}" if ranks > 1 else name,
        "machine": platform.machine(),
        "python": platform.python_version(),
        **versions,
    }


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Sums are added up in one order whatever the number of cores, so the same seed gives the same bits."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
