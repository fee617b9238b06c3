"""Weights that are updated in the backward pass."""

import pytest

from lsnotebook.core.orders import LayerDrop, arbitrary
from lsnotebook.core.profiles import Machine
from lsnotebook.engine.launch import TrainingError

AT_ONCE = Machine(update_at_once=True)


@pytest.mark.parametrize("sampler", [arbitrary, LayerDrop(0.5)], ids=str)
def test_the_same_bits_are_learned(learned, fresh, far, sampler):
    """Also of layers that are left out, which have no gradient."""
    after = learned("after", sampler=sampler)
    assert far(learned("at once", AT_ONCE, sampler), after) == 0
    assert far(learned("recomputed", Machine(update_at_once=True, recompute=True), sampler), after) < 1e-4
    assert far(fresh().state_dict(), after) > 1e-3


def test_a_run_is_resumed_with_the_same_bits(splits, fresh, tmp_path, far):
    """Adam's moments are read before the hooks take over."""
    import dataclasses

    from lsnotebook.engine.training import train
    from lsnotebook.layershuffle.profiles import SMOKE

    twelve = dataclasses.replace(SMOKE.refine, steps=12, check_every=6)
    weights = []
    for stops in (False, True):
        network, folder = fresh(), tmp_path / str(stops)
        folder.mkdir()

        def stop(steps, stops=stops):
            if stops and steps:
                raise KeyboardInterrupt

        if stops:
            with pytest.raises(KeyboardInterrupt):
                train(fresh(), splits, twelve, arbitrary, 0, folder, stop, AT_ONCE)
        train(network, splits, twelve, arbitrary, 0, folder, machine=AT_ONCE)
        weights.append(network.state_dict())
    assert far(*weights) == 0


def test_a_gradient_that_is_not_whole_is_refused(learned, monkeypatch):
    with pytest.raises(TrainingError, match=r"With --accumulate a gradient is not whole .* leave out --update-at-once"):
        learned("parts", Machine(update_at_once=True, accumulate=2))
    monkeypatch.setattr("accelerate.Accelerator.num_processes", 2)
    with pytest.raises(TrainingError, match="With several processes a gradient is not whole"):
        learned("two", AT_ONCE)
