"""A batch in parts, each with its own sub-model, has the gradients that accumulation would have."""

import torch
import torch.nn.functional as F

from lsnotebook.core.randomness import stream
from lsnotebook.core.seeding import seeded
from lsnotebook.sortednet import accumulation, networks
from lsnotebook.sortednet.approaches import ACCUMULATED, BOTH
from lsnotebook.sortednet.profiles import SMOKE
from lsnotebook.sortednet.samplers import Prefix, Several

SIZES = ((1, 4), (4, 2))


def network(module=accumulation, approach=ACCUMULATED[2]):
    with seeded(0, "toy"):
        return module.initial(SMOKE, approach)


def test_its_gradients_are_the_mean_of_those_of_its_batches(images):
    labels = torch.arange(len(images))
    model, plain = network(), network(networks, BOTH)
    output = model(images, order=(1, 4, 4, 2), labels=labels)
    output.loss.backward()
    losses = []
    for size, those, targets in zip(SIZES, images.split(3), labels.split(3), strict=True):
        found = plain(those, order=size, labels=targets)
        losses.append(found.loss)
        (found.loss / 2).backward()  # the second backward adds to the gradients of the first
    assert torch.isclose(output.loss, sum(losses) / 2)
    gradients = dict(plain.named_parameters())
    for name, one in model.named_parameters():
        assert torch.allclose(one.grad, gradients[name].grad, atol=1e-6), name
    assert torch.isclose(F.cross_entropy(output.logits, labels), output.loss)


def test_a_step_moves_what_lies_in_one_of_the_drawn_sub_models(images):
    model, labels = network().train(), torch.arange(len(images))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    moved = {}
    for order in ((4, 4, 4, 4), (1, 3, 2, 2)):  # the first fills the momentum everywhere
        before = [layer.mlp.fc1.weight.detach().clone() for layer in model.vit.layers]
        model(images, order=order, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        moved = [layer.mlp.fc1.weight != old for layer, old in zip(model.vit.layers, before, strict=True)]
    first, second, third, fourth = (mask.float() for mask in moved)  # (64, 32) each, for four heads
    assert first[:48, :24].mean() > 0.9 and first[48:].sum() == first[:, 24:].sum() == 0
    assert second[:32, :16].mean() > 0.9 and second[32:].sum() == second[:, 16:].sum() == 0
    assert third.sum() == fourth.sum() == 0


def test_fewer_images_than_sizes_and_no_labels_are_taken(images):
    model = network().eval()
    one = model(images[:1], order=(1, 4, 3, 2))
    assert one.loss is None and torch.equal(one.logits, network(networks, BOTH).eval()(images[:1], order=(1, 4)).logits)
    assert torch.equal(model(images).logits, model(images, order=(4, 4)).logits)


def test_several_sizes_are_drawn_one_by_one():
    drawn = [Several(Prefix(2), 3)(3, stream(0, "order", k)) for k in range(60)]
    assert {len(order) for order in drawn} == {6}
    sizes = {order[at : at + 2] for order in drawn for at in (0, 2, 4)}
    assert sizes == {(layers, heads) for layers in (1, 2, 3) for heads in (1, 2)}
    assert len({order[:2] == order[2:4] for order in drawn}) == 2
