"""A sub-model is the stock network of the smaller size, with the leading blocks of the big one's parameters."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from lsnotebook.core.seeding import seeded
from lsnotebook.sortednet.submodels import WIDTHS, SizeError, cut, extract, possible_heads, run, skeleton


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


@pytest.mark.parametrize("width", WIDTHS)
def test_so_is_that_of_a_llama_which_keeps_its_groups_of_heads(llama, width):
    assert possible_heads(llama.config, width) == [2, 4]
    tokens = torch.arange(10).reshape(2, 5)
    small, taken_out = (
        skeleton(type(llama), cut(llama.config, (2, 2), width), llama).eval(),
        extract(llama, (2, 2), width),
    )
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
