"""The training loop: what it learns, what it keeps, and when it stops."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from lsnotebook import data, training
from lsnotebook.model import ShuffleViT
from lsnotebook.profiles import APPROACHES, PROFILES
from lsnotebook.training import TrainingError

SMOKE = PROFILES["smoke"]
SMOKE = dataclasses.replace(SMOKE, backbone=dataclasses.replace(SMOKE.backbone, dropout=0.1))
SCHEDULE = dataclasses.replace(SMOKE.pretrain, steps=30, check_every=10)


@pytest.fixture(scope="module")
def splits():
    return data.load(SMOKE.data, SMOKE.backbone)


@pytest.fixture
def run(splits, tmp_path):
    """Trains a fresh model: `run(policy="arbitrary")` gives (model, history)."""

    def go(folder="run", policy="sequential", schedule=SCHEDULE, seed=0, approach="base"):
        (tmp_path / folder).mkdir(exist_ok=True)
        model = training.initial(SMOKE, APPROACHES[approach], seed)
        return model, training.train(model, splits, schedule, policy, seed, tmp_path / folder)

    return go


def same(model, other):
    return all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), other.state_dict().values(), strict=True))


@pytest.mark.parametrize("steps", [1, 10, 400])
def test_the_learning_rate_rises_to_its_peak_and_falls_to_almost_nothing(steps):
    schedule = dataclasses.replace(SCHEDULE, steps=steps)
    rates = pd.Series([training.learning_rate(schedule, step) for step in range(steps)])
    assert rates.gt(0).all() and rates.max() == pytest.approx(schedule.learning_rate)
    assert rates.iloc[: rates.idxmax() + 1].is_monotonic_increasing
    assert rates.iloc[rates.idxmax() :].is_monotonic_decreasing
    assert steps < 400 or rates.iloc[-1] < 0.01 * schedule.learning_rate


def test_it_learns_real_digits_and_keeps_the_best_checkpoint(run, splits):
    model, history = run(schedule=SMOKE.pretrain)
    assert history["selection_top1"].iloc[-1] > 0.5, "chance is 0.1"
    accelerator = training.accelerator_for(SCHEDULE, "sequential")
    looked = training.assess(model, splits.selection, [(0, 1, 2, 3)], SCHEDULE, accelerator)
    assert looked["selection_loss"] == pytest.approx(history["selection_loss"].min(), rel=1e-5)


def test_a_checkpoint_that_was_better_before_is_the_one_that_is_kept(run, monkeypatch):
    losses = iter([2.0, 1.0, 3.0])
    weights = []

    def assess(model, *_):
        weights.append({name: weight.clone() for name, weight in model.state_dict().items()})
        return {"selection_loss": next(losses), "selection_top1": 0.0}

    monkeypatch.setattr(training, "assess", assess)
    model, _ = run()
    assert all(torch.equal(weight, weights[1][name]) for name, weight in model.state_dict().items())
    again, history = run()  # goes on from the last state, where nothing is left to do
    assert same(again, model) and len(history) == len(weights) == 3


def test_every_batch_has_an_order_of_its_own_and_the_seed_decides_it(run, monkeypatch):
    seen, forward = [], ShuffleViT.forward

    def spy(model, pixel_values, order=None, labels=None, **options):
        if labels is not None:
            seen.append(order)
        return forward(model, pixel_values, order=order, labels=labels, **options)

    monkeypatch.setattr(ShuffleViT, "forward", spy)
    run("a", policy="arbitrary", approach="layershuffle")
    first, seen[:] = list(seen), []
    run("b", policy="arbitrary", approach="layershuffle")
    assert seen == first and len(first) == 30 and len(set(first)) > 10
    seen.clear()
    run("c", policy="sequential")
    assert set(seen) == {(0, 1, 2, 3)}


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_resumed_from_any_look_it_ends_in_the_same_weights(run, monkeypatch, stop):
    whole, history = run("whole", policy="arbitrary", approach="layershuffle")
    write, written = training.write_state, []

    def write_and_stop(*arguments):
        write(*arguments)
        written.append(True)
        if len(written) == stop:
            raise KeyboardInterrupt

    monkeypatch.setattr(training, "write_state", write_and_stop)
    with pytest.raises(KeyboardInterrupt):
        run("broken", policy="arbitrary", approach="layershuffle")
    torch.rand(3)  # the global generator is elsewhere now
    resumed, resumed_history = run("broken", policy="arbitrary", approach="layershuffle")
    assert len(written) == 3 and same(resumed, whole)
    pd.testing.assert_frame_equal(resumed_history.drop(columns="seconds"), history.drop(columns="seconds"))


@pytest.mark.parametrize("breaks", [13, 19], ids=["between two looks", "right before a look"])
def test_a_loss_that_is_no_number_stops_at_its_step_and_keeps_the_last_good_state(run, monkeypatch, tmp_path, breaks):
    rate = training.learning_rate
    with monkeypatch.context() as patch:
        patch.setattr(training, "learning_rate", lambda s, step: float("nan") if step == breaks else rate(s, step))
        with pytest.raises(TrainingError, match=f"The loss is nan at step {breaks + 1}; the state before .* in .*run"):
            run()
    model = training.initial(SMOKE, APPROACHES["base"], 0)
    history, best = training.read_state(tmp_path / "run", model, torch.optim.Adam(model.parameters()))
    assert [look["step"] for look in history] == [10]
    assert all(weight.isfinite().all() for weight in (*best.values(), *model.parameters()))
    mended, _ = run()
    assert same(mended, run("whole")[0])


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-100], lambda content: b"\xff" * len(content), lambda _: b""]
)
def test_a_damaged_state_is_told_and_left_alone(run, tmp_path, damage):
    run()
    path = tmp_path / "run" / training.STATE
    path.write_bytes(damage(path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(TrainingError, match=r"is damaged .* remove it to train this run anew"):
        run()
    assert path.read_bytes() == before


def test_training_leaves_the_global_generators_alone(run):
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    run()
    assert torch.equal(torch.get_rng_state(), before)
    assert (np.random.get_state()[1] == numpy_before).all()
