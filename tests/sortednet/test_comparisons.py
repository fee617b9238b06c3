"""Ways of training are compared network by network, and as long as the page says."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from lsnotebook.core.profile_files import ProfileError
from lsnotebook.core.randomness import stream
from lsnotebook.engine.run import Run
from lsnotebook.layershuffle import profiles as first_part
from lsnotebook.sortednet import all_networks, comparison_tables, comparisons, exits, paper
from lsnotebook.sortednet.approaches import BOTH, DEPTH, LARGEST, MOVING
from lsnotebook.sortednet.grid_figures import by_layers_kept
from lsnotebook.sortednet.profiles import DIGITS, PROFILES, SMOKE
from lsnotebook.sortednet.samplers import Largest


def made(accuracies, seeds=3):
    """Sub-models of 4 layers and 2 heads: `accuracies[approach](layers, heads)`, a point more with each seed."""
    rows = [
        (approach, seed, layers, heads, accuracy(layers, heads) + 0.01 * seed)
        for approach, accuracy in accuracies.items()
        for seed in range(seeds)
        for layers in (1, 2, 3, 4)
        for heads in (1, 2)
    ]
    return pd.DataFrame(rows, columns=["approach", "seed", "layers", "heads", "top1"])


def test_accumulation_holds_fixed_what_the_tables_of_the_paper_hold_fixed():
    for profile, steps in ((DIGITS, 120), (SMOKE, 12)):
        for count in (1, 2, 3, 4):
            updates, data = (comparisons.with_updates(profile, count, way).refine for way in ("updates", "data"))
            assert updates.steps == steps and data.steps * data.batch_size == steps * profile.refine.batch_size
            assert updates.batch_size == data.batch_size == count * profile.refine.batch_size
            assert data.check_every == data.steps, "no checkpoint is chosen"


def test_accumulation_is_compared_with_one_batch():
    rows = [
        (way, count, updates, seed, 1, heads, 0.5 + gain * (count - 1) + 0.01 * seed + 0.002 * seed * count)
        for way, gain in (("updates", 0.1), ("data", -0.1))
        for count, updates in ((1, 12), (4, 3))
        for seed in range(3)
        for heads in (1, 2)
    ]
    table = pd.DataFrame(rows, columns=["way", "accumulation", "updates", "seed", "layers", "heads", "top1"])
    shown = comparison_tables.accumulation(table, "updates").loc[4]
    assert shown["more"].startswith("30.6 [") and shown["paper"] == "84.0 (+3.1)" and shown["100"] == "81.8"
    told = comparison_tables.accumulating(table)
    assert "as many updates*: 30.6 [" in told and ", more (paper +3.1)" in told
    assert "as many images*: −29.4 [" in told and ", less (paper +1.3)" in told


def test_the_largest_sizes_are_drawn_alone_and_compared_alone():
    drawn = {Largest(4)(12, stream(0, "order", k)) for k in range(99)}
    assert drawn == {(layers, heads) for layers in (10, 11, 12) for heads in (3, 4)}
    assert {layers for layers, _ in (Largest(10)(16, stream(0, "order", k)) for k in range(99))} == {13, 14, 15, 16}
    table = made({BOTH.name: lambda a, b: 0.5, LARGEST.name: lambda a, b: 0.7 if (a, b) == (4, 2) else 0.2})
    table.loc[table["approach"] == LARGEST.name, "top1"] += 0.001 * table["seed"]
    assert comparison_tables.retrained(table).loc["4\u00a0×\u00a02", "points of difference"].startswith("20.1 [")
    told = comparison_tables.retraining(table)
    assert "20.1 [" in told and "these 1 sub-models" in told and "change by −29.9 [" in told
    assert paper.gained(3) == pytest.approx(1.934)
    assert f"Figure 3, {paper.gained(3):.1f} for its 20" in told


def test_differences_are_paired_and_told_with_their_interval():
    table = made({BOTH.name: lambda a, b: a / 10, MOVING.name: lambda a, b: a / 10 + 0.02})
    table.loc[(table["approach"] == MOVING.name) & (table["seed"] == 0), "top1"] += 0.001
    shown = comparison_tables.beside(table, {BOTH.name: "both", MOVING.name: "moving"}, BOTH.name, 4, 2)
    assert (
        shown.loc["moving", "points, less both"] == "2.0 [1.9,\u00a02.2]"
        and shown.loc["both", "points, less both"] == ""
    )
    assert shown.loc["both", "whole"].startswith("41.0 %") and shown.loc["both", "smallest"].startswith("11.0 %")
    assert "by 2.0 [1.9,\u00a02.2] points" in comparison_tables.momentum(table)
    assert comparison_tables.momentum(table).endswith(": more.")
    assert comparison_tables.told(np.array([1.0, -1, 0.5])) == "3 networks cannot tell which is more"
    assert comparison_tables.told(np.array([-1.0, -1.1, -0.9])) == "less"


def test_the_best_sub_model_is_chosen_among_those_that_are_cheap_enough():
    table = made({BOTH.name: lambda a, b: a / 10 + b / 100})
    sizes = [(a, b, a * b) for a in (1, 2, 3, 4) for b in (1, 2)]
    costs = pd.DataFrame(sizes, columns=["layers", "heads", "flops"])
    assert comparisons.best(table, costs, BOTH, 0.5) == (4, 1)
    assert comparisons.best(table, costs, BOTH, 1) == (4, 2)
    assert comparisons.best(table, costs, BOTH, 0.01) == (1, 1), "the cheapest, where nothing is cheap enough"
    told = comparison_tables.chosen((4, 1), 0.5, np.array([40.0, 41]), np.array([44.0, 46]))
    assert "at most 50\u00a0% of" in told and "size 4\u00a0×\u00a01" in told and "4.5 [" in told


def test_layers_that_stay_are_shown_as_means_over_draws():
    rows = [
        ("layerdrop", seed, kind, layers, number, layers / 10 + number / 10 + seed / 100)
        for seed in (0, 1)
        for kind in ("first", "random", "shuffled")
        for layers in (2, 4)
        for number in range(1 if kind == "first" or (kind, layers) == ("random", 4) else 2)
    ]
    table = pd.DataFrame(rows, columns=["approach", "seed", "kind", "layers", "draw", "top1"])
    shown = comparison_tables.half(table, {"layerdrop": "LayerDrop"}).loc["LayerDrop"]
    assert [cell[:4] for cell in shown] == ["20.5", "25.5", "25.5", "40.5", "45.5"]
    panels = by_layers_kept(table, {"layerdrop": "LayerDrop"}, 0.1).axes
    assert panels[1].lines[0].get_ydata().tolist() == pytest.approx([25.5, 40.5])


def test_every_network_of_the_pages_is_listed_once():
    wanted = [approach.name for approach, _ in all_networks(SMOKE)]
    assert len(wanted) == len(set(wanted)) and {MOVING.name, LARGEST.name} <= set(wanted)


def test_networks_of_other_images_or_sizes_are_not_compared():
    other = dataclasses.replace(SMOKE, name="other", backbone=dataclasses.replace(SMOKE.backbone, layers=3))
    for profile in (other, dataclasses.replace(other, name=SMOKE.name)):  # as two files of one name in two folders
        for compare in (comparisons.layers_kept, exits.all_answers):
            with pytest.raises(ProfileError, match="name in `beside` of sorted-smoke a profile with the same images"):
                compare([Run(SMOKE, DEPTH, 0), Run(profile, DEPTH, 0)])


def test_the_scales_of_both_parts_have_the_same_images_and_sizes():
    for profile in PROFILES.values():
        first = first_part.PROFILES[profile.beside]
        assert (first.images, first.backbone) == (profile.images, profile.backbone)
