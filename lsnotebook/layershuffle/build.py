"""What was measured on a profile, as the chapters show it by default: the samples that the claims are judged by."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import pandas as pd

from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.engine.run import Run, study
from lsnotebook.layershuffle import measurements
from lsnotebook.layershuffle.approaches import APPROACHES, BASELINE, LAYERDROP, LAYERSHUFFLE, TABLE_1
from lsnotebook.layershuffle.profiles import Study

T = TypeVar("T", float, np.ndarray)
IMAGENET_CHANCE = 1 / 1000
POLICIES = {sampler.policy: sampler for sampler in (sequential, arbitrary)}


@dataclass(frozen=True)
class Build:
    """What was measured on a profile, as the chapters show it by default."""

    profile: Study

    @property
    def chance(self) -> float:
        return 1 / self.profile.images.classes

    @cached_property
    def table_1(self) -> pd.DataFrame:
        return measurements.accuracies(study(self.profile, TABLE_1), (sequential, arbitrary))

    @cached_property
    def pruned(self) -> pd.DataFrame:
        models = study(self.profile, [LAYERSHUFFLE, LAYERDROP, BASELINE])
        depths = [*self.profile.depths, self.profile.backbone.layers]
        refined = measurements.refined_accuracies(self.profile, self.profile.depths, self.profile.seeds)
        return pd.concat([measurements.pruned_accuracies(models, depths), refined])

    @cached_property
    def middle_layer(self) -> int:
        return self.profile.backbone.layers // 2

    def sources(self, approach: str) -> list[Run]:
        return study(self.profile, [APPROACHES[approach]], self.profile.sources)

    def top1(self, approach: str, policy: str) -> np.ndarray:
        """Table 1: one value (in %) for each seed, the mean over the orders."""
        return self._of(self.table_1, approach, policy)

    def depth(self, approach: str, policy: str, layers: int) -> np.ndarray:
        """Figures 1b and 1c: one value (in %) for each seed."""
        return self._of(self.pruned.query("layers == @layers"), approach, policy)

    @staticmethod
    def _of(table: pd.DataFrame, approach: str, policy: str) -> np.ndarray:
        chosen = table.query("approach == @approach and policy == @policy")
        return 100 * chosen.groupby("seed")["top1"].mean().to_numpy()

    def source_top1(self, approach: str, policy: str) -> np.ndarray:
        """Table 2: one value (in %) for each source, the mean over the orders."""
        table = measurements.accuracies(self.sources(approach), POLICIES[policy])
        return 100 * table.groupby("seed")["top1"].mean().to_numpy()

    def kept(self, accuracy: np.ndarray, of: np.ndarray) -> np.ndarray:
        """The share of the accuracy above chance that is left, in %."""
        return kept(accuracy, of, 100 * self.chance)


def kept(accuracy: T, of: T, chance: float) -> T:
    """The share of the accuracy `of` above chance that is left, in %; of a sample, of its mean."""
    return 100 * (accuracy - chance) / (float(np.mean(of)) - chance)
