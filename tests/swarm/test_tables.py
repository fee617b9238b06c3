"""The page's tables hold what the runs say."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

from lsnotebook.layershuffle.approaches import LAYERSHUFFLE
from lsnotebook.swarm import findings, tables
from lsnotebook.swarm.driver import Fault
from lsnotebook.swarm.trials import Carried, Trial, simulated


def test_the_table_has_latencies_in_hops(answers):
    shown = tables.served(answers({"layershuffle": [0.8, 0.5], "layerdrop": [0.3, 0.9]}))
    assert list(shown.index) == [("a", "LayerShuffle"), ("b", "LayerShuffle"), ("a", "LayerDrop"), ("b", "LayerDrop")]
    row = shown.loc[("a", "LayerShuffle")]
    assert row["top-1, %"].startswith(("79", "80")) and "[" in row["top-1, %"]
    assert row["p50 / p99, hops"] == "12.0 / 20.0" and row["answers a hop"] == "0.50"
    late = answers({"layershuffle": [0.8]}, {"layershuffle": [1762.6]}, ("a",))
    assert tables.served(late, rules=True).loc["LayerShuffle, any", "p50 / p99, hops"] == "1,762.6 / 20.0"


def test_coverage_is_what_counting_all_draws_gives():
    """Three layers, of which each of three nodes draws one, or two."""
    for holds in (1, 2):
        choices = list(itertools.combinations(range(3), holds))
        draws = list(itertools.product(choices, repeat=3))
        full = np.mean([len(set().union(*draw)) == 3 for draw in draws])
        assert tables.coverage(3, [3], holds)["covered"].tolist() == pytest.approx([full])
    twelve = tables.coverage(12, [12, 24, 36])
    assert twelve["covered"].tolist() == pytest.approx([math.factorial(12) / 12**12, 0.150, 0.563], abs=1e-3)
    assert "24 nodes that each draw one layer hold all 12 of them in 15" in findings.covered(twelve, 12)
    assert "more than 36 nodes" in findings.covered(twelve, 12)


def carried(rows, again):
    faults = [Fault(1.0, "kill", 0), Fault(900.0, "kill", 1)]
    return Carried("sizes", LAYERSHUFFLE, Trial(nodes=4), rows.assign(right=True), faults, 1e-6, again)


def test_the_error_of_the_simulation_is_that_of_its_quantiles():
    real = simulated(Trial(nodes=4, load=0.1), 4, 50)
    same, half = carried(real, real), carried(real, real.assign(answered=(real["answered"] + real["born"]) / 2))
    assert tables.errors([same, half]).mean().tolist() == pytest.approx([0.25, 0.25])
    said = findings.real([same, half], "", 0.03)
    assert "off by 25.0\u00a0% for the median latency and 25.0\u00a0% for the 99th percentile" in said
    assert "in which 2 of them were killed, all 100 requests" in said, "who dies after the last answer does not count"
    points = tables.real_points([same, half], "sizes", "nodes")
    assert points["at"].tolist() == [4, 4] and points["top1"].tolist() == [1, 1]
    assert tables.real_points([same], "failures", "mtbf").empty


def test_a_real_run_stands_beside_its_simulation():
    real = simulated(Trial(nodes=4, load=0.1), 4, 50)
    failing = dataclasses.replace(carried(real, real), trial=Trial(nodes=4, mtbf=3000))
    shown = tables.side_by_side(tables.runs([carried(real, real), failing]))
    assert shown.index[1] == ("4 nodes, a failure in 3,000 hops", "LayerShuffle, nearly")
    for column in ("median latency", "99th percentile"):
        ours, theirs = shown[f"{column}: real / simulated"].iloc[0].split(" / ")
        assert ours == theirs and float(ours) > 4
