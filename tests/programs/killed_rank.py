"""A rank of a launch that trains the base of `smoke` and ends without a word at step 33."""

import os

from lsnotebook.engine import loop, runs
from lsnotebook.engine.run import Run
from lsnotebook.layershuffle.approaches import BASE
from lsnotebook.layershuffle.profiles import SMOKE

rate = loop.learning_rate
loop.learning_rate = lambda schedule, step: os._exit(9) if step == 33 else rate(schedule, step)
runs.train(Run(SMOKE, BASE, 0))
