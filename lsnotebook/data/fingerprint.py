"""A hash of the content of files, which are read again only when a size or a time has changed."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from joblib import Parallel, delayed

from lsnotebook.core.progress import Progress
from lsnotebook.core.store import hashed, remembered


class Fingerprint(NamedTuple):
    digest: str
    """Stands for the names, sizes and contents of the files; "absent" where there are none."""
    damaged: frozenset[str]
    """The paths of those that were found damaged."""


RENEWED = 50
"""How long a fingerprint is cached, in multiples of the time to list the files: listing costs 2 %."""
_last: dict[tuple[Path, tuple[str, ...]], tuple[float, Fingerprint]] = {}


def fingerprint(
    folder: Path, endings: tuple[str, ...], is_damaged: Callable[[bytes], bool] = lambda content: False, code: str = ""
) -> Fingerprint:
    """Of all files below `folder` with one of the endings. `code` is the version of `is_damaged`."""
    place = (folder.absolute(), endings)
    start = time.monotonic()
    if place in _last and start < _last[place][0]:
        return _last[place][1]
    listing = sorted(listed(folder, endings))
    if not listing:
        return Fingerprint("absent", frozenset())
    recipe = {"listing": hashed({"folder": str(place[0]), "files": listing}), "code": code}
    taken = time.monotonic() - start
    table = remembered(
        recipe, f"files of {folder.name}", lambda: read_once(folder, [f for f, *_ in listing], is_damaged)
    )
    whole = table["damaged"].isna()
    known = Fingerprint(table.loc[whole, "digest"].item(), frozenset(table.loc[~whole, "damaged"]))
    _last[place] = time.monotonic() + RENEWED * taken, known
    return known


def listed(folder: Path, endings: tuple[str, ...], below: str = "") -> Iterator[tuple[str, int, int]]:
    """(path from the folder, size, time of change in ns) of its files; of a broken link, the link's own."""
    try:
        entries = list(os.scandir(folder / below))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        name = f"{below}{entry.name}"
        if entry.is_dir():
            yield from listed(folder, endings, f"{name}/")
        elif entry.name.lower().endswith(endings):
            found = entry.stat(follow_symlinks=os.path.exists(entry.path))
            yield name, found.st_size, found.st_mtime_ns


def read_once(folder: Path, names: list[str], is_damaged: Callable[[bytes], bool]) -> pd.DataFrame:
    """One row with the digest of all files, and one for each damaged file, with its path."""

    def look(name: str) -> tuple[str, bool]:
        try:
            content = (folder / name).read_bytes()
        except OSError:
            return "", True
        return hashlib.sha256(content).hexdigest(), is_damaged(content)

    digest, damaged = hashlib.sha256(), []
    with Progress(len(names), f"reading every file of {folder.name} once", delay=5) as progress:
        # Threads: decoding and hashing release the GIL.
        looks = Parallel(n_jobs=-1, prefer="threads", return_as="generator")(delayed(look)(name) for name in names)
        for name, (content, is_bad) in zip(names, looks, strict=True):
            digest.update(f"{name} {content}\n".encode())
            damaged += [str(folder / name)] if is_bad else []
            progress.advance()
    return pd.DataFrame({"digest": [digest.hexdigest()[:16], *[None] * len(damaged)], "damaged": [None, *damaged]})
