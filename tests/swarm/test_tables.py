"""The page's tables and sentences say what the numbers say, whichever way these go."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from lsnotebook.layershuffle.approaches import LAYERSHUFFLE
from lsnotebook.swarm import tables
from lsnotebook.swarm.driver import Fault
from lsnotebook.swarm.trials import Carried, Trial, simulated


def answers(top1, p50=None, policies=("a", "b")):
    """Rows as of `measurements.answers`; `top1` and `p50` of each (approach, policy), spread a little by chance."""
    rng, rows = np.random.default_rng(0), []
    for (approach, values), (k, policy) in itertools.product(top1.items(), enumerate(policies)):
        for draw in range(6):
            late = rng.normal(scale=0.01)
            times = {"p50": (p50 or {}).get(approach, [12] * 9)[k] + late, "p99": 20.0, "throughput": 0.5, "layers": 9}
            for seed in range(3):
                row = {"approach": approach, "policy": policy, "rule": "any", "seed": seed, "draw": draw}
                rows.append({**row, "top1": values[k] + rng.normal(scale=0.01), **times})
    return pd.DataFrame(rows)


def test_the_table_has_latencies_in_hops_and_in_milliseconds():
    shown = tables.served(answers({"layershuffle": [0.8, 0.5], "layerdrop": [0.3, 0.9]}), hop=0.03)
    assert list(shown.index) == [("a", "LayerShuffle"), ("b", "LayerShuffle"), ("a", "LayerDrop"), ("b", "LayerDrop")]
    row = shown.loc[("a", "LayerShuffle")]
    assert row["top-1, %"].startswith(("79", "80")) and "[" in row["top-1, %"]
    assert row["p99, hops (ms)"] == "20.0 (600)" and row["answers a hop (a second)"] == "0.50 (16.7)"


def test_who_leads_is_said_only_where_the_interval_says_so():
    found = answers({"layershuffle": [0.8, 0.5], "layerdrop": [0.3, 0.5], "baseline": [0.2, 0.1]})
    said = tables.leads(found, "a deadline of")
    assert "LayerShuffle is **more accurate** at a deadline of a (by 50." in said
    assert "**not to be told apart** at a deadline of b:" in said and "less" not in said
    turned = found.replace({"approach": {"layershuffle": "layerdrop", "layerdrop": "layershuffle"}})
    assert "LayerShuffle is **less accurate** at a deadline of a (by 50." in tables.leads(turned, "a deadline of")


def test_the_verdict_follows_the_numbers_and_not_the_expectation():
    times = {"layershuffle": [10, 14, 12], "layerdrop": [12, 12, 12]}
    top1 = {"layershuffle": [0.8, 0.5, 0.6], "layerdrop": [0.3, 0.9, 0.6], "baseline": [0.1, 0.1, 0.1]}
    policies = ("a burst", "a light load", "a tie")
    said = tables.verdict(answers(top1, times, policies)).splitlines()
    assert [line.split(": ")[1] for line in said[:3]] == ["a burst.", "a light load.", "a tie."]
    assert said[3].endswith(": a burst.") and said[4].endswith(": a light load.")
    turned = {"layershuffle": top1["layerdrop"], "layerdrop": top1["layershuffle"], "baseline": top1["baseline"]}
    said = tables.verdict(answers(turned, times, policies)).splitlines()
    assert said[0].endswith(": a light load.") and said[1].endswith(": a burst.")
    assert "in none of these cases" in tables.verdict(answers({"layershuffle": [0.9] * 2, "layerdrop": [0.1] * 2}))


def test_patience_and_freedom_of_order_are_told_apart():
    found = answers({"layershuffle": [0.5, 0.5], "layerdrop": [0.5, 0.5]}, policies=("no patience", "patience"))
    found.loc[found["policy"] == "patience", "throughput"] = 2.0
    said = tables.patience_or_order(found)
    assert "LayerShuffle from 0.50 to 2.00 answers a hop" in said and "(4.0 to 4.0 times as many)" in said
    assert "answers 1.00 times as many as" in said


def test_coverage_is_what_counting_all_draws_gives():
    """Three layers, of which each of three nodes draws one, or two."""
    for holds in (1, 2):
        choices = list(itertools.combinations(range(3), holds))
        draws = list(itertools.product(choices, repeat=3))
        full = np.mean([len(set().union(*draw)) == 3 for draw in draws])
        assert tables.coverage(3, [3], holds)["covered"].tolist() == pytest.approx([full])
    twelve = tables.coverage(12, [12, 24, 36])
    assert twelve["covered"].tolist() == pytest.approx([math.factorial(12) / 12**12, 0.150, 0.563], abs=1e-3)
    assert "24 nodes that each draw one layer hold all 12 of them in 15" in tables.covered(twelve, 12)
    assert "more than 36 nodes" in tables.covered(twelve, 12)


def carried(rows, again):
    faults = [Fault(1.0, "kill", 0), Fault(900.0, "kill", 1)]
    return Carried("sizes", LAYERSHUFFLE, Trial(nodes=4), rows.assign(right=True), faults, 1e-6, again)


def test_the_error_of_the_simulation_is_that_of_its_quantiles():
    real = simulated(Trial(nodes=4, load=0.1), 4, 50)
    same, half = carried(real, real), carried(real, real.assign(answered=(real["answered"] + real["born"]) / 2))
    assert tables.errors([same, half]).mean().tolist() == pytest.approx([0.25, 0.25])
    said = tables.real([same, half], "", 0.03)
    assert "off by 25.0\u00a0% for the median latency and 25.0\u00a0% for the 99th percentile" in said
    assert "in which 2 of them were killed, all 100 requests" in said, "who dies after the last answer does not count"
    points = tables.real_points([same, half], "sizes", "nodes")
    assert points["at"].tolist() == [4, 4] and points["top1"].tolist() == [1, 1]
    assert tables.real_points([same], "failures", "mtbf").empty


def test_without_real_nodes_a_sentence_says_why():
    assert tables.real([], "Swarms need Ray: pip install it.", 0.03).endswith("alone: Swarms need Ray: pip install it.")


def test_the_first_layers_are_told_beside_random_ones_with_their_difference():
    row = {"approach": "layerdrop", "layers": 6}
    first = [{**row, "which": "first", "seed": k, "draw": 0, "top1": top1} for k, top1 in enumerate([0.95, 0.93, 0.94])]
    random = [
        {**row, "which": "random", "seed": k, "draw": draw, "top1": top1 + draw / 100}
        for k, top1 in enumerate([0.75, 0.72, 0.75])
        for draw in (-1, 0, 1)
    ]
    said = tables.first_or_random(pd.DataFrame(first + random))
    assert "With 6 layers in sequence: LayerDrop 94.0\u00a0% with the first and 74.0\u00a0% with random ones" in said
    assert "(20.0 [" in said and "points apart)" in said
