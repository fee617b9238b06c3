"""What `lsnotebook train --prepare` computes is all that the pages measure with their default parameters."""

from pathlib import Path

import pytest

from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.engine.run import study
from lsnotebook.layershuffle import claims, measurements, prepared
from lsnotebook.layershuffle.approaches import BASELINE, LAYERDROP, LAYERSHUFFLE, PREDICT_SUM, TABLE_1
from lsnotebook.layershuffle.profiles import DIGITS, SMOKE
from lsnotebook.swarm.measurements import DRAWS, REQUESTS

BOOK = Path(__file__).parents[2] / "book"


def at(profile):
    """What the parameters of each notebook stand for by default on a profile."""
    layers, seeds = profile.backbone.layers, {"profile": profile.name, "seeds": profile.seeds}
    sizes = {**seeds, "orders": profile.orders}
    return {
        "02_execution_order": sizes,
        "02b_collapse": {**seeds, "orders": min(8, profile.orders), "images": 250},
        "03_pruning": {**sizes, "layers": [*profile.depths, layers], "keep": "random"},
        "04_representations": {**seeds, "layer": layers // 2, "images": 1000},
        "05_merging": {
            "profile": profile.name,
            "sources": profile.sources,
            "merged": 100,
            "orders": profile.orders,
        },
        "06_discussion": {**seeds, "images": 1000, "shown": 5},
        "scoreboard": {"profile": profile.name},
        "08_swarm": {
            **seeds,
            **{"nodes": 12, "kill": 2, "slow": 1, "load": 12, "deadline": 16, "patience": 4, "rule": "nearly"},
            **{"draws": DRAWS, "requests": REQUESTS},
        },
    }


def measure(profile):
    """What the cells of the pages measure, page by page."""
    pages = at(profile)
    of = pages["02_execution_order"]
    measurements.accuracies(study(profile, TABLE_1, of["seeds"]), (sequential, arbitrary), of["orders"])
    measurements.accuracies(study(profile, [PREDICT_SUM], of["seeds"]), (sequential, arbitrary), of["orders"])

    of = pages["02b_collapse"]
    measurements.collapses(study(profile, [BASELINE, LAYERSHUFFLE, LAYERDROP], of["seeds"]), of["orders"], of["images"])

    of = pages["03_pruning"]
    models = study(profile, [LAYERSHUFFLE, LAYERDROP, BASELINE], of["seeds"])
    both = study(profile, [LAYERSHUFFLE, BASELINE], of["seeds"])
    measurements.pruned_accuracies(models, of["layers"], of["keep"], of["orders"])
    measurements.refined_accuracies(profile, of["layers"], of["seeds"], of["orders"])
    measurements.contributions(both)
    measurements.chosen_accuracies(both)
    measurements.pruned_accuracies(both, [*profile.depths, profile.backbone.layers], "random", of["orders"])

    of = pages["04_representations"]
    both = study(profile, [LAYERSHUFFLE, BASELINE], of["seeds"])
    measurements.readability(both, of["layer"], of["images"])
    measurements.norms(both, of["images"])

    of = pages["05_merging"]
    vits, shuffled = (study(profile, [approach], of["sources"]) for approach in (BASELINE, LAYERSHUFFLE))
    measurements.merged_accuracies(vits, sequential, of["merged"])
    measurements.accuracies(vits, sequential)
    measurements.merged_accuracies(shuffled, arbitrary, of["merged"])
    measurements.ensemble_accuracies(shuffled)
    measurements.accuracies(shuffled, arbitrary, of["orders"])
    for count in measurements.fewer_sources(profile):
        for models, sampler in ((vits, sequential), (shuffled, arbitrary)):
            measurements.merged_accuracies(models, sampler, max(2, of["merged"] // 5), count)
    measurements.drifted_accuracies(profile)

    of = pages["06_discussion"]
    both = study(profile, [LAYERSHUFFLE, BASELINE], of["seeds"])
    measurements.norms(both, of["images"])
    measurements.joint_readability(both, min(of["images"], 300))

    claims.check(profile)


@pytest.mark.parametrize("profile", [SMOKE, DIGITS], ids=lambda profile: profile.name)
def test_the_default_parameters_are_those_of_the_profile(shell, parameters_of, profile):
    for name, values in at(profile).items():
        given, check = parameters_of(BOOK / f"{name}.ipynb")
        for source in (given.source, f"profile = {profile.name!r}", check.source):
            assert shell.run_cell(source).success
        assert shell.user_ns["given"] == values, name


@pytest.mark.slow
def test_pages_compute_nothing_that_was_not_prepared(shared, store):
    (store / "runs").mkdir(parents=True)
    (store / "runs" / "smoke").symlink_to(shared / "runs" / "smoke")  # the networks, without tables of other tests
    prepared.prepare(SMOKE)
    tables = store / "runs" / "tables"
    before = {path.name: path.stat().st_mtime_ns for path in tables.glob("*.csv")}
    assert len(before) > 50
    measure(SMOKE)
    assert {path.name: path.stat().st_mtime_ns for path in tables.glob("*.csv")} == before
