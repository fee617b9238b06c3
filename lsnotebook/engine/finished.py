"""Finished runs on disk: moved there atomically, read with their checksums, never unpickled.

The folder of a profile holds::

    data/runs/digits/layershuffle-seed0-1c27…/           the finished run, which appears whole or not at all
        config.json model.safetensors                    as `save_pretrained` writes them
        history.csv recipe.json made.json checksums.json
    data/runs/digits/layershuffle-seed0-1c27….unfinished/   where training goes on after a kill
    data/runs/digits/layershuffle-seed0-1c27….lock          held by the one process that trains it
"""

import contextlib
import io
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from lsnotebook.core.store import RunStoreError, checksum, write_whole, writing
from lsnotebook.engine.run import Run, unfinished

AGAIN = "; mend that, or move the folder away and it will be trained anew."
NUMBERS = {"step": int, "selection_loss": float, "selection_top1": float, "seconds": float}
"""What each row of a history holds, at least."""


def keep(
    folder: Path, recipe: dict, made: dict, config: str, weights: Mapping[str, Tensor], table: pd.DataFrame
) -> None:
    """Move a finished run into place atomically."""
    files = {
        "config.json": config.encode(),
        "model.safetensors": save({name: weight.contiguous() for name, weight in weights.items()}, {"format": "pt"}),
        "history.csv": table.to_csv(index=False).encode(),
        "recipe.json": json.dumps(recipe, indent=1).encode(),
        "made.json": json.dumps(made, indent=1).encode(),
    }
    checksums = {name: checksum(content) for name, content in files.items()}
    files["checksums.json"] = json.dumps(checksums, indent=1).encode()
    finished = folder.with_name(folder.name + ".finished")
    shutil.rmtree(finished, ignore_errors=True)
    for name, content in files.items():
        write_whole(finished / name, content)
    with writing(folder):
        finished.rename(folder)
    shutil.rmtree(unfinished(folder), ignore_errors=True)  # what cannot be removed is in nobody's way


def content(run: Run, name: str) -> bytes:
    """A file of a finished run. Raises `RunStoreError` where it is damaged, or the folder is of another recipe."""
    folder = run.folder
    if json.loads(verified(folder, "recipe.json")) != json.loads(json.dumps(run.recipe)):
        raise RunStoreError(f"{folder} holds a run of another recipe than {run}{AGAIN}")
    return verified(folder, name)


def verified(folder: Path, name: str) -> bytes:
    """The content of a file, checked against its checksum."""
    try:
        content = (folder / name).read_bytes()
        checksums = json.loads((folder / "checksums.json").read_bytes())
    except OSError as error:
        raise RunStoreError(f"{error.filename} cannot be read ({error.strerror}){AGAIN}") from error
    except (ValueError, RecursionError) as error:
        raise RunStoreError(f"{folder / 'checksums.json'} is damaged: it is no JSON{AGAIN}") from error
    if not isinstance(checksums, dict) or checksums.get(name) != checksum(content):
        raise RunStoreError(f"{folder / name} is damaged: checksums.json has another checksum, or none{AGAIN}")
    return content


@contextlib.contextmanager
def understanding(run: Run, name: str) -> Iterator[None]:
    """Raise whatever a file of another form leads to as a `RunStoreError`."""
    try:
        yield
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise RunStoreError(f"{run.folder / name} is not what a training writes ({reason}){AGAIN}") from error


def history(run: Run) -> pd.DataFrame:
    """The learning curve of a finished run: one row for each evaluation on the selection images."""
    table = io.BytesIO(content(run, "history.csv"))
    with understanding(run, "history.csv"):
        return pd.read_csv(table).astype(NUMBERS)


def made(run: Run) -> dict:
    """What made a finished run, besides its recipe: device, machine, versions."""
    found = content(run, "made.json")
    with understanding(run, "made.json"):
        return {name: str(what) for name, what in json.loads(found).items()}


def check(run: Run, every_byte: bool = False) -> None:
    """Raise `RunStoreError` where a run is damaged; of its weights only the size is looked at, or every byte."""
    content(run, "config.json"), history(run), made(run)
    if every_byte:
        content(run, "model.safetensors")
    with understanding(run, "model.safetensors"), safe_open(run.folder / "model.safetensors", "pt"):
        pass  # the header, which says how large the file is
