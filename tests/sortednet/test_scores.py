"""Accuracy of every size, and with any layers, is that of the network that runs them."""

import pytest
import torch
from torch.utils.data import TensorDataset

from lsnotebook.core.draws import Pruned, draw
from lsnotebook.core.seeding import seeded
from lsnotebook.data.splits import Splits
from lsnotebook.sortednet import scores
from lsnotebook.sortednet.approaches import INNER
from lsnotebook.sortednet.networks import initial
from lsnotebook.sortednet.profiles import SMOKE


@pytest.fixture(scope="module")
def splits():
    with seeded(1, "toy"):
        parts = [TensorDataset(torch.randn(30, 1, 8, 8), torch.arange(30) % 10) for _ in range(2)]
    return Splits(parts[0], *parts)


def test_every_size_is_scored_on_the_part_that_is_asked_for(splits):
    with seeded(0, "toy"):
        network = initial(SMOKE, INNER).eval()
    for part in ("selection", "validation"):
        table = scores.sizes([network], splits, part).set_index(["layers", "heads"])["top1"]
        assert len(table) == 16
        images, labels = getattr(splits, part).tensors
        for size in ((1, 4), (2, 1), (3, 3)):
            assert table[size] == pytest.approx(
                (network(images, order=size).logits.argmax(-1) == labels).float().mean()
            )


def test_layers_are_kept_as_they_were_drawn(vit, splits):
    table = scores.kept([vit], splits, [2, 3], 4)
    assert table.groupby(["kind", "layers"]).size().to_dict() == {
        ("first", 2): 1, ("first", 3): 1, ("random", 2): 4, ("random", 3): 1, ("shuffled", 2): 4, ("shuffled", 3): 4
    }  # fmt: skip
    images, labels = splits.validation.tensors
    with torch.no_grad():
        (whole,) = scores.under(vit, [(0, 1, 2)], images)
        assert torch.allclose(whole.logits, vit(images).logits, atol=1e-6)
        orders = draw(Pruned(2, "random", shuffled=True), 3, 4)
        expected = [
            (out.logits.argmax(-1) == labels).float().mean().item() for out in scores.under(vit, orders, images)
        ]
    assert table.query("kind == 'shuffled' and layers == 2")["top1"].tolist() == pytest.approx(expected)
