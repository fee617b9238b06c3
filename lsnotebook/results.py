"""Recorded results: what a profile gave on the machines that ran it, to be committed and shown in every build.

    data/results/cifar100/table1.json    the rows of Table 1, as `evaluation.over_seeds` gives them
    data/results/cifar100/claims.json    the statements of the scoreboard, as `claims.check` gives them

Each file says what made it: the recipe, the commit, versions and devices, how long it took, and the energy where the
GPUs tell. `lsnotebook record` writes them; nobody else does.
"""

import dataclasses
import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from lsnotebook import claims, evaluation, profiles, runs
from lsnotebook.profiles import Profile
from lsnotebook.runs import Run
from lsnotebook.store import RunStoreError, data_root, write_whole


@dataclass(frozen=True)
class Recorded:
    """One file of `data/results/`."""

    profile: str
    made: dict
    rows: pd.DataFrame

    def __str__(self) -> str:
        """What stands below a table that shows it."""
        made = self.made
        energy = "" if made["kilowatt_hours"] is None else f" and {made['kilowatt_hours']:.1f} kWh"
        return (
            f"Recorded: profile {self.profile}, {made['networks']} networks on {', '.join(made['devices'])} in "
            f"{made['hours']:.1f} h{energy} of training, commit {made['commit']}. "
            f"Again: lsnotebook record {self.profile} --seeds {made['seeds']}"
        )

    @property
    def chance(self) -> float:
        return 1 / profiles.profile(self.profile).data.classes


def table1(profile: Profile) -> pd.DataFrame:
    models = runs.study(profile)
    policies = ("sequential", "arbitrary")
    return evaluation.over_seeds(pd.concat([evaluation.accuracies(models, policy) for policy in policies]))


PARTS: dict[str, tuple[Callable[[Profile], pd.DataFrame], Callable[[Profile], list[Run]]]] = {
    "table1": (table1, runs.study),
    "claims": (claims.check, runs.book),
}
"""How each part is computed, and the networks that it is computed from."""


def record(profile: Profile, part: str) -> Path:
    """Compute a part, training what is missing, and write it with its provenance."""
    compute, wanted = PARTS[part]
    runs.ensure(wanted(profile))
    rows = json.loads(compute(profile).to_json(orient="records", double_precision=15))
    recipe = json.loads(json.dumps(dataclasses.asdict(profile)))
    content = {"profile": profile.name, "made": made(wanted(profile)), "recipe": recipe, "rows": rows}
    path = data_root() / "results" / profile.name / f"{part}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(content, indent=1).encode())
    return path


def made(models: Sequence[Run]) -> dict:
    """Where and with what these networks, and the bases they start from, were trained."""
    models = list(dict.fromkeys([*(run.base for run in models if run.base), *models]))
    by = [json.loads(runs.verified(run, "made.json")) for run in models]
    last = pd.DataFrame([runs.history(run).iloc[-1] for run in models])
    joules = last["joules"].sum(skipna=False) if "joules" in last else float("nan")
    return {
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "devices": sorted({one["device"] for one in by}),
        "versions": {name: sorted({one[name] for one in by}) for name in ("python", *runs.PACKAGES)},
        "networks": len(models),
        "seeds": models[0].profile.seeds,
        "hours": last["seconds"].sum() / 3600,
        "kilowatt_hours": None if pd.isna(joules) else joules / 3.6e6,
    }


def commit() -> str:
    """The commit of the code, marked where files differ from it; "unknown" outside a checkout."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        said = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return said.stdout.strip()


def recorded(part: str) -> dict[str, Recorded]:
    """What was recorded of a part, by the title of its column, the small profiles first. Raises `RunStoreError`."""
    found = {}
    for name in profiles.PROFILES:
        path = data_root() / "results" / name / f"{part}.json"
        if not path.exists():
            continue
        try:
            content = json.loads(path.read_text())
            found[f"recorded, {name}"] = Recorded(name, content["made"], pd.DataFrame(content["rows"]))
        except (ValueError, KeyError, TypeError) as error:
            raise RunStoreError(
                f"{path} is not what `lsnotebook record` writes ({error}); take it from version control again, or "
                f"remove it and run lsnotebook record {name}."
            ) from error
    return found
