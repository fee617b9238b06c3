"""Training: what it learns, what it keeps, and how it goes on after an interruption."""

import weakref

import numpy as np
import pandas as pd
import pytest
import torch

from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.engine import loop, training
from lsnotebook.engine.launch import TrainingError, accelerator_for
from lsnotebook.engine.loop import selection_score
from lsnotebook.engine.state import STATE, read_state
from lsnotebook.layershuffle.approaches import BASE, LAYERSHUFFLE
from lsnotebook.layershuffle.model import ShuffleViT
from lsnotebook.layershuffle.profiles import SMOKE


def same(model, other):
    return all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), other.state_dict().values(), strict=True))


def test_it_learns_real_digits_and_keeps_the_best_checkpoint(run, splits):
    model, history = run(schedule=SMOKE.pretrain)
    assert history["selection_top1"].iloc[-1] > 0.5, "chance is 0.1"
    accelerator = accelerator_for(SMOKE.pretrain, sequential)
    score = selection_score(model, splits.selection, [(0, 1, 2, 3)], SMOKE.pretrain.batch_size, accelerator)
    assert score["selection_loss"] == pytest.approx(history["selection_loss"].min(), rel=1e-5)


def test_a_checkpoint_that_was_better_before_is_the_one_that_is_kept(run, monkeypatch):
    losses = iter([2.0, 1.0, 3.0])
    weights = []

    def score(model, *_):
        weights.append({name: weight.clone() for name, weight in model.state_dict().items()})
        return {"selection_loss": next(losses), "selection_top1": 0.0}

    monkeypatch.setattr(loop, "selection_score", score)
    model, _ = run()
    assert all(torch.equal(weight, weights[1][name]) for name, weight in model.state_dict().items())
    again, history = run()  # goes on from the last state, where nothing is left to do
    assert same(again, model) and len(history) == len(weights) == 3


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_resumed_from_any_evaluation_it_ends_in_the_same_weights(run, monkeypatch, stop):
    whole, history = run("whole", arbitrary, approach=LAYERSHUFFLE)
    write, written = training.write_state, []

    def write_and_stop(*arguments):
        write(*arguments)
        written.append(True)
        if len(written) == stop:
            raise KeyboardInterrupt

    monkeypatch.setattr(training, "write_state", write_and_stop)
    with pytest.raises(KeyboardInterrupt):
        run("broken", arbitrary, approach=LAYERSHUFFLE)
    torch.rand(3)  # the global generator is elsewhere now
    resumed, resumed_history = run("broken", arbitrary, approach=LAYERSHUFFLE)
    assert len(written) == 3 and same(resumed, whole)
    pd.testing.assert_frame_equal(resumed_history.drop(columns="seconds"), history.drop(columns="seconds"))


@pytest.mark.parametrize("breaks", [13, 19], ids=["between two evaluations", "right before an evaluation"])
def test_a_loss_that_is_no_number_stops_at_its_step_and_keeps_the_last_good_state(
    run, fresh, monkeypatch, tmp_path, breaks
):
    rate = loop.learning_rate
    with monkeypatch.context() as patch:
        patch.setattr(loop, "learning_rate", lambda s, step: float("nan") if step == breaks else rate(s, step))
        with pytest.raises(TrainingError, match=f"The loss is nan at step {breaks + 1}; the last good state is kept"):
            run()
    model = fresh(SMOKE, BASE)
    history, best = read_state(tmp_path / "run", model, torch.optim.Adam(model.parameters()))
    assert [row["step"] for row in history] == [10]
    assert all(weight.isfinite().all() for weight in (*best.values(), *model.parameters()))
    mended, _ = run()
    assert same(mended, run("whole")[0])


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-100], lambda content: b"\xff" * len(content), lambda _: b""]
)
def test_a_damaged_state_is_named_and_left_alone(run, tmp_path, damage):
    run()
    path = tmp_path / "run" / STATE
    path.write_bytes(damage(path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(TrainingError, match=r"is damaged.* Remove it to train this run anew") as caught:
        run()
    assert path.read_bytes() == before and str(path) in str(caught.value)


def test_training_leaves_the_global_generators_alone(run):
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    run()
    assert torch.equal(torch.get_rng_state(), before)
    assert (np.random.get_state()[1] == numpy_before).all()


def test_out_of_memory_names_the_batch_that_would_fit(learned, monkeypatch):
    forward = ShuffleViT.forward

    failed = []

    def small(model, pixel_values, **options):
        if len(pixel_values) <= 8:
            assert all(kept() is None for kept in failed), "what a pass kept is let go of before the next is tried"
        else:
            activations = torch.zeros(3)
            failed.append(weakref.ref(activations))
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return forward(model, pixel_values, **options)

    monkeypatch.setattr(ShuffleViT, "forward", small)
    with pytest.raises(TrainingError, match=r"32 images at a time do not fit .* but 8 do: train with --accumulate 4"):
        learned("large")
    monkeypatch.setattr(ShuffleViT, "forward", lambda *_, **__: small(None, range(9)))
    with pytest.raises(TrainingError, match="Not even one image fits"):
        learned("none")
