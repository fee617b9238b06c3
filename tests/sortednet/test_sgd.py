"""Algorithm 1 with accumulated gradients, against a computation by hand."""

from dataclasses import replace

import pytest
import torch
from transformers import MobileNetV2Config, MobileNetV2ForImageClassification

from lsnotebook.core.seeding import seeded
from lsnotebook.data.batches import Batches
from lsnotebook.sortednet.convolution_profiles import SMOKE, Setting
from lsnotebook.sortednet.convolutions import Part, extract
from lsnotebook.sortednet.resnet import PreResNet, PreResNetConfig
from lsnotebook.sortednet.sgd import DivergedError, cosine, drawn, fit, optimizer_of

STUDY, SETTING = replace(SMOKE, batch_size=4), Setting(accumulation=3, updates=2)


@pytest.fixture
def network():
    with seeded(0, "toy"):
        return PreResNet(PreResNetConfig(stem=4, planes=[4, 4, 8], norm="batch", num_channels=1, num_labels=10))


@pytest.fixture(scope="module")
def images():
    with seeded(1, "toy"):
        return torch.randn(24, 1, 8, 8), torch.arange(24) % 10


def blocks(whole, part):
    """Each tensor of the network, and that of a sub-model of its own."""
    small = extract(whole, part)
    return {name: tuple(map(slice, one.shape)) for name, one in small.state_dict().items()}


def test_an_update_is_that_of_the_mean_gradient_of_sub_models_taken_out(network, images):
    pixels, labels = images
    parts = [drawn(network, 4, 7, k) for k in range(3)]
    assert len(set(parts)) > 1
    before = {name: one.clone() for name, one in network.named_parameters()}
    gradient = {name: torch.zeros_like(one) for name, one in before.items()}
    used = {name: torch.zeros_like(one, dtype=torch.bool) for name, one in before.items()}
    for part, chosen in zip(parts, Batches(24, 4, 7, 0, 3), strict=True):
        small = extract(network, part).train()
        small(pixels[chosen], labels=labels[chosen]).loss.backward()
        for name, one in small.named_parameters():
            where = tuple(map(slice, one.shape))
            gradient[name][where] += one.grad / 3
            used[name][where] = True
    optimizer = optimizer_of(network)
    next(fit(network, optimizer, images, STUDY, SETTING, 7))
    for name, one in network.named_parameters():
        step = (gradient[name] + 5e-4 * before[name]) * used[name]
        torch.testing.assert_close(one.detach(), before[name] - 0.1 * step, msg=name)
        torch.testing.assert_close(optimizer.state[one]["momentum_buffer"], step, msg=name)


def test_nothing_outside_of_the_drawn_sub_model_moves(network, images):
    widths = [drawn(network, 4, 3, k).width for k in range(6)]
    at = next(k for k in range(1, 6) if widths[k] < max(widths[:k]))  # there is momentum to move by
    optimizer = optimizer_of(network)
    steps = fit(network, optimizer, images, STUDY, Setting(accumulation=1, updates=6), 3)
    for _ in range(at):
        next(steps)
    names = {name: one for name, one in network.named_parameters()}

    def all_of():
        moments = {f"momentum {name}": optimizer.state[one]["momentum_buffer"].clone() for name, one in names.items()}
        return {**{name: one.clone() for name, one in network.state_dict().items()}, **moments}

    before = all_of()
    next(steps)
    inside = blocks(network, Part(widths[at], 4))
    for name, now in all_of().items():
        old, where = before[name], inside[name.removeprefix("momentum ")]
        assert not torch.equal(now[where], old[where]), name
        now[where] = old[where]
        assert torch.equal(now, old), name
    assert any(before[f"momentum {name}"][-1].abs().max() > 0 for name in names)


def test_a_mobilenet_is_sorted_in_both_by_the_same_loop(images):
    with seeded(0, "toy"):
        config = MobileNetV2Config(depth_multiplier=0.2, num_channels=1, num_labels=10, classifier_dropout_prob=0.0)
        network = MobileNetV2ForImageClassification(config)
    study = replace(STUDY, widths=10)
    parts = [drawn(network, 10, 0, k) for k in range(2)]
    last = max(part.blocks for part in parts)
    assert 1 < last < 16 and len(set(parts)) == 2
    before = {name: one.clone() for name, one in network.named_parameters()}
    next(fit(network, optimizer_of(network), images, study, Setting(accumulation=2, updates=1), 0))
    inside = [blocks(network, part) for part in parts]
    for name, one in network.named_parameters():
        allowed = torch.zeros_like(one, dtype=torch.bool)
        for where in inside:
            if name in where:
                allowed[where[name]] = True
        assert torch.equal(one[~allowed], before[name][~allowed]), name
        assert torch.equal(one, before[name]) == (not allowed.any()), name


def test_the_rate_falls_along_a_cosine():
    assert [round(cosine(update, 100), 3) for update in (0, 50, 99)] == [1, 0.5, 0.0]


def test_a_loss_that_is_not_finite_ends_the_training(network, images):
    pixels, labels = images
    with pytest.raises(DivergedError, match="nan at update 0"):
        next(fit(network, optimizer_of(network), (pixels * float("nan"), labels), STUDY, SETTING, 0))
