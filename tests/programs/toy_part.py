"""The lists of a part of a few lines (see `toy_network`)."""

import numpy as np
import pandas as pd
from torch.utils.data import Subset
from toy_network import Backwards

from lsnotebook.core.profiles import Approach, Backbone, Images, Part, Profile, Result, Schedule
from lsnotebook.engine import evaluation, runs
from lsnotebook.engine.run import all_runs
from lsnotebook.pages.statements import Bounds, Claim, Statement, judged

BACKWARDS = Approach("backwards", "Backwards", Backwards(), "toy_network")
TOY = Profile(
    name="toy",
    images=Images("digits", classes=10, selection=100, train=300, validation=100),
    backbone=Backbone(layers=2, hidden_size=64, image_size=8, channels=1),
    pretrain=Schedule(steps=60, batch_size=32, learning_rate=5e-3, check_every=30, cpu=True),
    refine=Schedule(steps=60, batch_size=32, learning_rate=5e-3, check_every=30, cpu=True),
)


def networks(profile: Profile) -> list[tuple[Approach, int]]:
    return [(BACKWARDS, 1)]


def claims(profile: Profile) -> pd.DataFrame:
    (run,) = all_runs(profile, networks(profile))
    model, order, images = runs.load(run), run.approach.order(run.layers), runs.splits_of(run).validation

    def outputs(pixel_values):
        yield model(pixel_values, order=order)

    quarters = [Subset(images, range(k, len(images), 4)) for k in range(4)]
    top1 = np.array([100 * evaluation.score(outputs, quarter)["top1"].item() for quarter in quarters])
    statement = Statement("top-1, %", top1, Bounds("it has learned", above=50), over=("quarters of the images",))
    return judged({"T1": (Claim("It learns.", "toy"), [statement])})


def ids(profile: Profile) -> list[tuple[str]]:
    return [("T1",)]


PART = Part(
    title="A toy",
    profiles={"toy": TOY},
    approaches={"backwards": BACKWARDS},
    networks=networks,
    claims="toy_part:claims",
    results={"claims": Result("toy_part:claims", "lsnotebook.pages.rows:Judged", "toy_part:ids", networks)},
    prepare="toy_part:claims",
)
