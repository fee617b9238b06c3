"""*SortedNet*: networks in networks, that all begin at the origin (Valipour et al.; arXiv 2309.00255)."""

from lsnotebook.core.profiles import Approach, Part
from lsnotebook.sortednet.approaches import ALONE, APPROACHES, BOTH, DEPTH, LARGEST, LOSSES, ORDINARY, WIDTH
from lsnotebook.sortednet.profiles import PROFILES, SortedStudy

SORTED = (ORDINARY, DEPTH, WIDTH, BOTH)


def all_networks(profile: SortedStudy) -> list[tuple[Approach, int]]:
    """The networks that the pages ask for by default."""
    wanted = (*SORTED, *LOSSES, LARGEST, *(ALONE[size] for size in profile.alone))
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
