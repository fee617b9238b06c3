"""Files that appear whole or not at all, and tables that are computed once for a recipe."""

import ast
import functools
import hashlib
import json
import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
from filelock import FileLock


class RunStoreError(RuntimeError):
    """Something in the store is not what it should be; nothing in it was changed."""


def data_root() -> Path:
    """The folder `data/` of the project, or the one that the variable LSNOTEBOOK_DATA names."""
    return Path(os.environ.get("LSNOTEBOOK_DATA") or Path(__file__).parent.parent / "data")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all, also when the process is killed or the disk is full."""
    part = path.with_name(path.name + ".part")
    try:
        with open(part, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise RunStoreError(
            f"{path} could not be written ({error.strerror}); what was there before is intact. "
            "Make room and run the same command again: it goes on from there."
        ) from error


def checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def hashed(recipe: dict) -> str:
    """Sixteen hexadecimal digits that stand for a recipe."""
    return checksum(json.dumps(recipe, sort_keys=True).encode())[:16]


@functools.cache  # a process runs the code that it began with
def code_version(*modules: str) -> str:
    """A hash of what the named modules of this package do: comments, layout and docstrings do not count."""
    trees = []
    for module in modules:
        tree = ast.parse(Path(find_spec(f"lsnotebook.{module}").origin).read_text())
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list):
                node.body = [line for line in body if not is_docstring(line)]
        trees.append(ast.dump(tree))
    return checksum("\n".join(trees).encode())[:16]


def is_docstring(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)


def remembered(recipe: dict, name: str, compute: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """The table that `compute` makes, from the store where the same recipe made it before.

    Of several processes that ask for it at once, one computes it and the others wait.
    """
    path = data_root() / "runs" / "evaluations" / f"{name}-{hashed(recipe)}.csv"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if not path.exists():
                write_whole(path, compute().to_csv(index=False).encode())
    return pd.read_csv(path)
