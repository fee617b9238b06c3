"""Packed attention gives what torch's own gives, for every number of images and tokens."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM, ViTConfig, ViTForImageClassification

from lsnotebook.engine.attention import LENGTH, packed, packed_attention


@pytest.mark.parametrize("images", [1, 3, 4, 7, 8, 33])
@pytest.mark.parametrize("tokens", [1, 2, 5, 10, LENGTH, LENGTH + 1])
def test_the_images_stay_apart(images, tokens):
    torch.manual_seed(images)
    query, key, value = torch.randn(3, images, 2, tokens, 4)
    module = nn.Module()
    module.is_causal = False  # as a ViT's
    found, _ = packed_attention(module, query, key, value, None, scaling=0.3)
    expected = F.scaled_dot_product_attention(query, key, value, scale=0.3).transpose(1, 2)
    torch.testing.assert_close(found, expected)


def small_vit(**values):
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    return ViTForImageClassification(ViTConfig(image_size=8, patch_size=4, num_channels=1, **sizes, **values))


def test_a_model_that_packs_gives_the_same_logits_and_gradients():
    model, same = small_vit(), packed(small_vit())
    images = torch.randn(6, 1, 8, 8)
    for one in (model, same):
        one(images, labels=torch.arange(6) % 2).loss.backward()
    for one, other in zip(model.parameters(), same.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-6, rtol=1e-4)
    assert same.config._attn_implementation == "packed_attention"
    torch.testing.assert_close(model.eval()(images).logits, same.eval()(images).logits)


def test_dropout_and_masks_are_left_to_torch(monkeypatch):
    model, images, alike = small_vit(), torch.randn(4, 1, 8, 8), packed(small_vit())
    seen = torch.tensor([[1, 1, 0, 1, 0]] * 4)
    torch.testing.assert_close(alike(images, attention_mask=seen).logits, model(images, attention_mask=seen).logits)
    monkeypatch.setattr("lsnotebook.engine.attention.packed_by", lambda *_: pytest.fail("was packed"))
    alike(images, attention_mask=seen)
    packed(small_vit(attention_probs_dropout_prob=0.5)).train()(images)


def test_what_is_no_vit_is_left_as_it_is():
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    assert packed(LlamaForCausalLM(LlamaConfig(vocab_size=9, **sizes))).config._attn_implementation == "sdpa"


def test_a_model_that_is_to_return_its_weights_is_left_as_it_is():
    assert packed(small_vit(attn_implementation="eager")).config._attn_implementation == "eager"
    assert packed(module := nn.Linear(1, 1)) is module
