"""What the book begins with is told from the numbers, whichever they are."""

import numpy as np
import pandas as pd
import pytest

from lsnotebook.layershuffle import opening, paper
from lsnotebook.layershuffle.profiles import DIGITS, PROFILES

LAYERS, CHANCE = 8, 0.1


def plain(text):
    return text.replace("\u00a0", " ")


def test_the_result_tells_this_build_and_then_the_others():
    ours = paper.table1().assign(mean=lambda table: table["mean"] / 2)
    told = plain(opening.result({"paper, ImageNet": paper.table1(), "this build, digits": ours}))
    assert "a plain ViT goes from <b>41 % to 0 %</b> accuracy, LayerShuffle from <b>38 % to 31 %</b> (this b" in told
    assert told.endswith("(this build, digits). Paper, ImageNet: 83 % to 0 % and 75 % to 63 %.")
    assert told.index("new random order for every batch") < told.index("41 %"), "what it is, before the numbers"


@pytest.fixture
def sequential():
    """Three networks each in sequence, ten points apart, give or take."""
    rows = [(name, "sequential", seed, 0, top1 + noise)
            for name, top1 in (("baseline", 0.9), ("layershuffle", 0.8))
            for seed, noise in enumerate((0, 0.02, 0.01 if name == "baseline" else 0.02))]  # fmt: skip
    return pd.DataFrame(rows, columns=["approach", "policy", "seed", "draw", "top1"])


def test_the_price_is_paired_and_told_of_the_fewest_and_the_most_steps(sequential):
    told = plain(opening.price(sequential))
    assert "has 9.7 points [8.2, 11.1] less than the ViT (paper: 7.4)." in told and "refinement" not in told
    rows = [(steps, name, "sequential", seed, top1)
            for steps, gap in ((400, 0.1), (800, 0.05), (1600, 0.01))
            for name, top1 in (("baseline", 0.9), ("layershuffle", 0.9 - gap)) for seed in (0, 1)]  # fmt: skip
    longer = pd.DataFrame(rows, columns=["steps", "approach", "measure", "number", "value"])
    other = longer.assign(measure="arbitrary", value=0.0)
    told = plain(opening.price(sequential, pd.concat([longer, other])))
    assert told.endswith("After 400 steps of refinement it is 10.0, after 1,600 steps 1.0 (recorded).")


def anchored(first, last, none=0.2):
    """Three networks under four orders: accuracies with a quarter of the first, or last, layers in place."""
    rng = np.random.default_rng(0)
    rows = [
        ("baseline", way, number, seed, draw, top1 + rng.normal(0, 1e-3))
        for way, some in (("first", first), ("last", last))
        for number, top1 in ((0, none), (2, some), (LAYERS, 0.9))
        for seed in range(3)
        for draw in range(4)
    ]
    return pd.DataFrame(rows, columns=["approach", "way", "number", "seed", "draw", "top1"])


def test_the_reason_is_told_by_what_is_regained():
    told = plain(opening.reason(anchored(0.83, 0.27), CHANCE, LAYERS))
    assert (
        "With its first 2 of 8 layers in place" in told and "regains 90 %" in told and "last 2 in place, 10 %" in told
    )
    assert "trained at the beginning" in told
    told = opening.reason(anchored(0.27, 0.83), CHANCE, LAYERS)
    assert "trained at the beginning" not in told and "not the first layers alone" in told


def test_without_a_collapse_there_is_no_reason():
    assert "nothing to explain" in opening.reason(anchored(0.9, 0.9, none=0.88), CHANCE, LAYERS)


def test_what_the_columns_stand_for_is_told_from_the_profiles():
    told = opening.sources(DIGITS, {"recorded, cifar100-mini": PROFILES["cifar100-mini"]})
    assert "digits</i>: 12 layers of width 64 on images of 10 classes of 8 × 8 pixels" in told
    assert "<i>Recorded, cifar100-mini</i>: 12 layers of width 128 on images of 100 classes" in told
