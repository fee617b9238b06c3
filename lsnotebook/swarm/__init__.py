"""The swarm: the layers of LayerShuffle's networks on many machines, some of which die (§1, §5)."""

from lsnotebook.core.profiles import Part
from lsnotebook.layershuffle.profiles import Study

PART = Part(
    title="The swarm",
    prepare="lsnotebook.swarm.measurements:prepare",
    profile=Study,  # it runs their networks
    commands=("lsnotebook.swarm.commands:swarm",),
)
