"""A sub-model of a convolutional network is the stock network of its size, with the first channels of everything."""

import pytest
import torch
import torch.nn.functional as F
from transformers import MobileNetV2Config, MobileNetV2ForImageClassification

from lsnotebook.core.seeding import seeded
from lsnotebook.sortednet.convolutions import Part, extract, recounted, skeleton
from lsnotebook.sortednet.resnet import PreResNet, PreResNetConfig
from lsnotebook.sortednet.submodels import SizeError, run


def used(network, images):
    """With weights and running statistics that differ from channel to channel."""
    with torch.no_grad():
        for one in network.parameters():
            one.add_(torch.randn_like(one) / 4)
        network.train()(images)
    return network.eval()


@pytest.fixture(scope="module")
def images():
    with seeded(1, "toy"):
        return torch.randn(6, 3, 16, 16)


@pytest.fixture(scope="module", params=["instance", "batch"])
def resnet(request, images):
    with seeded(0, "toy"):
        return used(PreResNet(PreResNetConfig(stem=4, planes=[4, 4, 8], norm=request.param, num_labels=10)), images)


@pytest.fixture(scope="module")
def mobilenet(images):
    with seeded(0, "toy"):
        return used(MobileNetV2ForImageClassification(MobileNetV2Config(depth_multiplier=0.7, num_labels=10)), images)


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_a_narrow_resnet_is_the_stock_network_to_the_last_bit(resnet, images, training, tmp_path):
    resnet = extract(resnet, Part(4, 4)).train(training)  # training counts into the running statistics
    for width in (1, 2, 3, 4):
        taken_out = extract(resnet, Part(width, 4))
        assert type(taken_out) is PreResNet and taken_out.config.planes == [width, width, 2 * width]
        expected = taken_out(images).logits
        assert torch.equal(run(skeleton(resnet, Part(width, 4)), images).logits, expected)
        if training:  # the running statistics too, and of no other channel
            for name, one in taken_out.named_buffers():
                assert torch.equal(resnet.get_buffer(name)[tuple(map(slice, one.shape))], one), name
    assert torch.equal(extract(resnet.eval(), Part(4, 4))(images).logits, resnet(images).logits)


def test_a_resnet_that_is_taken_out_is_read_again(resnet, images, tmp_path):
    small = extract(resnet, Part(3, 4))
    small.save_pretrained(tmp_path)
    assert torch.equal(PreResNet.from_pretrained(tmp_path).eval()(images).logits, small(images).logits)


def test_so_is_a_narrow_mobilenet_and_its_class_is_the_stock_one(mobilenet, images, tmp_path):
    small = extract(mobilenet, Part(3, 10))
    small.save_pretrained(tmp_path)
    again = MobileNetV2ForImageClassification.from_pretrained(tmp_path).eval()
    expected = again(images).logits
    for training in (False, True):
        whole, alone = extract(mobilenet, Part(10, 10)).train(training), again.train(training)
        alone.dropout.p = 0.0
        narrow = skeleton(whole, Part(3, 10))
        narrow.dropout.p = 0.0
        assert torch.equal(run(narrow, images).logits, alone(images).logits)
    assert torch.equal(small(images).logits, expected)
    weight = small.mobilenet_v2.layer[3].expand_1x1.convolution.weight
    assert torch.equal(weight, mobilenet.mobilenet_v2.layer[3].expand_1x1.convolution.weight[: len(weight), :8])


@pytest.mark.parametrize("blocks", [1, 6, 15])
def test_a_short_mobilenet_ends_in_the_last_convolution_of_fewer_channels(mobilenet, images, blocks):
    found = run(skeleton(mobilenet, Part(10, 10, blocks)), images).logits
    assert torch.equal(found, extract(mobilenet, Part(10, 10, blocks))(images).logits)
    body, last = mobilenet.mobilenet_v2, mobilenet.mobilenet_v2.conv_1x1
    z = body.conv_stem(images)
    for layer in body.layer[:blocks]:
        z = layer(z)
    z = F.conv2d(z, last.convolution.weight[:, : z.shape[1]].contiguous())
    z = last.activation(last.normalization(z)).mean((2, 3))
    torch.testing.assert_close(found, mobilenet.classifier(z))


def test_narrow_and_short_at_once(mobilenet, images):
    part = Part(4, 10, 7)
    found = run(skeleton(mobilenet, part), images).logits
    assert torch.equal(found, extract(extract(mobilenet, Part(4, 10)), Part(1, 1, 7))(images).logits)


def test_statistics_of_its_own_are_those_of_the_images_that_were_seen(images):
    with seeded(0, "toy"):
        network = used(PreResNet(PreResNetConfig(stem=4, planes=[4, 4, 8], norm="batch", num_labels=10)), images)
    small = recounted(network, Part(2, 4), [images[:3], images[3:]])
    stem = extract(network, Part(2, 4)).stem(images)
    torch.testing.assert_close(small.blocks[0].norm1.running_mean, stem.mean((0, 2, 3)))
    assert not small.training and not torch.equal(small(images).logits, extract(network, Part(2, 4))(images).logits)


def test_an_impossible_size_names_the_possible_ones(resnet, mobilenet):
    with pytest.raises(SizeError, match="cut to 2, 4, 6, 8 of 8 parts of its channels, but not to 3"):
        extract(resnet, Part(3, 8))
    with pytest.raises(
        SizeError, match="cut to 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 of 10 parts of its channels, but not to 0"
    ):
        extract(mobilenet, Part(0, 10))
    with pytest.raises(SizeError, match="cut to 1 to 16 of its blocks, but not to 17"):
        extract(mobilenet, Part(1, 1, 17))
    with pytest.raises(SizeError, match="cut to all 6 of its blocks, but not to 2"):
        extract(resnet, Part(1, 1, 2))
