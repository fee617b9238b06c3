"""What a run is, (profile, approach, seed), and the recipe that its folder is named after."""

import dataclasses
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lsnotebook.core.profiles import Approach, Backbone, Images, Profile, Schedule, check_fit
from lsnotebook.core.source import code_version
from lsnotebook.core.store import data_root, hashed
from lsnotebook.data.checkpoints import local_folder
from lsnotebook.data.fingerprint import fingerprint
from lsnotebook.data.loading import digest

LOOP = "lsnotebook.engine.loop"
"""The training loop: it and all that it imports decide the weights of every approach."""


@dataclass(frozen=True)
class Run:
    """One trained network of a study."""

    profile: Profile
    approach: Approach
    seed: int

    def __post_init__(self) -> None:
        """Raises `UnknownNameError` where the profile cannot have the approach."""
        check_fit(self.approach, self.profile)

    def __str__(self) -> str:
        return f"{self.profile.name} {self.approach.name} seed {self.seed}"

    @property
    def base(self) -> "Run | None":
        """The pre-trained run that this one refines; None for a pre-trained run, and where a checkpoint is named."""
        if self.approach.refines is None or self.profile.pretrain is None:
            return None
        return Run(self.profile, self.approach.refines, 0)

    @property
    def layers(self) -> int:
        return self.approach.layers or self.profile.backbone.layers

    @property
    def schedule(self) -> Schedule:
        schedule = self.profile.refine if self.approach.refines else self.profile.pretrain
        assert schedule is not None  # else the approach would not fit
        return dataclasses.replace(schedule, learning_rate=schedule.learning_rate * self.approach.learning_rate_factor)

    @property
    def recipe(self) -> dict:
        """Every value that influences the weights, what the images hold, and the version of the code."""
        approach, images, backbone = self.approach, self.profile.images, self.profile.backbone
        checkpoint = backbone.checkpoint and local_folder(backbone.checkpoint)
        content = fingerprint(checkpoint, (".json", ".safetensors")).digest if checkpoint else None
        return {
            "images": {**wherever(images), "content": digest(images)},
            "backbone": {**wherever(backbone), "content": content},
            "schedule": dataclasses.asdict(self.schedule),
            "approach": [repr(approach.order), approach.network, approach.variant, approach.layers],
            "seed": self.seed,
            "base": self.base.key if self.base else None,
            "code": code_version(LOOP, approach.network, type(approach.order).__module__),
        }

    @property
    def key(self) -> str:
        return hashed(self.recipe)

    @property
    def folder(self) -> Path:
        return data_root() / "runs" / self.profile.name / f"{self.approach.name}-seed{self.seed}-{self.key}"

    @property
    def is_there(self) -> bool:
        """Whether something stands in its place, be it a link to a disk that is away: that is read, or named."""
        return os.path.lexists(self.folder)


def wherever(part: Images | Backbone) -> dict:
    """Its fields, those that are absolute paths without their folder: what lies there counts, not where."""
    fields = dataclasses.asdict(part)
    return {name: Path(it).name if os.path.isabs(str(it)) else it for name, it in fields.items()}


def unfinished(folder: Path) -> Path:
    """Where the state of a run is kept until it is finished."""
    return folder.with_name(folder.name + ".unfinished")


def study(profile: Profile, approaches: Iterable[Approach], seeds: int | None = None) -> list[Run]:
    """The runs of some approaches, `seeds` networks each (by default as many as the profile says).

    The base is a single run, which all others refine.
    """
    return [
        Run(profile, approach, seed)
        for approach in approaches
        for seed in range((seeds or profile.seeds) if approach.refines else 1)
    ]


def all_runs(profile: Profile, networks: Iterable[tuple[Approach, int]]) -> list[Run]:
    """The runs of networks (approach, number of seeds), each once."""
    wanted = [run for approach, seeds in networks for run in study(profile, [approach], seeds)]
    return list(dict.fromkeys(wanted))


def trained(profile: Profile, networks: Iterable[tuple[Approach, int]]) -> list[tuple[Approach, int]]:
    """Those networks whose seeds are all in the store."""
    return [
        (approach, seeds)
        for approach, seeds in networks
        if all(run.is_there for run in study(profile, [approach], seeds))
    ]
