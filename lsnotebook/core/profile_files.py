"""A profile of your own: a TOML file with the fields of the profile's class as its keys, checked before anything runs.

In a terminal::

    lsnotebook profile digits > flowers.toml        what there is to set, with the values of a known profile
    lsnotebook train flowers.toml layershuffle      on your images, with your network

The profile is called like the file, ending included, so that its runs are never those of a known profile.
"""

import contextlib
import dataclasses
import json
import os
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.core.folders import class_folders
from lsnotebook.core.profiles import Profile, UnknownNameError, named

ENDING = ".toml"
P = TypeVar("P", bound=Profile)


class ProfileError(LsnotebookError, ValueError):
    """A file that does not describe a profile."""


def find(name: object, known: Mapping[str, P], kind: type[P]) -> P:
    """The known profile of that name, or the one that a TOML file describes.

    Raises `UnknownNameError` or `ProfileError`.
    """
    if isinstance(name, str) and is_file(name):
        return read(Path(os.path.expanduser(name)), kind)
    return named(name, known, "profile", f", or a file of your own that ends in {ENDING}")


def is_file(name: str) -> bool:
    """Whether the name of a profile is that of a file."""
    return name.lower().endswith(ENDING)


def read(path: Path, kind: type[P]) -> P:
    """The profile that a file describes. Raises `ProfileError`, which names the file, the key and what is allowed."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:  # ValueError: of UTF-8 and of TOML
        reason = getattr(error, "strerror", None) or error
        reason = "it is no text in UTF-8" if isinstance(error, UnicodeError) else reason
        raise ProfileError(
            f"The profile {path} cannot be read ({reason}); `lsnotebook profile digits` prints one to start from."
        ) from error
    try:
        return checked(tables, path, kind)
    except ValidationError as error:
        raise ProfileError(f"In {path}, {sentence_of(error.errors()[0])}") from error
    except (ProfileError, UnknownNameError) as error:
        raise ProfileError(f"In {path}: {error}") from error
    except (ValueError, RecursionError) as error:  # JSON's, of a number with thousands of digits
        raise ProfileError(f"In {path} is a value that no profile takes ({error}); correct it.") from error


def checked(tables: dict[str, Any], path: Path, kind: type[P]) -> P:
    from lsnotebook.core.store import data_root  # brings pandas, which help and names do not wait for

    meanings = keys(kind)
    for key, value in tables.items():
        named(key, meanings[""], "key")
        for name in value if key in meanings and isinstance(value, dict) else ():
            named(name, meanings[key], f"key of [{key}]")
    images = tables.get("images")
    if to_count := isinstance(images, dict) and "classes" not in images:
        images["classes"] = 2
    content = json.dumps([{**tables, "name": path.name}], default=str)
    (profile,) = adapter(kind).validate_json(content)
    profile = located(profile, path.absolute().parent, data_root())
    if to_count:
        classes = count_classes(data_root() / profile.images.name / profile.images.folders[0])
        profile = dataclasses.replace(profile, images=dataclasses.replace(profile.images, classes=classes))
    for sentence in profile.contradictions():
        raise ProfileError(sentence)
    return profile


def located(profile: P, beside: Path, root: Path) -> P:
    """The profile with the folders of its images and of its checkpoint as absolute paths."""
    images, backbone = profile.images, profile.backbone
    if images.name != "digits":
        images = dataclasses.replace(images, name=place(images.name, "images.name", beside, root))
    if backbone.checkpoint:
        folder = place(backbone.checkpoint, "backbone.checkpoint", beside, root / "checkpoints")
        backbone = dataclasses.replace(backbone, checkpoint=folder)
    return dataclasses.replace(profile, images=images, backbone=backbone)


def place(name: str, key: str, beside: Path, home: Path) -> str:
    """The absolute path where `name` is a path; `name` itself where it stands for a folder of `home`, or of the hub."""
    folder = beside / os.path.expanduser(name)
    if not (name.startswith((".", "~")) or Path(name).is_absolute()):
        if folder.is_dir() and not (home / name).is_dir():
            raise ProfileError(f"{key} is {name!r}, which stands for {home / name}; for {folder} write './{name}'.")
        return name
    if not folder.is_dir():
        raise ProfileError(f"{key} is {name!r}, but there is no folder {folder}; make it, or name another.")
    return str(folder.resolve())


def count_classes(training: Path) -> int:
    """How many folders of classes there are in that of the training images. Raises `ProfileError`."""
    found = class_folders(training) if training.is_dir() else []
    if len(found) < 2:
        there = f"{len(found)} folders" if training.is_dir() else "no such folder"
        raise ProfileError(
            f"images.classes is not given, and is counted in {training}, where at least two folders, one a class, are "
            f"expected: there is {there}; put the images there, or correct images.name and images.folders."
        )
    return len(found)


def adapter(kind: type[Profile]) -> TypeAdapter:
    """Of tuples, as a dataclass by itself would not be given this configuration."""
    strict = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True)
    return TypeAdapter(tuple[kind], config=strict)  # type: ignore[valid-type]


def keys(kind: type[Profile]) -> dict[str, dict[str, str]]:
    """The keys of each table of a file, each with what it means; those outside of tables are in the table ""."""
    schema = adapter(kind).json_schema()["$defs"]
    found: dict[str, dict[str, str]] = {"": {}}
    for key, field in schema[kind.__name__]["properties"].items():
        choices = (field, *field.get("anyOf", ()))
        table = next((choice["$ref"].rpartition("/")[2] for choice in choices if "$ref" in choice), None)
        if table:
            meanings = {name: one.get("description", "") for name, one in schema[table]["properties"].items()}
            found[key] = meanings
        if key != "name":  # the file's
            found[""][key] = field.get("description", "")
    return found


def sentence_of(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors as the rest of a sentence."""
    key = ".".join(str(part) for part in error["loc"][1:])
    if error["type"] == "missing":
        return f"{key} is missing; `lsnotebook profile digits` prints a profile with all keys."
    rule = "Input should be a table" if error["type"] == "dataclass_type" else error["msg"]
    return f"{key} is {error['input']!r}; it {rule[rule.index('should') :].replace(' after validation', '')}."


def as_toml(profile: Profile) -> str:
    """The file that describes a profile, with what its keys mean; a key that is left out is a comment."""
    values, meanings = dataclasses.asdict(profile), keys(type(profile))
    tables = [key for key in meanings if key]
    lines = ["# A profile of lsnotebook. A path is absolute, or starts with . and is relative to this file."]
    lines += lines_of({key: values[key] for key in meanings[""] if key not in tables}, meanings[""])
    for table in tables:
        if values[table] is not None:
            lines += ["", f"[{table}]", *lines_of(values[table], meanings[table])]
    return "\n".join(lines) + "\n"


def lines_of(values: Mapping[str, Any], meanings: Mapping[str, str]) -> Iterator[str]:
    for key, value in values.items():
        yield from (f"# {line}" for line in meanings[key].splitlines())
        yield f"# {key} =" if value is None else f"{key} = {json.dumps(value, ensure_ascii=False)}"  # as in TOML


@contextlib.contextmanager
def on_command_line(profile: Profile) -> Iterator[str]:
    """The word for a profile in a command: its name, or a file that lasts as long as the context."""
    if not is_file(profile.name):
        yield profile.name
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / profile.name
        path.write_text(as_toml(profile), encoding="utf-8")
        yield str(path)
