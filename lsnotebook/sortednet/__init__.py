"""*SortedNet*: networks in networks, that all begin at the origin (Valipour et al.; arXiv 2309.00255).

To be read first: `submodels` (the one rule), `samplers` and `updates` (Algorithm 1), `networks`. Then, page by page:

09   neurons, neuron_views
10   approaches, profiles, accumulation, grids, scores, comparisons, grid_tables, grid_figures, comparison_tables
10b  resnet, convolutions, sgd, convolution_profiles, convolution_runs, convolution_records, convolution_views
11   exits, exit_views
12   text, language, language_runs, language_measures, speculation, language_views; glue

For all of them: `paper` (its numbers), `intervals` (ours as text), `claims`, `commands`.
"""

from lsnotebook.core.profiles import Approach, Part
from lsnotebook.sortednet.approaches import ALONE, APPROACHES, BOTH, DEPTH, LARGEST, LOSSES, ORDINARY, WIDTH
from lsnotebook.sortednet.profiles import PROFILES, SortedStudy

SORTED = (ORDINARY, DEPTH, WIDTH, BOTH)


def all_networks(profile: SortedStudy) -> list[tuple[Approach, int]]:
    """The networks that the pages ask for by default."""
    sizes = sorted(profile.alone, reverse=True)  # the shortest last, so that no core waits long for another
    wanted = (*SORTED, *LOSSES, LARGEST, *(ALONE[size] for size in sizes))
    return [(approach, profile.seeds) for approach in dict.fromkeys(wanted)]


PART = Part(
    title="SortedNet",
    profiles=PROFILES,
    approaches=APPROACHES,
    networks=all_networks,
    claims="lsnotebook.sortednet.claims:check",
    prepare="lsnotebook.sortednet.comparisons:prepare",
    profile=SortedStudy,
    commands=("lsnotebook.sortednet.commands:sortednet",),
)
