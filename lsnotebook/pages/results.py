"""Recorded results: what a profile gave on the machines that ran it, to be committed and shown in every build.

The files::

    data/results/cifar100/table1.json    the rows of Table 1, as `statistics.over_networks` gives them
    data/results/cifar100/claims.json    the statements of the scoreboard, as `statements.judged` gives them

Each file says what made it: the recipe, the commit, versions and devices, how long it took, and the energy where the
GPUs measure it. Only `lsnotebook record` writes them, and a checksum keeps what was typed or damaged from being shown.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveInt, TypeAdapter, ValidationError

from lsnotebook.core.profiles import Part, Profile, Result
from lsnotebook.core.store import RunStoreError, checksum, data_root, write_whole
from lsnotebook.pages.rows import Row

LARGEST = 2**24
"""Bytes of a file that is read."""
STATED = ("name", "seeds", "machine")
"""The fields of a profile that do not decide its numbers, or that stand below them."""


class ResultError(RunStoreError):
    """A file that is no result of its profile: why, in words that follow the file's name."""


class Made(BaseModel):
    """What made a result, as `engine.provenance.training_cost` says it."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)
    commit: str
    devices: list[str]
    networks: PositiveInt
    seeds: PositiveInt
    hours: NonNegativeFloat
    kilowatt_hours: NonNegativeFloat | None


class Content(BaseModel):
    """A file of `data/results/`."""

    model_config = ConfigDict(extra="forbid", strict=True)
    format: Literal[1] = 1
    profile: str
    result: str
    made: Made
    recipe: dict[str, Any]
    rows: list[dict[str, Any]]
    checksum: str = ""

    def checked(self) -> str:
        """The checksum of all of it, however it is laid out."""
        return checksum(json.dumps(self.model_dump(exclude={"checksum"}), sort_keys=True).encode())


@dataclass(frozen=True)
class Recorded:
    """A result that was recorded, and holds what it should."""

    profile: Profile
    result: str
    made: dict
    rows: pd.DataFrame
    command: str
    """Records it, with as many seeds as are asked for."""

    def __str__(self) -> str:
        """What stands below a table that shows it."""
        made = self.made
        energy = "" if made["kilowatt_hours"] is None else f" and {made['kilowatt_hours']:.1f} kWh"
        commit = made["commit"].removesuffix("-dirty")
        changed = " with local changes" if commit != made["commit"] else ""
        return (
            f"Recorded: profile {self.profile.name}, {made['networks']} networks on {', '.join(made['devices'])} in "
            f"{made['hours']:.1f} h{energy} of training, commit {commit}{changed}. "
            f"Again: {self.again}"
        )

    @property
    def again(self) -> str:
        """The command that records it anew."""
        return f"{self.command} --seeds {self.made['seeds']}"

    @property
    def chance(self) -> float:
        return 1 / self.profile.images.classes


def path_of(profile: Profile, result: str) -> Path:
    return data_root() / "results" / profile.name / f"{result}.json"


def write(part: Part, profile: Profile, name: str, rows: pd.DataFrame, made: dict) -> Path:
    """Write a result with what made it. Raises `RunStoreError` where it is not what could be shown."""
    content = {
        "profile": profile.name,
        "result": name,
        "made": made,
        "recipe": json.loads(json.dumps(dataclasses.asdict(profile))),
        "rows": rows.astype(object).where(rows.notna(), None).to_dict("records"),
    }
    try:
        whole = Content.model_validate(content)
        whole.checksum = whole.checked()
        table(whole, part.results[name], profile, name)
    except (ResultError, ValidationError) as error:
        why = reason(error) if isinstance(error, ValidationError) else error
        raise RunStoreError(f"The result {name} of {profile.name} is not recorded: {why}.") from error
    path = path_of(profile, name)
    write_whole(path, whole.model_dump_json(indent=1).encode())
    return path


def recorded(part: Part, name: str, profiles: Iterable[Profile] | None = None) -> tuple[dict[str, Recorded], list[str]]:
    """What was recorded of a result on some profiles of a part (all by default), by the title of its column; and a
    sentence for each file that is not shown, which says why."""
    found, refused, result = {}, [], part.results[name]
    for profile in part.profiles.values() if profiles is None else profiles:
        path, command = path_of(profile, name), result.command.format(profile=profile.name, result=name)
        try:
            content = parsed(path)
            if content:
                rows = table(content, result, profile, name)
                found[f"recorded, {profile.name}"] = Recorded(profile, name, content.made.model_dump(), rows, command)
        except ResultError as error:
            again = f"take it from version control again, or make it anew: {command}"
            refused.append(f"{path.relative_to(data_root())} is not shown: {error}; {again}.")
    return found, refused


def parsed(path: Path) -> Content | None:
    """The content of a file as it was written; None where there is none."""
    try:
        if not path.lstat() or not path.is_file():
            raise ResultError("it is no file")
        if path.stat().st_size > LARGEST:
            raise ResultError(f"it has more than {LARGEST // 2**20} MiB")
        content = Content.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ResultError(f"it cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise ResultError(reason(error)) from error
    if content.checksum != content.checked():
        raise ResultError("its checksum is not the one it was recorded with, so it is damaged or was changed by hand")
    return content


def table(content: Content, result: Result, profile: Profile, name: str) -> pd.DataFrame:
    """The rows of a result, if they are of this profile as it is now, and whole."""
    if (content.profile, content.result) != (profile.name, name):
        raise ResultError(f"it holds {content.result} of {content.profile}")
    if others := list(differences(content.recipe, profile)):
        raise ResultError(f"the profile was another one then ({some(others)})")
    row: type[Row] = resolve_name(result.row)
    try:
        rows: list[Row] = TypeAdapter(list[row]).validate_python(content.rows)  # type: ignore[valid-type]
    except ValidationError as error:
        raise ResultError(reason(error)) from error
    keys = [tuple(getattr(one, column) for column in row.key) for one in rows]
    wanted = set(resolve_name(result.keys)(dataclasses.replace(profile, seeds=content.made.seeds)))
    there = {key[: len(next(iter(wanted)))] for key in keys}
    if twice := {key for key, count in Counter(keys).items() if count > 1}:
        raise ResultError(f"a row stands there twice: {some(twice)}")
    if unknown := there - wanted:
        raise ResultError(f"it has rows that nobody asks for: {some(unknown)}")
    if not there or (not result.others and wanted - there):
        raise ResultError(f"rows are missing: {some(wanted - there)}")
    filled = [{column: np.nan if value is None else value for column, value in one.items()} for one in content.rows]
    return pd.DataFrame(filled)


def some(of: Collection[str | tuple]) -> str:
    """The first few, for a sentence."""
    texts = sorted(one if isinstance(one, str) else " ".join(map(str, one)) for one in of)
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")


def reason(error: ValidationError) -> str:
    """The first thing that is wrong, and where."""
    first, *others = error.errors(include_url=False, include_input=False)
    place = ", ".join(f"row {part + 1}" if isinstance(part, int) else part for part in first["loc"]) or "the file"
    return f"{place}: {first['msg'].removeprefix('Value error, ')}" + (f", and {len(others)} more" if others else "")


def differences(then: Mapping, now: Any, path: str = "") -> Iterator[str]:
    """The values of a recorded profile that are others in this one: "refine.steps 40, now 400".

    A field that a profile has had only since then is compared by its default.
    """
    fields = {field.name: field for field in dataclasses.fields(now) if path or field.name not in STATED}
    for name, field in fields.items():
        default = None if field.default is dataclasses.MISSING else field.default
        before, value = then.get(name, default), getattr(now, name)
        if dataclasses.is_dataclass(value) and isinstance(before, Mapping):
            yield from differences(before, value, f"{path}{name}.")
        elif json.dumps(before, default=dataclasses.asdict) != json.dumps(value, default=dataclasses.asdict):
            yield f"{path}{name} {before}, now {value}"
    for name in then.keys() - fields.keys() - set(() if path else STATED):
        yield f"{path}{name} {then[name]}, now none"


def costs(part: Part, profiles: Iterable[Profile] | None = None) -> tuple[pd.DataFrame, list[str]]:
    """What each recorded result took, of some profiles of a part or of all: one row for each (profile, result) that can
    be shown; and a sentence for each file that cannot."""
    profiles = list(part.profiles.values() if profiles is None else profiles)
    every = {name: recorded(part, name, profiles) for name in part.results}
    rows = {
        (one.profile.name, name): {
            "networks": one.made["networks"],
            "hours of training": one.made["hours"],
            "kWh": np.nan if one.made["kilowatt_hours"] is None else one.made["kilowatt_hours"],
            "trained on": ", ".join(one.made["devices"]),
            "commit": one.made["commit"],
            "made again by": one.again,
        }
        for profile in profiles
        for name, (found, _) in every.items()
        for one in found.values()
        if one.profile.name == profile.name
    }
    return pd.DataFrame.from_dict(rows, orient="index"), [
        sentence for _, refused in every.values() for sentence in refused
    ]
