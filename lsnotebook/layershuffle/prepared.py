"""What the pages show by default, computed before they are made: they then find all of it in the store."""

from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.engine.run import study
from lsnotebook.layershuffle import claims, measurements
from lsnotebook.layershuffle.approaches import BASELINE, LAYERDROP, LAYERSHUFFLE, PREDICT_SUM
from lsnotebook.layershuffle.profiles import Study


def prepare(profile: Study) -> None:
    """Compute what the pages show by default, so that they find it in the store: beginning with the claims."""
    claims.check(profile)
    both = study(profile, [LAYERSHUFFLE, BASELINE])
    measurements.accuracies(study(profile, [PREDICT_SUM]), (sequential, arbitrary))
    measurements.contributions(both)
    measurements.chosen_accuracies(both)
    measurements.collapses(study(profile, [BASELINE, LAYERSHUFFLE, LAYERDROP]))
    for approach, sampler in ((BASELINE, sequential), (LAYERSHUFFLE, arbitrary)):
        sources = study(profile, [approach], profile.sources)
        for distinct in measurements.fewer_sources(profile):
            measurements.merged_accuracies(sources, sampler, 20, distinct)
    measurements.drifted_accuracies(profile)
    measurements.joint_readability(both)
