"""The paper: *LayerShuffle* (Freiberger, Kun, Løvlie, Risi; arXiv 2407.04513)."""

from lsnotebook.core.profiles import Approach, Part, Result
from lsnotebook.layershuffle.approaches import (
    APPROACHES,
    BASELINE,
    DRIFT_SEEDS,
    DRIFTED,
    LAYERDROP,
    LAYERSHUFFLE,
    PREDICT_SUM,
    REFINED,
    TABLE_1,
)
from lsnotebook.layershuffle.profiles import PROFILES, Study


def table_1_networks(profile: Study) -> list[tuple[Approach, int]]:
    """The networks of Table 1: (approach, number of seeds)."""
    return [(approach, profile.seeds) for approach in TABLE_1]


def all_networks(profile: Study) -> list[tuple[Approach, int]]:
    """The networks that all pages ask for by default."""
    return [
        *table_1_networks(profile),
        (PREDICT_SUM, profile.seeds),
        *((approach, profile.seeds) for approach in (LAYERDROP, *(REFINED[layers] for layers in profile.depths))),
        *((approach, profile.sources) for approach in (BASELINE, LAYERSHUFFLE)),
        *((approach, DRIFT_SEEDS) for approach in DRIFTED),
    ]


PART = Part(
    title="LayerShuffle",
    profiles=PROFILES,
    approaches=APPROACHES,
    networks=all_networks,
    claims="lsnotebook.layershuffle.claims:check",
    results={
        "table1": Result(
            "lsnotebook.layershuffle.measurements:table_1",
            table_1_networks,
            row="lsnotebook.pages.rows:OverNetworks",
            keys="lsnotebook.layershuffle.measurements:table_1_keys",
        ),
        "claims": Result(
            "lsnotebook.layershuffle.claims:check",
            all_networks,
            row="lsnotebook.pages.rows:Judged",
            keys="lsnotebook.layershuffle.claims:ids",
        ),
    },
    prepare="lsnotebook.layershuffle.measurements:prepare",
)
