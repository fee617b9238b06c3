"""What `lsnotebook train --prepare` computes is all that the pages measure with their default parameters."""

import ast
from pathlib import Path

import nbformat
import pytest

from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.engine.run import study
from lsnotebook.layershuffle import claims, measurements
from lsnotebook.layershuffle.approaches import BASELINE, LAYERDROP, LAYERSHUFFLE, PREDICT_SUM, TABLE_1
from lsnotebook.layershuffle.profiles import DIGITS, SMOKE

BOOK = Path(__file__).parents[2] / "book"


def defaults(name):
    """The default values of a notebook's parameters."""
    lines = ast.parse(nbformat.read(BOOK / f"{name}.ipynb", 4).cells[1].source).body
    return {line.target.id: ast.literal_eval(line.value) for line in lines}


def at(profile):
    """The default values of each notebook on a profile: the sizes are the profile's, the rest as it stands."""
    layers, seeds = profile.backbone.layers, {"profile": profile.name, "seeds": profile.seeds}
    sizes = {**seeds, "orders": profile.orders}
    ours = {
        "02_execution_order": sizes,
        "03_pruning": {**sizes, "layers": [*profile.depths, layers]},
        "04_representations": {**seeds, "layer": layers // 2},
        "05_merging": {"profile": profile.name, "sources": profile.sources, "orders": profile.orders},
        "06_discussion": seeds,
        "scoreboard": {"profile": profile.name},
    }
    return {name: {**defaults(name), **values} for name, values in ours.items()}


def measure(profile):
    """What the cells of the pages measure, page by page."""
    pages = at(profile)
    of = pages["02_execution_order"]
    measurements.accuracies(study(profile, TABLE_1, of["seeds"]), (sequential, arbitrary), of["orders"])
    measurements.accuracies(study(profile, [PREDICT_SUM], of["seeds"]), (sequential, arbitrary), of["orders"])

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
    measurements.ensemble_accuracies(shuffled, arbitrary)
    measurements.accuracies(shuffled, arbitrary, of["orders"])
    for count in measurements.source_counts(profile):
        for models, sampler in ((vits, sequential), (shuffled, arbitrary)):
            measurements.merged_accuracies(models, sampler, max(2, of["merged"] // 5), count)
    measurements.drifted_accuracies(profile)

    of = pages["06_discussion"]
    both = study(profile, [LAYERSHUFFLE, BASELINE], of["seeds"])
    measurements.norms(both, of["images"])
    measurements.joint_readability(both, min(of["images"], 300))

    claims.check(profile)


def test_the_default_parameters_are_those_of_the_default_profile():
    for name, values in at(DIGITS).items():
        assert values == defaults(name), name


@pytest.mark.slow
def test_pages_compute_nothing_that_was_not_prepared(shared, store):
    (store / "runs").mkdir(parents=True)
    (store / "runs" / "smoke").symlink_to(shared / "runs" / "smoke")  # the networks, without tables of other tests
    measurements.prepare(SMOKE)
    tables = store / "runs" / "tables"
    prepared = {path.name: path.stat().st_mtime_ns for path in tables.glob("*.csv")}
    assert len(prepared) > 50
    measure(SMOKE)
    assert {path.name: path.stat().st_mtime_ns for path in tables.glob("*.csv")} == prepared
