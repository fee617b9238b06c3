"""The training loop: its learning rate, its orders, and batches in parts."""

import dataclasses
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from torch.utils.data import Subset

from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.core.profiles import Machine
from lsnotebook.engine.launch import TrainingError, accelerator_for
from lsnotebook.engine.loop import learning_rate, selection_score
from lsnotebook.layershuffle.approaches import BASELINE, LAYERSHUFFLE, POSITION, PREDICT, PREDICT_SUM
from lsnotebook.layershuffle.evaluation import evaluate
from lsnotebook.layershuffle.model import ShuffleViT
from lsnotebook.layershuffle.profiles import SMOKE


@pytest.mark.parametrize("steps", [1, 10, 400])
def test_the_learning_rate_rises_to_its_peak_and_falls_to_almost_nothing(steps):
    schedule = dataclasses.replace(SMOKE.pretrain, steps=steps)
    rates = pd.Series([learning_rate(schedule, step) for step in range(steps)])
    assert rates.gt(0).all() and rates.max() == pytest.approx(schedule.learning_rate)
    assert rates.iloc[: rates.idxmax() + 1].is_monotonic_increasing
    assert rates.iloc[rates.idxmax() :].is_monotonic_decreasing
    assert steps < 400 or rates.iloc[-1] < 0.01 * schedule.learning_rate


def test_every_batch_has_an_order_of_its_own_and_the_seed_decides_it(run, monkeypatch):
    seen, forward = [], ShuffleViT.forward

    def spy(model, pixel_values, order=None, labels=None, **options):
        if labels is not None and model.training:
            seen.append(order)
        return forward(model, pixel_values, order=order, labels=labels, **options)

    monkeypatch.setattr(ShuffleViT, "forward", spy)
    run("a", arbitrary, approach=LAYERSHUFFLE)
    first, seen[:] = list(seen), []
    run("b", arbitrary, approach=LAYERSHUFFLE)
    assert seen == first and len(first) == 30 and len(set(first)) > 10
    seen.clear()
    run("c", sequential)
    assert set(seen) == {(0, 1, 2, 3)}


@pytest.mark.parametrize("approach", [BASELINE, LAYERSHUFFLE, POSITION, PREDICT, PREDICT_SUM], ids=lambda one: one.name)
def test_checkpoints_are_chosen_by_the_whole_loss_with_that_of_the_positions(fresh, splits, approach):
    network, orders = fresh(SMOKE, approach).eval(), [(2, 0, 3, 1), (0, 1, 2, 3)]
    found = selection_score(network, splits.selection, orders, 25, accelerator_for(SMOKE.refine, approach.order))
    classes = evaluate(network, splits.selection, orders)
    images = torch.stack([image for image, _ in splits.selection])
    expected = classes["loss"].mean()
    for order in orders if approach in (PREDICT, PREDICT_SUM) else ():
        with torch.no_grad():
            logits = network(images, order=order).position_logits  # (B, P, L)
        each = -logits.log_softmax(-1).diagonal(dim1=1, dim2=2).mean(0)  # (P,): the loss of each position
        expected += (each.sum() if approach is PREDICT_SUM else each.mean()).item() / len(orders)
    assert found["selection_loss"] == pytest.approx(expected, rel=1e-5)
    assert found["selection_top1"] == pytest.approx(classes["top1"].mean())
    assert (found["selection_loss"] > classes["loss"].mean() + 0.5) == (approach in (PREDICT, PREDICT_SUM))


@pytest.mark.parametrize(("ranks", "count"), [(2, 60), (7, 60), (7, 5)])
def test_several_ranks_weigh_each_selection_image_once(fresh, splits, ranks, count):
    """Also where they cannot share the images evenly, or are more than these."""
    network, orders, batches = fresh(SMOKE, PREDICT_SUM).eval(), [(2, 0, 3, 1), (0, 1, 2, 3)], []
    images = Subset(splits.selection, range(count))
    alone = selection_score(network, images, orders, 25, accelerator_for(SMOKE.refine, arbitrary))
    network.register_forward_pre_hook(lambda _, given: batches.append(len(given[0])))
    parts = []  # what each rank contributes

    def score(rank, reduce):
        batches.clear()
        accelerator = SimpleNamespace(
            process_index=rank, num_processes=ranks, device=torch.device("cpu"), reduce=reduce
        )
        return selection_score(network, images, orders, 25, accelerator), list(batches)

    passes = [score(rank, lambda sums, _: parts.append(sums) or sums)[1] for rank in range(ranks)]
    assert all(those == passes[0] for those in passes), "sharded weights are gathered by all ranks alike"
    for rank in (0, ranks - 1):
        assert score(rank, lambda *_: sum(parts))[0] == pytest.approx(alone, rel=1e-5)


@pytest.mark.parametrize("machine", [Machine(accumulate=3), Machine(accumulate=32), Machine(recompute=True)], ids=str)
def test_short_of_memory_the_same_is_learned(learned, fresh, far, machine):
    """By gradient accumulation and by gradient checkpointing."""
    whole = learned("whole")
    assert far(learned("parts", machine), whole) < 1e-4
    assert far(fresh().state_dict(), whole) > 1e-3


def test_a_batch_that_cannot_be_split_evenly_is_refused(learned, monkeypatch):
    monkeypatch.setattr("accelerate.Accelerator.num_processes", 3)
    with pytest.raises(TrainingError, match="A batch of 32 images cannot be split evenly over 3 processes"):
        learned("three")
