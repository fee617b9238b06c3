"""Finished runs on disk: moved there atomically, read with their checksums, never unpickled.

The folder of a profile holds::

    data/runs/digits/layershuffle-seed0-1c27…/           the finished run, which appears whole or not at all
        config.json model.safetensors                    as `save_pretrained` writes them
        history.csv recipe.json made.json checksums.json
    data/runs/digits/layershuffle-seed0-1c27….unfinished/   where training goes on after a kill
    data/runs/digits/layershuffle-seed0-1c27….lock          held by the one process that trains it
"""

import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from safetensors.torch import save
from torch import Tensor

from lsnotebook.core.store import RunStoreError, checksum, write_whole
from lsnotebook.engine.run import Run, unfinished


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
    finished.mkdir()
    for name, content in files.items():
        write_whole(finished / name, content)
    finished.rename(folder)
    shutil.rmtree(unfinished(folder))


def content(run: Run, name: str) -> bytes:
    """A file of a finished run. Raises `RunStoreError` where it is damaged, or the folder is of another recipe."""
    folder = run.folder
    if json.loads(verified(folder, "recipe.json")) != json.loads(json.dumps(run.recipe)):
        raise RunStoreError(
            f"{folder} holds a run of another recipe than {run}; move it away and it will be trained anew."
        )
    return verified(folder, name)


def verified(folder: Path, name: str) -> bytes:
    """The content of a file, checked against its checksum."""
    try:
        content = (folder / name).read_bytes()
        expected = json.loads((folder / "checksums.json").read_text())[name]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunStoreError(
            f"{folder / name} cannot be read ({error}); remove the folder and it will be trained anew."
        ) from error
    if checksum(content) != expected:
        raise RunStoreError(
            f"{folder / name} is damaged: its checksum is not the one it was written with; "
            "remove the folder and it will be trained anew."
        )
    return content


def history(run: Run) -> pd.DataFrame:
    """The learning curve of a finished run: one row for each evaluation on the selection images."""
    return pd.read_csv(io.BytesIO(content(run, "history.csv")))


def made(run: Run) -> dict:
    """What made a finished run, besides its recipe: device, machine, versions."""
    return json.loads(content(run, "made.json"))
