"""A hash of the content of files, which are read again only when a size or a time has changed."""

import hashlib
import os
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from joblib import Parallel, delayed

from lsnotebook.core.folders import is_system
from lsnotebook.core.progress import Progress
from lsnotebook.core.store import hashed, remembered
from lsnotebook.data.splits import DataError


class Fingerprint(NamedTuple):
    digest: str
    """Stands for the names and contents of the files, and for which are damaged; "absent" where there are none."""
    files: tuple[str, ...] = ()
    """Their paths, from the folder."""
    damaged: frozenset[str] = frozenset()
    """Those among them that cannot be read, or were found damaged."""
    others: Mapping[str, int] = {}
    """How many files have another ending, by that ending."""


RENEWED = 50
"""How long a fingerprint is cached, in multiples of the time to list the files: listing costs 2 %."""
_last: dict[tuple[Path, tuple[str, ...]], tuple[float, Fingerprint]] = {}


def fingerprint(
    folder: Path, endings: tuple[str, ...], is_damaged: Callable[[bytes], bool] = lambda content: False, code: str = ""
) -> Fingerprint:
    """Of all files below `folder` with one of the endings. `code` is the version of `is_damaged`.

    Hidden and system files do not count, nor does what lies in such folders. Raises `DataError` where a folder cannot
    be read.
    """
    place = (folder.absolute(), endings)
    start = time.monotonic()
    if place in _last and start < _last[place][0]:
        return _last[place][1]
    found = sorted(listed(folder), key=lambda one: one[0].split("/"))
    listing = [one for one in found if one[0].lower().endswith(endings)]
    others = Counter(os.path.splitext(name)[1].lower() for name, *_ in found if not name.lower().endswith(endings))
    files = tuple(name for name, *_ in listing)
    taken = time.monotonic() - start
    if not files:
        return Fingerprint("absent", others=others)
    recipe = {"listing": hashed({"folder": str(place[0]), "files": listing}), "code": code}
    table = remembered(recipe, f"files of {folder.name}", lambda: read_once(folder, files, is_damaged))
    known = Fingerprint(table["digest"][0], files, frozenset(files[k] for k in table["damaged"][1:]), others)
    _last[place] = time.monotonic() + RENEWED * taken, known
    return known


def listed(folder: Path, below: str = "", above: tuple[str, ...] = ()) -> Iterator[tuple[str, int, int, int]]:
    """(path from the folder, size, times of change of its content and of its permissions in ns) of its files.

    Links are followed, but for those to a folder that they lie in; of a broken one, these are the link's own.
    """
    here = os.path.realpath(folder / below)
    try:
        entries = [entry for entry in os.scandir(folder / below) if not is_system(entry.name)]
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise DataError(f"The folder {str(folder / below)!r} cannot be read ({error.strerror}); mend that.") from error
    for entry in entries:
        name = f"{below}{entry.name}"
        if not entry.is_dir():
            found = entry.stat(follow_symlinks=os.path.exists(entry.path))
            yield name, found.st_size, found.st_mtime_ns, found.st_ctime_ns
        elif not entry.is_symlink() or os.path.realpath(entry.path) not in (*above, here):
            yield from listed(folder, f"{name}/", (*above, here))


def read_once(folder: Path, files: tuple[str, ...], is_damaged: Callable[[bytes], bool]) -> pd.DataFrame:
    """One row with the digest of all files, and one for each damaged file, with its place among them."""

    def look(name: str) -> tuple[bytes, bool]:
        try:
            content = (folder / name).read_bytes() if (folder / name).is_file() else None  # a pipe may never end
        except OSError:
            content = None
        return (b"", True) if content is None else (hashlib.sha256(content).digest(), is_damaged(content))

    digest, damaged = hashlib.sha256(), []
    told = Progress(len(files), f"reading every file of {folder.name} once", delay=5)
    with told as progress, warnings.catch_warnings(action="ignore"):
        # Threads: decoding and hashing release the GIL.
        looks = Parallel(n_jobs=-1, prefer="threads", return_as="generator")(delayed(look)(name) for name in files)
        for k, (content, is_bad) in enumerate(looks):
            digest.update(b"%b\0%d%b\0" % (os.fsencode(files[k]), is_bad, content))
            damaged += [k] if is_bad else []
            progress.advance()
    # The prefix keeps a digest of decimal digits from being read as a number.
    digests = [f"sha256:{digest.hexdigest()[:16]}", *[""] * len(damaged)]
    return pd.DataFrame({"digest": digests, "damaged": [-1, *damaged]})
