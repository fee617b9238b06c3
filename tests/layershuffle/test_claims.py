"""Every claim of the paper gets a verdict, by rules that the paper's own numbers meet."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import stats

from lsnotebook.cli import main
from lsnotebook.layershuffle import paper
from lsnotebook.layershuffle.approaches import TABLE_1
from lsnotebook.layershuffle.build import IMAGENET_CHANCE, Build
from lsnotebook.layershuffle.claims import CLAIMS, outputs_arranged_by_position
from lsnotebook.layershuffle.profiles import IMAGENET
from lsnotebook.pages.statements import HOLDS, UNTOLD, VERDICTS

APPROACHES = [approach.name for approach in TABLE_1]


class Published(Build):
    """The paper's numbers: 5 networks (100 merged models) with exactly its means and standard deviations.

    Each approach deviates by an orthogonal contrast of its own, so that no two of one policy go together, and neither
    do both policies of one approach.
    """

    def top1(self, approach, policy):
        cell = paper.table1().set_index(["approach", "policy"]).loc[(approach, policy)]
        contrast = APPROACHES.index(approach) + (policy == "arbitrary")
        return spread(cell, contrast % 4)[:, None]  # (networks, 1): one column for the orders

    def source_top1(self, approach, policy):
        return self.top1(approach, policy)

    def merged_top1(self, approach, policy):
        return spread(self.table_2(approach, "merged"), 0, 100)

    def ensemble_top1(self, approach):
        return np.array([100 * self.table_2(approach, "ensemble of 12")["mean"]])  # the paper has one

    @staticmethod
    def table_2(approach, model):
        return paper.table2().set_index(["approach", "model", "measure"]).loc[(approach, model, "top1")]


def spread(cell, contrast, networks=5):
    """Values in % with this mean and standard deviation: an orthogonal polynomial, the others' product with it zero."""
    powers = np.vander(np.arange(networks) - (networks - 1) / 2, 5, increasing=True)
    values = np.linalg.qr(powers)[0][:, 1 + contrast]
    return 100 * (cell["mean"] + cell["std"] * values / values.std(ddof=1))


def test_the_published_networks_are_as_published():
    build = Published(IMAGENET)
    assert build.chance == 100 * IMAGENET_CHANCE == 0.1
    for row in paper.table1().itertuples():
        values = build.top1(row.approach, row.policy)
        assert values.shape == (5, 1)
        assert (values.mean(), values.std(ddof=1)) == pytest.approx((100 * row.mean, 100 * row.std))
    for policy in ("sequential", "arbitrary"):
        together = np.corrcoef([build.top1(approach, policy)[:, 0] for approach in APPROACHES])
        assert np.allclose(together, np.eye(4))
    merged = build.merged_top1("baseline", "sequential")
    assert (len(merged), merged.mean(), merged.std(ddof=1)) == pytest.approx((100, 1.87, 6.51))


@pytest.mark.parametrize("name", ["C1", "C2", "C3", "C4", "C5", "C7", "C12", "C13"])
def test_the_papers_own_numbers_meet_the_papers_claims(name):
    """The rules say what the paper's words mean: its own numbers must pass them."""
    (make,) = (there[name][1] for there in CLAIMS.values() if name in there)
    for statement in make(Published(IMAGENET)):
        assert statement.verdict == HOLDS, (name, statement.rule, statement.estimate)
        assert statement.estimate.mean == pytest.approx(statement.paper)
        assert statement.bounds.why, "each bound says where it comes from"


@pytest.mark.parametrize("name", ["C1", "C3"])
def test_what_is_kept_is_not_held_for_certain_where_networks_agree(name):
    class Equal(Published):
        def top1(self, approach, policy):
            return np.full((5, 1), super().top1(approach, policy).mean())

    statements = CLAIMS["02_execution_order"][name][1](Equal(IMAGENET))
    assert {statement.verdict for statement in statements} == {UNTOLD}


@pytest.mark.parametrize("name", ["C1", "C2", "C3", "C4", "C5", "C7"])
@pytest.mark.parametrize("wrong", ["an accuracy is missing", "networks are copies"])
def test_nothing_is_told_of_copies_and_of_what_is_missing(name, wrong):
    class Odd(Published):
        def top1(self, approach, policy):
            orders = np.random.default_rng(APPROACHES.index(approach)).normal(0, 3, 1 + 19 * (policy == "arbitrary"))
            values = super().top1(approach, policy).mean() + np.tile(orders, (5, 1))
            if wrong == "an accuracy is missing":
                values += np.random.default_rng(1).normal(0, 0.1, values.shape)
                values[2, -1] = np.nan
            return values

    statements = CLAIMS["02_execution_order"][name][1](Odd(IMAGENET))
    assert {statement.verdict for statement in statements} == {UNTOLD}


def test_merged_models_are_compared_under_the_orders_of_their_sources():
    class Simulated(Published):
        rng = np.random.default_rng(0)
        orders = rng.normal(0, 10, 100)  # 1 point in the mean of 100, if the sources' were taken for certain

        def source_top1(self, approach, policy):
            return 50 + self.orders + self.rng.normal(0, 1, (12, 100))

        def merged_top1(self, approach, policy):
            return 0.9 * (50 + self.orders) + self.rng.normal(0, 1, 100)

    (_, shuffled) = CLAIMS["05_merging"]["C12"][1](Simulated(IMAGENET))
    assert shuffled.population == "100 draws of merged models from the same 12 sources"
    _, low, high = shuffled.estimate
    assert low < 90 < high and high - low < 1.5


def test_an_ensemble_is_compared_with_networks_under_drawn_orders():
    class Simulated(Published):
        rng = np.random.default_rng(0)

        def source_top1(self, approach, policy):
            return 50 + self.rng.normal(0, 10, 100) + self.rng.normal(0, 0.1, (12, 100))

        def ensemble_top1(self, approach):
            return 56 + self.rng.normal(0, 0.1, 20)

    (statement,) = CLAIMS["05_merging"]["C13"][1](Simulated(IMAGENET))
    assert statement.population == "12 networks, 20 draws of orders"
    _, low, high = statement.estimate
    assert low < 6 < high and 2 < high - low < 6, "the 100 orders alone move the mean by a point"


def test_the_rank_correlation_is_spearmans_and_the_gap_that_of_the_first_positions():
    rng, layers, images = np.random.default_rng(0), 12, 240
    rows = []
    for seed in range(3):
        position = rng.integers(0, layers, images)
        output = np.where(rng.random(images) < 0.3, position, rng.integers(0, layers, images))
        rows.append(pd.DataFrame({"seed": seed, "image": range(images), "position": position, "output": output}))
    table = pd.concat(rows).assign(approach="layershuffle")
    correct, ordered, gap = outputs_arranged_by_position(SimpleNamespace(readability=table, profile=IMAGENET))
    table["correct"], table["first"] = table["output"] == table["position"], table["position"] < 3
    groups = [group for _, group in table.groupby("seed")]
    assert correct.estimate.mean == pytest.approx(100 * table["correct"].mean())
    spearman = [stats.spearmanr(group["position"], group["output"]).statistic for group in groups]
    assert ordered.values.mean(1) == pytest.approx(100 * np.array(spearman))
    gaps = [group.groupby("first")["correct"].mean().diff().iloc[-1] for group in groups]
    assert gap.values.mean(1) == pytest.approx(100 * np.array(gaps))
    assert {statement.population for statement in (correct, ordered, gap)} == {"3 networks, 240 images"}


@pytest.mark.slow
def test_every_claim_is_judged_on_the_command_line(trained):
    result = CliRunner().invoke(main, ["claims", "smoke", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [claim["id"] for claim in found] == [f"C{k}" for k in range(1, 15)]
    for claim in found:
        assert {"id", "claim", "paper", "build", "low", "high", "over", "verdict", "otherwise"} <= set(claim)
        for part in (claim, *claim["statements"]):
            assert part["verdict"] in VERDICTS and part["over"] and part["bound"]
            if part["low"] is None:
                assert part["verdict"] == UNTOLD, "without an interval nothing is told"
            else:
                assert part["low"] <= part["build"] <= part["high"]
    shown = CliRunner().invoke(main, ["claims", "smoke"])
    assert all(f"{claim['id']:4}{claim['verdict'].upper()}" in shown.output for claim in found)
