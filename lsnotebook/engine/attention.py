"""Attention over few tokens on a CPU, compiled by Numba.

An image of the book's digits has five tokens. torch multiplies so small matrices for every image and head by itself,
which takes half of a layer's time; a loop over their elements takes a third of that. The same numbers up to rounding.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numba import njit
from numba.core import config
from platformdirs import user_cache_path
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask
from transformers.models.vit.modeling_vit import ViTPreTrainedModel

TOKENS = 10
"""Of an image at most: the matrices of more are large enough for torch."""
SUMS = {"reassoc", "contract", "nsz"}
"""May be taken in another order; NaN stays NaN."""


def for_few_tokens(model: nn.Module) -> nn.Module:
    """The same model; the attention of a ViT then takes `few_tokens_attention`."""
    if isinstance(model, ViTPreTrainedModel) and model.config._attn_implementation == "sdpa":
        model.set_attn_implementation(few_tokens_attention.__name__)
    return model


def few_tokens_attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **options: Any
) -> tuple[Tensor, None]:
    """Scaled dot-product attention of (B, heads, N, D) each, as a ViT of transformers calls it: (B, N, heads, D).

    Compiled where there are at most `TOKENS` tokens on a CPU, in float32, and no gradients, masks or dropout; else
    torch's own, as where shapes are to be broadcast: what is compiled does not look whether an index is there. There
    may be fewer queries than keys.
    """
    inputs = (query, key, value)
    plain = all(type(one) is Tensor and not one.requires_grad and one.device.type == "cpu" for one in inputs)
    alike = key.shape == value.shape and (*query.shape[:2], query.shape[3]) == (*key.shape[:2], key.shape[3])
    floats = all(one.dtype == torch.float32 for one in inputs)
    asked = attention_mask is not None or options.get("dropout") or getattr(module, "is_causal", True)
    if asked or not (plain and alike and floats and key.shape[2] <= TOKENS):
        return sdpa_attention_forward(module, query, key, value, attention_mask, **options)
    q, k, v = (one.transpose(1, 2).contiguous().numpy() for one in inputs)  # (B, N, heads, D)
    products = np.empty((k.shape[1], *q.shape[:3]), np.float32)
    scaling = options.get("scaling")
    multiply(q, k, np.float32(q.shape[3] ** -0.5 if scaling is None else scaling), products)
    weights = torch.from_numpy(products).softmax(0)  # the fastest of its dimensions
    found = np.zeros_like(q)
    weigh(weights.numpy(), v, found)
    return torch.from_numpy(found), None


def compiled(signature: str) -> Callable[[Callable], Callable]:
    """Compiles a function when this module is imported; once a machine, if there is a folder to keep it in."""

    def decorated(function: Callable) -> Callable:
        settings = vars(config)
        before = settings["CACHE_DIR"]
        # Numba would keep it in the package's folder, which pip then does not remove with the package.
        settings["CACHE_DIR"] = before or str(user_cache_path("lsnotebook"))
        try:
            return njit(signature, fastmath=SUMS, cache=True)(function)
        except RuntimeError:  # no folder can be written
            return njit(signature, fastmath=SUMS)(function)
        finally:
            settings["CACHE_DIR"] = before

    return decorated


@compiled("void(f4[:,:,:,::1], f4[:,:,:,::1], f4, f4[:,:,:,::1])")
def multiply(q: np.ndarray, k: np.ndarray, scaling: np.floating, products: np.ndarray) -> None:
    """products[j, b, i, h] = scaling * q[b, i, h] . k[b, j, h]"""
    images, queries, heads, width = q.shape
    for b in range(images):
        for h in range(heads):
            for i in range(queries):
                for j in range(k.shape[1]):
                    product = np.float32(0)
                    for d in range(width):
                        product += q[b, i, h, d] * k[b, j, h, d]
                    products[j, b, i, h] = scaling * product


@compiled("void(f4[:,:,:,::1], f4[:,:,:,::1], f4[:,:,:,::1])")
def weigh(weights: np.ndarray, v: np.ndarray, found: np.ndarray) -> None:
    """found[b, i, h] += sum over j of weights[j, b, i, h] v[b, j, h]"""
    keys, images, queries, heads = weights.shape
    for b in range(images):
        for i in range(queries):
            for h in range(heads):
                for j in range(keys):
                    weight = weights[j, b, i, h]
                    for d in range(v.shape[3]):
                        found[b, i, h, d] += weight * v[b, j, h, d]


AttentionInterface.register(few_tokens_attention.__name__, few_tokens_attention)
AttentionMaskInterface.register(few_tokens_attention.__name__, sdpa_mask)  # else transformers would drop a mask
