"""Atomic writes, reads checked against a checksum, and tables cached by recipe hash."""

import contextlib
import functools
import hashlib
import io
import json
import logging
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from multiprocessing import parent_process
from pathlib import Path

import pandas as pd
from filelock import FileLock, Timeout
from platformdirs import user_data_path

from lsnotebook.core.errors import LsnotebookError

log = logging.getLogger(__name__)


ELSEWHERE = "mend that, or move it away, or name another place for data/ in LSNOTEBOOK_DATA."
SOON = 2.0
"""Seconds after which one is told what is waited for."""


class RunStoreError(LsnotebookError, RuntimeError):
    """Something in the store is not what it should be; nothing in it was changed."""


class DamagedError(RunStoreError):
    """A file of the store does not hold what was written to it."""


class DataFolderError(LsnotebookError, ValueError):
    """LSNOTEBOOK_DATA names no folder; of the runs this says nothing."""


@functools.cache
def checkout() -> Path | None:
    """The project's folder where the package lies in it, as in a clone; None for an installed package."""
    folder = Path(__file__).resolve().parents[2]
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
    except (OSError, ValueError, KeyError):
        return None
    return folder if project == "lsnotebook" else None


def data_root() -> Path:
    """The folder of runs, results, images and checkpoints, as an absolute path.

    LSNOTEBOOK_DATA names it, else it is called `data`. A relative path is meant from the project's folder, or without
    a checkout from the user's data folder, never from the working directory: notebooks and commands have different
    ones. Raises `DataFolderError` for a `~` whose home is not known, and for a file.
    """
    name = os.environ.get("LSNOTEBOOK_DATA") or "data"
    try:
        path = Path(name).expanduser()
    except RuntimeError as error:
        raise DataFolderError(
            f"LSNOTEBOOK_DATA is {name!r}, but there is no such home: give an absolute path."
        ) from error
    if not path.is_absolute():
        path = (checkout() or user_data_path("lsnotebook", appauthor=False).absolute()) / path
        if not checkout():
            announce(path)
    if os.path.isfile(path):
        raise DataFolderError(f"{path} is a file, but should be the folder of runs, results and images: move it away, "
                              "or name another place in LSNOTEBOOK_DATA.")  # fmt: skip
    return path


@functools.cache  # once a process
def announce(path: Path) -> None:
    """Tell where an installed package keeps its data; workers and ranks leave that to the first process."""
    if parent_process() is None and os.environ.get("RANK", "0") == "0":
        log.warning("Runs, results and images are kept in %s; LSNOTEBOOK_DATA can name another place.", path)


def checksum(*content: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    digest = hashlib.sha256()
    for part in content:
        digest.update(part)
    return digest.hexdigest()


def hashed(recipe: Mapping) -> str:
    """The recipe hash: sixteen hexadecimal digits."""
    return checksum(json.dumps(recipe, sort_keys=True).encode())[:16]


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise `RunStoreError` where the disk is full, the store read-only, or something else in the path's place."""
    try:
        yield
    except Timeout:  # of a lock
        raise
    except OSError as error:
        raise RunStoreError(
            f"{error.filename2 or error.filename or path} could not be written ({error.strerror or error}); what was "
            f"there before is intact, and the same command goes on from there, but first {ELSEWHERE}"
        ) from error


@contextlib.contextmanager
def locked(path: Path, timeout: float = -1) -> Iterator[None]:
    """Hold the lock of a file. Raises `Timeout` after so many seconds, and `RunStoreError` where it cannot be taken."""
    lock = FileLock(path, timeout, fallback_to_soft=False)  # a soft lock outlives a process that is killed
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def write_whole(path: Path, *content: bytes) -> None:
    """Write a file atomically: whole or not at all, also when the process is killed or the disk is full."""
    part = path.with_name(path.name + ".part")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(part, "wb") as file:
                file.writelines(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink()
            raise


def write_checked(path: Path, key: str, *content: bytes) -> None:
    """Write a file whose first line is a checksum of its content and of the key of the recipe that made it."""
    write_whole(path, checksum(key.encode(), *content).encode() + b"\n", *content)


def read_checked(path: Path, key: str) -> bytes | None:
    """What `write_checked` wrote under the same key; None where there is no such file. Raises `DamagedError`."""
    try:
        with open(path, "rb") as file:
            expected, content = file.readline(), file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunStoreError(f"{path} cannot be read ({error.strerror}); {ELSEWHERE}") from error
    if expected != checksum(key.encode(), content).encode() + b"\n":
        raise DamagedError(f"{path} is damaged, or a copy of another: its checksum is not the one it was written with.")
    return content


def recalled(recipe: Mapping, name: str) -> pd.DataFrame | None:
    """The cached table of a recipe; None where there is none, or where its file is damaged."""
    path, key = table_path(recipe, name)
    try:
        content = read_checked(path, key)
    except DamagedError as error:
        log.warning("%s It is computed anew.", error)
        return None
    return None if content is None else pd.read_csv(io.BytesIO(content))


def remembered(recipe: Mapping, name: str, compute: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """The table that `compute` makes, from the cache where the same recipe made it before.

    Of several processes that ask for it at once, one computes it and the others wait.
    """
    table = recalled(recipe, name)
    if table is None:
        path, key = table_path(recipe, name)
        with turn(path.with_suffix(".lock"), f"making the table of {name}"):
            if (table := recalled(recipe, name)) is None:
                write_checked(path, key, compute().to_csv(index=False).encode())
                table = recalled(recipe, name)
    return table


@contextlib.contextmanager
def turn(
    path: Path, what: str, leads: bool = True, agreed: Callable[[bool], bool] = lambda ours: ours
) -> Iterator[None]:
    """Hold a lock; say once that another process is doing `what`, where that one keeps us waiting.

    Processes that work as one take it together: the one that `leads` takes it for all, and `agreed` tells all of them
    whether it has; that is asked again and again.
    """
    with contextlib.ExitStack() as held:
        ours, patience = False, SOON
        while not ours:
            try:
                if leads:
                    held.enter_context(locked(path, patience))
                ours = True
            except Timeout:
                if patience == SOON:
                    log.warning("Another process is %s; waiting for it.", what)
                patience = 10.0
            ours = agreed(ours)
        yield


def table_path(recipe: Mapping, name: str) -> tuple[Path, str]:
    key = hashed(recipe)
    return data_root() / "runs" / "tables" / f"{name.replace(' ', '-')}-{key}.csv", key
