"""Routes on one machine: the same logits as the model's own, and networks that no swarm can hold."""

import pytest
import torch

from lsnotebook.layershuffle.model import ShuffleViT, ShuffleViTConfig
from lsnotebook.swarm.blocks import block
from lsnotebook.swarm.hops import Block, SwarmError
from lsnotebook.swarm.replay import check_models, replay

SIZES = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 48, "image_size": 8, "patch_size": 4}


def network(seed=0, layers=4, **options):
    torch.manual_seed(seed)
    return ShuffleViT(ShuffleViTConfig(**{**SIZES, **options}, num_hidden_layers=layers, initializer_range=0.2)).eval()


@torch.no_grad()
def test_each_image_takes_its_own_route():
    one, other = network(0), network(1)
    images = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    mixed = [Block(0, 3), Block(1, 1), Block(0, 1)]
    logits = replay([one, other], images, [[Block(0, 3), Block(0, 1)], [], [Block(0, k) for k in range(4)], mixed])
    torch.testing.assert_close(logits[0], one(images[:1], order=[3, 1]).logits[0])
    torch.testing.assert_close(logits[1], one.output(one.embedded(images[1:2]), ()).logits[0])
    torch.testing.assert_close(logits[2], one(images[2:3]).logits[0])
    z = one.embedded(images[3:])
    for network_of, layer in mixed:
        z, _ = (one, other)[network_of].step(z, (), layer, 0)
    torch.testing.assert_close(logits[3], one.output(z, ()).logits[0])


@torch.no_grad()
@pytest.mark.parametrize("options", [{}, {"qkv_bias": False}, {"layer_norm_eps": 1e-3}])
def test_a_node_computes_what_the_layer_of_hugging_face_does(options):
    model, z = network(**options), torch.randn(5, 7, 32, generator=torch.Generator().manual_seed(1))
    for layer in model.vit.layers:
        config = model.config
        ours = block(z, layer.state_dict(), config.num_attention_heads, config.layer_norm_eps)
        torch.testing.assert_close(ours, layer(z), rtol=0, atol=1e-6)
    assert not torch.allclose(ours, z, atol=1e-2), "it does something"


@pytest.mark.parametrize(
    ("models", "sentence"),
    [
        ([], "at least one network"),
        ([network(encode_position=True)], "know the positions of one network alone"),
        ([network(predict_position=True)], "know the positions of one network alone"),
        ([network(hidden_act="relu")], "this network has 'relu'"),
        ([network(), network(layers=3)], "are of one size"),
    ],
)
def test_networks_that_no_swarm_can_hold_are_told(models, sentence):
    with pytest.raises(SwarmError, match=sentence):
        check_models(models)
