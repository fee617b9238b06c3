"""What is planned against what happens."""

import pytest
import torch

from lsnotebook.core.profiles import Backbone
from lsnotebook.layershuffle.approaches import BASE
from lsnotebook.layershuffle.networks import initial
from lsnotebook.layershuffle.profiles import SMOKE
from lsnotebook.roam import loop
from lsnotebook.roam.capture import ADAM, captured
from lsnotebook.roam.execute import arguments, outcome, run
from lsnotebook.roam.layout import best, blocks, extent
from lsnotebook.roam.networks import batch_of, build, of_backbone
from lsnotebook.roam.plans import LEAST, MIB, planned
from lsnotebook.roam.tables import arena_told, measured, measured_told

pytestmark = pytest.mark.filterwarnings("ignore:.*Memory block of unknown size.*")


def test_every_order_gives_the_same_bits_and_takes_the_predicted_memory(step):
    plan = planned(step, limit=100)
    ran = {name: outcome(step, order) for name, order in plan.orders.items()}
    assert ran["program"].loss.isfinite() and any(value.abs().max() > 0 for value in ran["program"].state)
    for name, one in ran.items():
        assert one.same(ran["program"]), name
        assert one.peak / MIB == pytest.approx(plan.mib(name), rel=0.01, abs=0.002), name  # operators' own memory
    table = measured(plan, ran)
    assert set(table["loss and weights"]) == {"the same bits"} and (table["difference, %"].abs() < 3).all()
    far = [name for name in ran if abs(table.loc[name, "difference, %"]) > 1]
    assert all(f"{name} (" in measured_told(plan, ran) for name in far)


def test_one_arena_is_enough(step):
    plan = planned(step, limit=100)
    them = blocks(step.graph, plan.orders[LEAST])
    program, layout = outcome(step, plan.orders["program"]), best(them)
    in_arena = outcome(step, plan.orders[LEAST], layout)
    assert in_arena.same(program) and in_arena.peak >= extent(them, layout)
    assert "the same bits as" in arena_told(in_arena, program, extent(them, layout))


def test_blocks_that_overlap_change_the_bits(steps):
    """The check from the arena can fail."""
    step = steps["sdpa"]
    order = planned(step, limit=1).orders["program"]
    program = outcome(step, order)
    spoilt = outcome(step, order, [0] * len(step.graph.sizes))
    assert not spoilt.same(program) and "**other bits**" in arena_told(spoilt, program, 0)


def test_the_step_is_that_of_autograd_and_adam():
    """Against the same network trained by torch's own optimizer."""
    config = of_backbone(Backbone(layers=1, hidden_size=16, heads=2, mlp_size=24, image_size=8, patch_size=4), 3)
    model = build(config)
    step = captured(model, batch_of(model, 2))
    given = arguments(step)
    real = model.to_empty(device="cpu")
    for weight, value in zip(real.parameters(), given, strict=False):
        weight.data = value.clone()
    *_, pixel_values, labels = given
    optimizer = torch.optim.Adam(real.parameters(), lr=ADAM["lr"], eps=ADAM["eps"], fused=True)
    loss = real(pixel_values=pixel_values, labels=labels).loss
    loss.backward()
    optimizer.step()

    found = run(step, range(len(step.graph)), given)
    assert torch.equal(found, loss.detach())
    for weight, value in zip(real.parameters(), given, strict=False):
        torch.testing.assert_close(value, weight.detach(), rtol=1e-6, atol=1e-9)


def test_the_books_own_loop_gives_the_same_bits_with_less_memory():
    found = loop.compared(lambda: initial(SMOKE, BASE), SMOKE.refine, 2)
    assert (found["weights"] == "the same bits").all()
    assert found.loc["update at once", "peak of a step, MiB"] < found.loc["update after", "peak of a step, MiB"]
