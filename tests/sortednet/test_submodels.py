"""A sub-model is the stock network of the smaller size, with the leading blocks of the big one's parameters."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from lsnotebook.core.seeding import seeded
from lsnotebook.sortednet.submodels import WIDTHS, SizeError, block, cut, extract, possible_heads, run, skeleton


@pytest.fixture(scope="module")
def llama():
    sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}
    with seeded(0, "toy"):
        config = LlamaConfig(vocab_size=50, num_key_value_heads=2, initializer_range=0.2, **sizes)
        return LlamaForCausalLM(config).eval()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (3, 2), (3, 4)])
def test_a_sub_model_of_a_vit_is_the_stock_network_to_the_last_bit(vit, images, size, width):
    small = skeleton(type(vit), cut(vit.config, size, width), vit).eval()
    taken_out = extract(vit, size, width)
    assert torch.equal(run(small, images).logits, taken_out(images).logits)
    assert type(taken_out) is type(vit) and len(taken_out.vit.layers) == size[0]
    weight = taken_out.vit.layers[0].attention.q_proj.weight
    rows, columns = 8 * size[1], 8 * size[1] if width == "all" else 32
    assert torch.equal(weight, vit.vit.layers[0].attention.q_proj.weight[:rows, :columns])
    if size == (3, 4):
        assert torch.equal(taken_out(images).logits, vit(images).logits)


def gradients(network, loss):
    network.zero_grad()
    loss.backward()
    return {name: one.grad for name, one in network.named_parameters()}


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (3, 4)])
def test_gradients_are_those_of_the_stock_network_in_the_leading_block_and_zero_outside(vit, images, size):
    labels = torch.arange(len(images))
    small, taken_out = skeleton(type(vit), cut(vit.config, size), vit).eval(), extract(vit, size)
    found = gradients(vit, run(small, images, labels=labels).loss)
    for name, expected in gradients(taken_out, taken_out(images, labels=labels).loss).items():
        inside = block(expected.shape)
        assert torch.equal(found[name][inside], expected), name
        found[name][inside] = 0
    there = {name for name, one in found.items() if one is not None}
    assert there == dict(taken_out.named_parameters()).keys(), "layers that did not run have none"
    assert not any(found[name].any() for name in there)


def test_what_is_not_cut_is_the_big_networks_own_and_what_is_cut_follows_it(vit, images):
    whole, small = (skeleton(type(vit), cut(vit.config, size), vit).eval() for size in ((2, 4), (2, 2)))
    assert whole.vit.layers[1].mlp.fc1.weight is vit.vit.layers[1].mlp.fc1.weight
    before, weight = run(small, images).logits, vit.vit.layers[0].mlp.fc1.weight
    with torch.no_grad():
        weight.neg_()
    changed = run(small, images).logits, run(whole, images).logits
    assert not torch.equal(changed[0], before) and torch.equal(changed[1], extract(vit, (2, 4))(images).logits)
    with torch.no_grad():
        weight.neg_()


@pytest.mark.parametrize("width", WIDTHS)
def test_so_is_that_of_a_llama_which_keeps_its_groups_of_heads(llama, width):
    assert possible_heads(llama.config, width) == [2, 4]
    tokens = torch.arange(10).reshape(2, 5)
    small = skeleton(type(llama), cut(llama.config, (2, 2), width), llama).eval()
    taken_out = extract(llama, (2, 2), width)
    assert torch.equal(run(small, tokens).logits, taken_out(tokens).logits)
    assert taken_out.config.head_dim == 8 and taken_out.config.num_key_value_heads == 1


def test_what_is_extracted_is_read_by_the_stock_class(vit, images, tmp_path):
    small = extract(vit, (2, 3), "inner")
    small.save_pretrained(tmp_path)
    again = type(vit).from_pretrained(tmp_path).eval()
    assert torch.equal(again(images).logits, small(images).logits)


@pytest.mark.parametrize("size", [(0, 1), (4, 1), (1, 0), (1, 5)])
def test_an_impossible_size_names_the_possible_ones(vit, size):
    with pytest.raises(SizeError, match=r"cut to 1 to 3 of its layers and to 1, 2, 3, 4 of its 4 heads, but not to"):
        cut(vit.config, size)
    with pytest.raises(SizeError, match="take one of all, inner"):
        cut(vit.config, (1, 1), "outer")
