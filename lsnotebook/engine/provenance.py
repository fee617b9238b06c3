"""What made a result: the device and the versions, and the command that reproduces it."""

import contextlib
import platform
import shlex
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata

import pandas as pd
import torch

from lsnotebook import __version__
from lsnotebook.core.store import checkout
from lsnotebook.engine import finished
from lsnotebook.engine.ranks import world_size
from lsnotebook.engine.run import Run

PACKAGES = ("torch", "torchvision", "transformers", "accelerate")


def provenance(device: torch.device) -> dict[str, str]:
    """What makes a result here, besides its recipe."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {
        "device": f"{world_size()} x {name}" if world_size() > 1 else name,
        "machine": platform.machine(),
        "python": platform.python_version(),
        **{package: metadata.version(package) for package in PACKAGES},
    }


def origin(models: Sequence[Run], notebook: str, **parameters: object) -> str:
    """How a figure came to be: profile, seeds, what trained its networks, and the command for it."""
    made, seeds = finished.made(models[0]), sorted({run.seed for run in models})
    return (
        f"Profile {models[0].profile.name}, seeds {seeds[0]} to {seeds[-1]}; trained on {made['device']} "
        f"({made['machine']}, torch {made['torch']}). {again(notebook, **parameters)}"
    )


def again(notebook: str, **parameters: object) -> str:
    """The command that makes a page again."""
    line = " ".join(f"-p {name} {shlex.quote(str(value))}" for name, value in parameters.items())
    return f"Again: papermill {notebook}.ipynb out.ipynb {line}"


def training_cost(models: Sequence[Run]) -> dict:
    """What training these networks, and the bases they start from, took: devices, versions, hours, energy."""
    models = list(dict.fromkeys([*(run.base for run in models if run.base), *models]))
    made = [finished.made(run) for run in models]
    last = pd.DataFrame([finished.history(run).iloc[-1] for run in models])
    joules = last["joules"].sum(skipna=False) if "joules" in last else float("nan")
    return {
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "devices": sorted({one["device"] for one in made}),
        "versions": {name: sorted({one.get(name, "unknown") for one in made}) for name in ("python", *PACKAGES)},
        "networks": len(models),
        "seeds": models[-1].profile.seeds,
        "hours": last["seconds"].sum() / 3600,
        "kilowatt_hours": None if pd.isna(joules) else joules / 3.6e6,
    }


def commit() -> str:
    """The commit of the project's own repository, marked "dirty" where files differ; without one, the version."""
    if (project := checkout()) and (project / ".git").exists():
        of = [f"--git-dir={project / '.git'}", f"--work-tree={project}"]  # no repository around it, none of GIT_DIR
        command = ["git", *of, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return f"unknown (version {__version__})"
