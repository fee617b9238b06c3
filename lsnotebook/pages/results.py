"""Recorded results: what a profile gave on the machines that ran it, to be committed and shown in every build.

    data/results/cifar100/table1.json    the rows of Table 1, as `statistics.over_networks` gives them
    data/results/cifar100/claims.json    the statements of the scoreboard, as `statements.judged` gives them

Each file says what made it: the recipe, the commit, versions and devices, how long it took, and the energy where the
GPUs measure it. Only `lsnotebook record` writes them.
"""

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lsnotebook.core.profiles import Profile
from lsnotebook.core.store import RunStoreError, data_root, write_whole


@dataclass(frozen=True)
class Recorded:
    """One file of `data/results/`."""

    profile: Profile
    made: dict
    rows: pd.DataFrame

    def __str__(self) -> str:
        """What stands below a table that shows it."""
        made = self.made
        energy = "" if made["kilowatt_hours"] is None else f" and {made['kilowatt_hours']:.1f} kWh"
        return (
            f"Recorded: profile {self.profile.name}, {made['networks']} networks on {', '.join(made['devices'])} in "
            f"{made['hours']:.1f} h{energy} of training, commit {made['commit']}. "
            f"Again: lsnotebook record {self.profile.name} --seeds {made['seeds']}"
        )

    @property
    def chance(self) -> float:
        return 1 / self.profile.images.classes


def path_of(profile: Profile, result: str) -> Path:
    return data_root() / "results" / profile.name / f"{result}.json"


def write(profile: Profile, result: str, rows: pd.DataFrame, made: dict) -> Path:
    """Write a result with what made it."""
    content = {
        "profile": profile.name,
        "made": made,
        "recipe": json.loads(json.dumps(dataclasses.asdict(profile))),
        "rows": json.loads(rows.to_json(orient="records", double_precision=15)),
    }
    path = path_of(profile, result)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(content, indent=1).encode())
    return path


def recorded(result: str, profiles: Iterable[Profile]) -> dict[str, Recorded]:
    """What was recorded of a result on these profiles, by the title of its column. Raises `RunStoreError`."""
    found = {}
    for profile in profiles:
        path = path_of(profile, result)
        if not path.exists():
            continue
        try:
            content = json.loads(path.read_text())
            found[f"recorded, {profile.name}"] = Recorded(profile, content["made"], pd.DataFrame(content["rows"]))
        except (ValueError, KeyError, TypeError) as error:
            raise RunStoreError(
                f"{path} is not what `lsnotebook record` writes ({error}); take it from version control again, or "
                f"remove it and run lsnotebook record {profile.name}."
            ) from error
    return found
