"""What was measured on a profile, as the pages show it by default: the values that the claims are judged by.

Accuracies are in %, one row for each network (seed) and one column for each order; one column in sequence.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.core.statistics import matrix, ratio
from lsnotebook.engine.run import Run, study
from lsnotebook.layershuffle import analysis, measurements
from lsnotebook.layershuffle.approaches import APPROACHES, BASELINE, LAYERDROP, LAYERSHUFFLE, TABLE_1
from lsnotebook.layershuffle.profiles import Study

IMAGENET_CHANCE = 1 / 1000
POLICIES = {sampler.policy: sampler for sampler in (sequential, arbitrary)}


@dataclass(frozen=True)
class Build:
    profile: Study

    @property
    def chance(self) -> float:
        return 100 / self.profile.images.classes

    @cached_property
    def table_1(self) -> pd.DataFrame:
        return measurements.accuracies(study(self.profile, TABLE_1), (sequential, arbitrary))

    @cached_property
    def pruned(self) -> pd.DataFrame:
        models = study(self.profile, [LAYERSHUFFLE, LAYERDROP, BASELINE])
        depths = [*self.profile.depths, self.profile.backbone.layers]
        refined = measurements.refined_accuracies(self.profile, self.profile.depths, self.profile.seeds)
        return pd.concat([measurements.pruned_accuracies(models, depths), refined])

    def top1(self, approach: str, policy: str) -> np.ndarray:
        """Table 1 (networks, orders)."""
        return self.of(self.table_1, approach, policy)

    def depth(self, approach: str, policy: str, layers: int) -> np.ndarray:
        """Figures 1b and 1c (networks, orders)."""
        return self.of(self.pruned.query("layers == @layers"), approach, policy)

    @staticmethod
    def of(table: pd.DataFrame, approach: str, policy: str, measure: str = "top1") -> np.ndarray:
        return 100 * matrix(table.query("approach == @approach and policy == @policy"), measure).to_numpy()

    def share_kept(self, approach: str) -> np.ndarray:
        """The share of above-chance accuracy kept in arbitrary order, in % (networks, orders)."""
        return 100 * ratio(self.top1(approach, "arbitrary"), self.top1(approach, "sequential")[:, 0], self.chance)

    def sources(self, approach: str) -> list[Run]:
        return study(self.profile, [APPROACHES[approach]], self.profile.sources)

    def source_top1(self, approach: str, policy: str) -> np.ndarray:
        """Table 2 (sources, orders)."""
        return self.of(measurements.accuracies(self.sources(approach), POLICIES[policy]), approach, policy)

    def merged_top1(self, approach: str, policy: str) -> np.ndarray:
        """Table 2: one value for each merged model."""
        return 100 * measurements.merged_accuracies(self.sources(approach), POLICIES[policy])["top1"].to_numpy()

    def ensemble_top1(self, approach: str) -> np.ndarray:
        """Table 2: one value for each draw of the members' orders."""
        return 100 * measurements.ensemble_accuracies(self.sources(approach))["top1"].to_numpy()

    @cached_property
    def readability(self) -> pd.DataFrame:
        """`analysis.readability` of the layer in the middle, for LayerShuffle and the ViT."""
        models = study(self.profile, [LAYERSHUFFLE, BASELINE])
        return measurements.readability(models, self.profile.backbone.layers // 2)

    def explained_by_distance(self, approach: str, measure: str = "contribution") -> np.ndarray:
        """`analysis.explained_by_distance` in points (networks, images)."""
        norms = measurements.norms(study(self.profile, [APPROACHES[approach]]))
        found = [analysis.explained_by_distance(group, measure) for _, group in norms.groupby("seed")]
        return 100 * np.array(found)
