"""Means and intervals over networks and orders, against simulated studies and other people's formulas."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from synthetic import accuracies

from lsnotebook.core.statistics import (
    POINTS,
    contrast,
    crossed,
    differences,
    matched,
    matrix,
    over_networks,
    rank_correlation,
    ratio,
    standard_error,
)

SEED = 11


def study(rng, network, order, rest, networks=5, orders=20):
    """Values around zero, (networks, orders), of normal effects with these standard deviations."""
    return (
        rng.normal(0, network, (networks, 1)) + rng.normal(0, order, orders) + rng.normal(0, rest, (networks, orders))
    )


@pytest.mark.parametrize("orders", [20, 100])
@pytest.mark.parametrize(
    ("network", "order", "rest"),
    [(1, 0.2, 0.3), (0.2, 2, 0.3), (1, 1, 1), (0.5, 2, 1), (0.1, 1, 3)],
    ids=["networks differ", "orders differ", "all alike", "mixed", "mostly rest"],
)
def test_the_interval_covers_the_truth_of_a_simulated_study(network, order, rest, orders):
    rng = np.random.default_rng(SEED)
    found = [crossed(study(rng, network, order, rest, orders=orders)) for _ in range(500)]
    covered = np.mean([estimate.low < 0 < estimate.high for estimate in found])
    assert 0.93 <= covered <= 0.97


def test_an_interval_over_orders_alone_would_not_cover_it():
    """The case has teeth: what forgets the networks covers a network's effect hardly ever."""
    rng, covered = np.random.default_rng(SEED), []
    for _ in range(500):
        estimate = crossed(study(rng, 1, 0.2, 0.3).mean(0))
        covered.append(estimate.low < 0 < estimate.high)
    assert np.mean(covered) < 0.5


def test_the_standard_error_is_that_of_the_analysis_of_variance():
    table = accuracies(0.05, 0.07, 0.03)
    anova = anova_lm(ols("top1 ~ C(seed) + C(draw)", table).fit())
    squares, freedom = anova["sum_sq"] / anova["df"], anova["df"]
    variance = squares["C(seed)"] + squares["C(draw)"] - squares["Residual"]
    satterthwaite = variance**2 / (squares**2 / freedom).sum()
    values = matrix(table).to_numpy()
    assert values.shape == (6, 30)
    assert standard_error(values) == pytest.approx((np.sqrt(variance / 180), satterthwaite))
    mean, half = table["top1"].mean(), stats.t.ppf(0.975, satterthwaite) * np.sqrt(variance / 180)
    assert crossed(values) == pytest.approx((mean, mean - half, mean + half))
    assert crossed(values.T) == pytest.approx(crossed(values)), "rows and columns are alike"


@pytest.mark.parametrize("shape", [(7,), (7, 1), (1, 7)])
def test_one_column_has_students_interval(shape):
    sample = np.random.default_rng(SEED).normal(3, 2, 7)
    expected = stats.t.interval(0.95, 6, sample.mean(), stats.sem(sample))
    assert crossed(sample.reshape(shape)) == pytest.approx((sample.mean(), *expected))


def test_two_networks_count_one_degree_of_freedom():
    values = study(np.random.default_rng(SEED), 1, 1, 1, networks=2)
    error, freedom = standard_error(values)
    assert freedom == 1 and error > 0


def test_two_networks_are_too_few_for_an_interval_of_what_has_limits():
    """39.07 ± 0.02 would get 10.8 to 96.4."""
    values = 0.4 + study(np.random.default_rng(SEED), 0.001, 0.05, 0.01, networks=2)
    for limits in ((0.1, 1), POINTS):
        assert np.isnan(crossed(values, limits)[1:]).all() and np.isnan(crossed(values[:, 0], limits)[1:]).all()
        assert np.isfinite(crossed(np.vstack([values, values[:1] + 0.001]), limits)).all()
    assert np.isfinite(crossed(values)).all()


def test_the_interval_of_a_difference_is_cut_at_its_limits():
    assert (
        crossed(np.array([0.9, 0.2, 0.6]), POINTS).high == 1 and crossed(np.array([-0.9, -0.2, -0.6]), POINTS).low == -1
    )
    narrow = np.array([0.5, 0.51, 0.52])
    assert crossed(narrow, POINTS) == crossed(narrow), "else it is the symmetric one"


@pytest.mark.parametrize("values", [[0.7], [[0.7]], [0.3, 0.3], np.zeros(5), np.full((5, 20), 0.4), np.ones((2, 2))])
def test_single_and_equal_values_have_no_interval(values):
    estimate = crossed(np.array(values))
    assert estimate.mean == pytest.approx(np.mean(values)) and np.isnan(estimate[1:]).all()
    assert np.isnan(crossed(np.array(values), (-1, 2))[1:]).all()


def test_skewed_accuracies_bounded_by_chance_get_an_asymmetric_interval():
    """Orders that mostly leave chance, as the ViT's: chance + (1 - chance) Beta(0.35, 3), and a little of the rest."""
    rng, chance, shape = np.random.default_rng(SEED), 0.1, (5, 100)
    truth = chance + (1 - chance) * 0.35 / 3.35
    missed = {None: [0, 0], (chance, 1): [0, 0]}
    for _ in range(1000):
        effects = rng.beta(0.35, 3, shape[1]) * (1 + rng.normal(0, 0.05, (shape[0], 1)) + rng.normal(0, 0.05, shape))
        values = (chance + (1 - chance) * effects).clip(chance, 1)
        for limits, counts in missed.items():
            estimate = crossed(values, limits)
            counts[0] += truth < estimate.low
            counts[1] += truth > estimate.high
            assert limits is None or chance < estimate.low < estimate.mean < estimate.high < 1
            assert limits is None or estimate.high - estimate.mean > estimate.mean - estimate.low
    (below, above), (below_within, above_within) = missed.values()
    assert abs(above_within - below_within) < abs(above - below)
    assert 0.93 <= 1 - (below_within + above_within) / 1000 <= 0.97


def test_the_mean_itself_may_be_a_limit():
    assert crossed(np.array([0.0, 0, 0.1, -0.1]), (0, 1)).low < 0, "no logit there: the symmetric interval"


def test_a_ratio_is_that_of_the_means_and_its_interval_covers_it():
    rng = np.random.default_rng(SEED)
    values, reference = np.array([[0.3, 0.5], [0.4, 0.6]]), np.array([0.7, 0.9])
    assert ratio(values, reference, 0.1).mean() == pytest.approx((0.45 - 0.1) / (0.8 - 0.1))
    assert np.allclose(ratio(reference[:, None] * [0.4, 0.6], reference).mean(1), 0.5), "network by network"
    covered = 0
    for _ in range(500):
        network = rng.normal(0, 0.02, (5, 1))  # which moves both
        sequential = 0.8 + network[:, 0] + rng.normal(0, 0.01, 5)
        arbitrary = 0.45 + network + rng.normal(0, 0.05, 20) + rng.normal(0, 0.01, (5, 20))
        estimate = crossed(ratio(arbitrary, sequential, 0.1))
        covered += estimate.low < 0.5 < estimate.high
    assert 0.93 <= covered / 500 <= 0.97


def test_over_networks_takes_the_std_over_networks_and_the_interval_over_both():
    table = accuracies(0.03, 0.1, 0.02)
    wide = table.pivot(index="seed", columns="draw", values="top1").to_numpy()
    row = over_networks(table, chance=0.1).iloc[0]
    assert row["mean"] == pytest.approx(wide.mean())
    assert row["std"] == pytest.approx(wide.mean(1).std(ddof=1))
    assert (row["mean"], row["low"], row["high"]) == pytest.approx(crossed(wide, (0.1, 1)))
    assert (row["networks"], row["orders"]) == (6, 30)


def test_one_order_has_an_interval_over_networks_and_one_network_of_one_order_has_none():
    table = accuracies(0.1, orders=1)
    (row,) = over_networks(table).to_dict("records")
    assert (row["low"], row["high"]) == pytest.approx(crossed(table["top1"].to_numpy(), (0, 1))[1:])
    (row,) = over_networks(table.query("seed == 0")).to_dict("records")
    assert np.isnan([row["low"], row["high"], row["std"]]).all() and row["networks"] == 1


def test_a_measure_that_no_network_has_is_not_a_number():
    (row,) = over_networks(accuracies(0.1).assign(position=np.nan), "position").to_dict("records")
    assert np.isnan([row["mean"], row["low"], row["high"]]).all()


@pytest.fixture
def two_approaches():
    """Two approaches with the same networks and orders, two points apart, and little else between them."""
    shared, rng = accuracies(0.05, 0.1, 0.02), np.random.default_rng(SEED)
    other = shared.assign(approach="baseline", top1=shared["top1"] + 0.02 + rng.normal(0, 0.003, len(shared)))
    return pd.concat([shared, other.sample(frac=1, random_state=0)])


def test_a_paired_difference_leaves_out_what_networks_and_orders_share(two_approaches):
    (row,) = differences(two_approaches, "layershuffle").itertuples()
    values = {name: matrix(group).to_numpy() for name, group in two_approaches.groupby("approach")}
    expected = crossed(values["baseline"] - values["layershuffle"])
    assert (row.approach, row.policy) == ("baseline", "arbitrary")
    assert (row.mean, row.low, row.high) == pytest.approx(expected)
    assert row.mean == pytest.approx(0.02, abs=0.001)
    # Unpaired: the variances of both means add up.
    errors = [standard_error(those)[0] for those in values.values()]
    assert row.high - row.low < 0.1 * 2 * 1.96 * np.hypot(*errors)
    assert row.low > 0, "told apart, though both intervals overlap"
    low, high = crossed(values["baseline"]).low, crossed(values["layershuffle"]).high
    assert low < high


def test_the_difference_covers_the_truth_where_networks_and_orders_interact():
    rng, covered = np.random.default_rng(SEED), 0
    for _ in range(500):
        shared = study(rng, 1, 2, 0.3)
        first, second = shared + study(rng, 0.3, 0.3, 0.3), shared + study(rng, 0.3, 0.3, 0.3)
        rows = [
            pd.DataFrame({"approach": name, "policy": "arbitrary", "seed": s, "draw": d, "top1": values[s, d]})
            for name, values in (("one", first), ("other", second))
            for s, d in [np.divmod(np.arange(100), 20)]
        ]
        (row,) = differences(pd.concat(rows), "one").itertuples()
        covered += row.low < 0 < row.high
    assert 0.93 <= covered / 500 <= 0.97


def test_networks_that_agree_under_every_order_are_copies_and_orders_that_agree_are_none():
    effects = np.random.default_rng(SEED).normal(size=20)
    for networks in (2, 5):
        assert np.isnan(crossed(np.tile(effects, (networks, 1)))[1:]).all()
    alike = np.tile(effects[:5, None], (1, 20))  # no order matters: the networks are the sample
    assert crossed(alike) == pytest.approx(crossed(alike[:, 0]))


def test_with_a_value_missing_nothing_is_told():
    table = accuracies(0.03, 0.1, 0.02)
    broken = table.assign(top1=table["top1"].where(table.index != 7))
    for found in (broken, table.drop(index=7)):  # an accuracy that is not a number, and a design that is not balanced
        (row,) = over_networks(found).to_dict("records")
        assert np.isnan([row["low"], row["high"]]).all() and (row["networks"], row["orders"]) == (6, 30)
    with pytest.raises(ValueError, match="duplicate"):
        matrix(pd.concat([table, table]))


def test_only_networks_and_orders_that_both_have_are_compared():
    table = accuracies(0.05, 0.1, 0.02)
    other = table.assign(approach="baseline", top1=table["top1"] + 0.02 + 0.01 * (table["seed"] % 2))
    some = other.query("seed >= 2 and draw < 20")
    (row,) = differences(pd.concat([table, some]), "layershuffle").itertuples()
    expected = (matrix(some) - matrix(table.query("seed >= 2 and draw < 20"))).to_numpy()
    assert expected.shape == (4, 20), "seed by seed, not row by row"
    assert (row.mean, row.low, row.high) == pytest.approx(crossed(expected))


@pytest.mark.parametrize("above", [0.03, 0.0, -0.2])
def test_a_ratio_to_what_may_be_chance_has_no_interval(above):
    rng, wrong = np.random.default_rng(SEED), 0
    for _ in range(500):
        network = rng.normal(0, 0.05, (5, 1))
        reference = 0.1 + above + network[:, 0] + rng.normal(0, 0.08, 5)
        estimate = crossed(ratio(0.1 + above / 2 + network / 2 + rng.normal(0, 0.02, (5, 20)), reference, 0.1))
        told = not np.isnan(estimate.low)
        wrong += told and not estimate.low < 0.5 < estimate.high
        assert not told or crossed(reference).low > 0.1
    assert wrong <= 0.05 * 500
    assert np.isnan(ratio(np.full((2, 3), 0.3), np.full(2, 0.1), 0.1)).all(), "nothing by nothing"


def predictions(rng, networks=5, images=300, classes=12):
    """True classes, and predicted ones that differ more for some networks and images, and for high classes."""
    true = rng.integers(0, classes, images)
    spread = np.exp(rng.normal(0, 0.1, (networks, 1)) + rng.normal(0, 0.5, images)) * (1 + true / 2)
    return true, np.clip(np.round(true + rng.normal(0, spread)), 0, classes - 1)


def by_spearman(true, predicted):
    return np.array([stats.spearmanr(true, row).statistic for row in predicted])


def by_group(true, predicted):
    return np.array([(row == true)[true < 3].mean() - (row == true)[true >= 3].mean() for row in predicted])


@pytest.mark.parametrize(
    ("values", "rows"),
    [
        (lambda true, predicted: rank_correlation(np.tile(true, (len(predicted), 1)), predicted), by_spearman),
        (lambda true, predicted: contrast(1.0 * (predicted == true), np.tile(true < 3, (len(predicted), 1))), by_group),
    ],
    ids=["rank correlation", "contrast"],
)
def test_the_interval_of_a_statistic_of_the_images_covers_its_truth(values, rows):
    rng = np.random.default_rng(SEED)
    truth = np.mean([rows(*predictions(rng, 50, 5000)).mean() for _ in range(5)])
    drawn = [predictions(rng) for _ in range(500)]
    for true, predicted in drawn[:3]:
        assert values(true, predicted).mean(1) == pytest.approx(rows(true, predicted))
    found = [crossed(values(*one)) for one in drawn]
    assert 0.93 <= np.mean([estimate.low < truth < estimate.high for estimate in found]) <= 0.97


def test_one_constant_prediction_has_no_rank_correlation():
    assert (rank_correlation(np.arange(12)[None], np.full((1, 12), 3)) == 0).all()


def test_samples_of_different_size_are_matched_group_by_group():
    many, few, one = np.arange(12.0).reshape(2, 6), np.array([1.0, 2, 4]), np.array([5.0])
    grouped, kept, repeated = matched(many, few, one)
    assert grouped.tolist() == [[1.5, 2.5, 3.5], [7.5, 8.5, 9.5]] and kept.tolist() == few.tolist()
    assert repeated.tolist() == [5, 5, 5] and matched(one)[0].tolist() == [5]
    rng, covered = np.random.default_rng(SEED), 0
    for _ in range(500):  # networks under orders, and an ensemble under fewer draws of its own
        alone, together = matched(study(rng, 0.3, 2, 0.3, networks=12, orders=100), 1 + rng.normal(0, 0.5, 20))
        estimate = crossed(together - alone)
        covered += estimate.low < 1 < estimate.high
    assert 0.93 <= covered / 500 <= 0.97
