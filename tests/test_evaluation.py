"""Accuracies over many orders, and what is made of them."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from torch.utils.data import TensorDataset

from lsnotebook import evaluation, runs
from lsnotebook.evaluation import accuracies, evaluate, extremes, over_seeds, variance_split
from lsnotebook.orders import inversions
from lsnotebook.profiles import PROFILES
from lsnotebook.store import remembered


@pytest.mark.parametrize("batch_size", [1, 4, 500])
def test_evaluate_equals_one_image_at_a_time(toy, images, batch_size):
    model, labels, orders = toy(predict_position=True), torch.tensor([0, 3, 3, 9, 1, 2]), [(0, 1, 2, 3), (3, 1), (2, 2)]
    table = evaluate(model, TensorDataset(images, labels), orders, batch_size)
    for row, order in zip(table.itertuples(), orders, strict=True):
        outputs = [model(image[None], order=order) for image in images]
        ranks = [(o.logits[0] > o.logits[0, label]).sum().item() for o, label in zip(outputs, labels, strict=True)]
        losses = [-o.logits[0].log_softmax(-1)[label].item() for o, label in zip(outputs, labels, strict=True)]
        named = [(o.position_logits[0].argmax(-1) == torch.arange(len(order))).float().mean().item() for o in outputs]
        assert row.order == " ".join(map(str, order))
        assert row.top1 == pytest.approx(np.mean(np.array(ranks) == 0))
        assert row.top5 == pytest.approx(np.mean(np.array(ranks) < 5))
        assert row.loss == pytest.approx(np.mean(losses), rel=1e-4)
        assert row.position == pytest.approx(np.mean(named))


def test_where_no_position_is_predicted_none_is_reported(toy, images):
    table = evaluate(toy(), TensorDataset(images, torch.zeros(6, dtype=torch.long)), [(0,)])
    assert table["position"].isna().all()


def synthetic(by_seed=0.0, by_order=0.0, rest=0.0, seeds=6, orders=30):
    rng = np.random.default_rng(0)
    seed_effect, order_effect = rng.normal(0, by_seed, seeds), rng.normal(0, by_order, orders)
    rows = [
        {"approach": "layershuffle", "policy": "arbitrary", "seed": s, "draw": d, "order": f"{d}",
         "top1": 0.5 + seed_effect[s] + order_effect[d] + rng.normal(0, rest)}
        for s in range(seeds) for d in range(orders)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_over_seeds_takes_the_std_over_networks_and_the_interval_over_orders():
    table = synthetic(0.03, 0.1, 0.02)
    wide = table.pivot(index="draw", columns="seed", values="top1").to_numpy()
    row = over_seeds(table).iloc[0]
    assert row["mean"] == pytest.approx(wide.mean())
    assert row["std"] == pytest.approx(wide.mean(0).std(ddof=1))
    half = stats.t.ppf(0.975, 29) * wide.mean(1).std(ddof=1) / np.sqrt(30)
    assert (row["low"], row["high"]) == pytest.approx((wide.mean() - half, wide.mean() + half))
    assert (row["seeds"], row["orders"]) == (6, 30)


def test_one_order_has_no_interval():
    assert over_seeds(synthetic(0.1, orders=1))[["low", "high"]].isna().all(axis=None)


@pytest.mark.parametrize("source", ["seed", "order", "seed and order together"])
def test_the_variance_is_traced_to_where_it_comes_from(source):
    effects = dict(zip(("seed", "order", "seed and order together"), ("by_seed", "by_order", "rest"), strict=True))
    shares = variance_split(synthetic(**{**dict.fromkeys(effects.values(), 0.001), effects[source]: 0.1}))
    assert shares[source] > 0.95
    assert shares.sum() == pytest.approx(1)


def test_the_shares_are_those_of_the_mean_squares():
    table = synthetic(0.05, 0.07, 0.03)
    wide = table.pivot(index="draw", columns="seed", values="top1").to_numpy()  # (30, 6)
    by_order, by_seed = wide.mean(1, keepdims=True), wide.mean(0, keepdims=True)
    rest = ((wide - by_order - by_seed + wide.mean()) ** 2).sum() / (29 * 5)
    parts = np.array([by_seed.var(ddof=1) - rest / 30, by_order.var(ddof=1) - rest / 6, rest])
    assert variance_split(table).tolist() == pytest.approx((parts / parts.sum()).tolist())


def test_extremes_are_the_best_and_worst_means_over_the_seeds():
    table = synthetic(0.03, 0.1, 0.02)
    means = 100 * table.groupby("order")["top1"].mean()
    found = extremes(table)
    assert found["top-1 %"].tolist() == pytest.approx([means.max(), means.min()])
    assert found["order"].tolist() == [means.idxmax(), means.idxmin()]


def test_of_several_that_ask_at_once_one_computes():
    computed = []

    def slow():
        computed.append(0)
        time.sleep(0.2)
        return pd.DataFrame({"top1": [0.5]})

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: remembered({"a": 1}, "table", slow), range(4)))
    assert len(computed) == 1 and all(table["top1"].item() == 0.5 for table in found)


def test_an_evaluation_is_remembered_until_its_code_changes(monkeypatch):
    models = [runs.Run(PROFILES["smoke"], "base", 0)]
    first, loaded = accuracies(models, "arbitrary", 3), []
    monkeypatch.setattr(runs, "load", lambda run: loaded.append(run) or pytest.fail("evaluated again"))
    pd.testing.assert_frame_equal(accuracies(models, "arbitrary", 3), first)
    assert first["order"].nunique() == 3 and not loaded
    assert first["inversions"].tolist() == [inversions([int(i) for i in order.split()]) for order in first["order"]]
    for other in ({"orders": 4}, {"part": "selection"}):
        with pytest.raises(pytest.fail.Exception, match="evaluated again"):
            accuracies(models, "arbitrary", **{"orders": 3, **other})
    assert first["top1"].between(0, 1).all()
    monkeypatch.setattr(evaluation, "code_version", lambda *modules: "another")
    with pytest.raises(pytest.fail.Exception, match="evaluated again"):
        accuracies(models, "arbitrary", 3)
