"""Compiled attention gives what torch's own gives, for every number of images and tokens."""

import importlib
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from numba.core import caching, config
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM, ViTConfig, ViTForImageClassification

from lsnotebook.engine import attention
from lsnotebook.engine.attention import TOKENS, few_tokens_attention, for_few_tokens


@pytest.fixture
def no_compiled(monkeypatch):
    monkeypatch.setattr(attention, "multiply", lambda *_: pytest.fail("was compiled"))


def attended(query, key, value, scale=None):
    module = nn.Module()
    module.is_causal = False  # as a ViT's
    return few_tokens_attention(module, query, key, value, None, scaling=scale)[0]


@pytest.mark.parametrize("scale", [None, 0.0, 0.3])
@pytest.mark.parametrize(("images", "heads", "width"), [(1, 1, 1), (3, 2, 4), (33, 4, 16), (2, 3, 65)])
@pytest.mark.parametrize("tokens", [1, 2, 5, TOKENS, TOKENS + 1])
def test_it_is_scaled_dot_product_attention(images, heads, tokens, width, scale):
    torch.manual_seed(images)
    query, key, value = 3 * torch.randn(3, images, heads, tokens, width)
    expected = F.scaled_dot_product_attention(query, key, value, scale=scale).transpose(1, 2)
    torch.testing.assert_close(attended(query, key, value, scale), expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(attended(query[:, :, :1], key, value, scale), expected[:, :1], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(attended(query.mT.contiguous().mT, key, value, scale), expected, atol=1e-5, rtol=1e-4)


def test_large_products_do_not_overflow():
    query = key = 200 * torch.eye(4).expand(2, 1, 4, 4)
    value = torch.arange(32.0).reshape(2, 1, 4, 4)
    torch.testing.assert_close(attended(query, key, value), value.transpose(1, 2))


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_an_image_that_is_not_finite_leaves_the_others_as_they_are(bad):
    query, key, value = torch.randn(3, 5, 2, 5, 8)
    before = attended(query, key, value)
    query[2] = bad
    after = attended(query, key, value)
    assert after[2].isnan().any()
    others = [0, 1, 3, 4]
    assert torch.equal(after[others], before[others])


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions_are_left_to_torch(dtype, no_compiled):
    query, key, value = torch.randn(3, 2, 2, 5, 8, dtype=dtype)
    assert attended(query, key, value).dtype == dtype


def test_shapes_that_do_not_fit_are_left_to_torch(no_compiled):
    query = torch.randn(2, 2, 5, 8)
    for key, value in ((query[:1], query[:1]), (query, query[..., :4])):  # broadcast, and values of another width
        expected = F.scaled_dot_product_attention(query, key, value).transpose(1, 2)
        torch.testing.assert_close(attended(query, key, value), expected)


def test_causal_attention_is_left_to_torch(no_compiled):
    module, query = nn.Module(), torch.randn(2, 2, 5, 8)
    module.is_causal = True
    expected = F.scaled_dot_product_attention(query, query, query, is_causal=True).transpose(1, 2)
    torch.testing.assert_close(few_tokens_attention(module, query, query, query, None)[0], expected)


def small_vit(**values):
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    return ViTForImageClassification(ViTConfig(image_size=8, patch_size=4, num_channels=1, **sizes, **values))


def test_a_model_gives_the_same_logits(monkeypatch):
    model, same = small_vit().eval(), for_few_tokens(small_vit().eval())
    assert same.config._attn_implementation == "few_tokens_attention"
    images, calls = torch.randn(6, 1, 8, 8), []
    multiply = attention.multiply
    monkeypatch.setattr(attention, "multiply", lambda *given: (calls.append(1), multiply(*given)))
    with torch.inference_mode():
        torch.testing.assert_close(model(images).logits, same(images).logits)
    assert len(calls) == 2  # layers


def test_gradients_dropout_and_masks_are_left_to_torch(no_compiled):
    model, alike, images = small_vit(), for_few_tokens(small_vit()), torch.randn(4, 1, 8, 8)
    for one in (model, alike):
        one(images, labels=torch.arange(4) % 2).loss.backward()
    for one, other in zip(model.parameters(), alike.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)
    with torch.no_grad():
        seen = torch.tensor([[1, 1, 0, 1, 0]] * 4)
        torch.testing.assert_close(alike(images, attention_mask=seen).logits, model(images, attention_mask=seen).logits)
        for_few_tokens(small_vit(attention_probs_dropout_prob=0.5)).train()(images)


def test_what_is_no_vit_is_left_as_it_is():
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    assert for_few_tokens(LlamaForCausalLM(LlamaConfig(vocab_size=9, **sizes))).config._attn_implementation == "sdpa"


def test_a_model_that_is_to_return_its_weights_is_left_as_it_is():
    assert for_few_tokens(small_vit(attn_implementation="eager")).config._attn_implementation == "eager"
    assert for_few_tokens(module := nn.Linear(1, 1)) is module


def test_what_is_compiled_is_kept_outside_of_the_package(tmp_path, monkeypatch):
    """What is left in its folder would be taken for the package once that is uninstalled."""
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    monkeypatch.setattr(config, "CACHE_DIR", "")
    try:
        importlib.reload(attention)
        assert config.CACHE_DIR == ""
    finally:
        monkeypatch.undo()
        importlib.reload(attention)
    assert list((tmp_path / "lsnotebook").rglob("attention.multiply*.nbc"))
    assert not list(Path(attention.__file__).parent.rglob("*.nb?"))


def test_where_nothing_can_be_cached_it_is_compiled_anew(monkeypatch):
    monkeypatch.setattr(caching.CompileResultCacheImpl, "_locator_classes", [])  # as where no folder can be written
    try:
        importlib.reload(attention)
        query, key, value = torch.randn(3, 2, 2, 5, 8)
        expected = F.scaled_dot_product_attention(query, key, value).transpose(1, 2)
        module = nn.Module()
        module.is_causal = False
        torch.testing.assert_close(attention.few_tokens_attention(module, query, key, value, None)[0], expected)
    finally:
        monkeypatch.undo()
        importlib.reload(attention)
