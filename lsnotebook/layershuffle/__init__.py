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


def both_networks(profile: Study) -> list[tuple[Approach, int]]:
    """The ViTs and the LayerShuffles of Table 1."""
    return [(approach, profile.seeds) for approach in (BASELINE, LAYERSHUFFLE)]


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
            "lsnotebook.pages.rows:OverNetworks",
            "lsnotebook.layershuffle.records:table_1_keys",
            table_1_networks,
        ),
        "claims": Result(
            "lsnotebook.layershuffle.records:claims",
            "lsnotebook.pages.rows:Judged",
            "lsnotebook.layershuffle.records:claim_keys",
            table_1_networks,
            all_networks,
        ),
        "curves": Result(
            "lsnotebook.layershuffle.records:curves",
            "lsnotebook.pages.rows:Curve",
            "lsnotebook.layershuffle.records:curve_keys",
            both_networks,
            all_networks,
        ),
        "networks": Result(
            "lsnotebook.layershuffle.records:networks",
            "lsnotebook.layershuffle.records:Network",
            "lsnotebook.layershuffle.records:network_keys",
            both_networks,
            all_networks,
        ),
        "collapse": Result(
            "lsnotebook.layershuffle.records:collapse",
            "lsnotebook.layershuffle.records:Way",
            "lsnotebook.layershuffle.records:collapse_keys",
            both_networks,
            lambda profile: [(LAYERDROP, profile.seeds)],
        ),
    },
    prepare="lsnotebook.layershuffle.prepared:prepare",
    profile=Study,
    commands=("lsnotebook.layershuffle.commands:export",),
)
