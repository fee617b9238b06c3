"""A folder that a user names for something to be written to, which appears there whole or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from lsnotebook.core.errors import LsnotebookError


def unused(folder: Path, kind: type[LsnotebookError]) -> Path:
    """The folder's whole path. Raises an error of this `kind` where something is there that is no empty folder."""
    folder = folder.expanduser().resolve()
    if os.path.lexists(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise kind(f"{folder} exists and is not an empty folder; name a new one, or remove it first.")
    return folder


@contextlib.contextmanager
def written(folder: Path, kind: type[LsnotebookError]) -> Iterator[Path]:
    """A folder beside an `unused` one, which takes its place in the end. Raises an error of this `kind` where it cannot
    be written."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as beside:
            made = Path(beside) / folder.name
            yield made
            if folder.exists():
                folder.rmdir()
            made.rename(folder)
    except OSError as error:
        raise kind(f"{folder} cannot be written ({error.strerror}); name another folder.") from error
