"""What the pages show by default, computed before they are made: they then find all of it in the store."""

from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.engine.run import study
from lsnotebook.layershuffle.approaches import BASELINE, LAYERDROP, LAYERSHUFFLE, PREDICT_SUM, TABLE_1
from lsnotebook.layershuffle.measurements import (
    accuracies,
    chosen_accuracies,
    collapses,
    contributions,
    drifted_accuracies,
    ensemble_accuracies,
    fewer_sources,
    joint_readability,
    merged_accuracies,
    norms,
    pruned_accuracies,
    readability,
    refined_accuracies,
)
from lsnotebook.layershuffle.profiles import Study


def prepare(profile: Study) -> None:
    """Compute what the pages show by default, so that they find it in the store."""
    models, every_depth = study(profile, TABLE_1), [*profile.depths, profile.backbone.layers]
    accuracies([*models, *study(profile, [PREDICT_SUM])], (sequential, arbitrary))
    both = study(profile, [LAYERSHUFFLE, BASELINE])
    pruned_accuracies(study(profile, [LAYERSHUFFLE, LAYERDROP, BASELINE]), every_depth)
    refined_accuracies(profile, every_depth, profile.seeds)
    contributions(both)
    chosen_accuracies(both)
    collapses(study(profile, [BASELINE, LAYERSHUFFLE, LAYERDROP]))
    vits, shuffled = (study(profile, [approach], profile.sources) for approach in (BASELINE, LAYERSHUFFLE))
    for models, sampler in ((vits, sequential), (shuffled, arbitrary)):
        merged_accuracies(models, sampler)
        accuracies(models, sampler)
        for distinct in fewer_sources(profile):
            merged_accuracies(models, sampler, 20, distinct)
    ensemble_accuracies(shuffled, arbitrary)
    drifted_accuracies(profile)
    norms(both)
    readability(both, profile.backbone.layers // 2)
    joint_readability(both)
