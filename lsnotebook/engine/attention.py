"""Attention over few tokens on a CPU: the tokens of several images are packed into one sequence.

An image of the book's digits has five tokens, and torch multiplies so small matrices for every image and head by
itself. Packed, they are larger matrices, and a mask keeps the images apart: the same numbers up to rounding.
"""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward

LENGTH = 20
"""Tokens in a packed sequence at most: what is masked costs as much as what is not, so more take longer again."""


def packed(model: nn.Module) -> nn.Module:
    """The same model, whose attention packs short sequences where it runs on a CPU."""
    if isinstance(model, PreTrainedModel) and model.config._attn_implementation == "sdpa":
        model.set_attn_implementation(packed_attention.__name__)
    return model


def packed_attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **options
) -> tuple[Tensor, None]:
    """Scaled dot-product attention of (B, heads, N, D) each, as transformers' models call it: (B, N, heads, D)."""
    count, tokens = len(query), query.shape[2]
    together = LENGTH // tokens
    plain = attention_mask is None and not options.get("dropout") and not getattr(module, "is_causal", True)
    if together < 2 or not plain or query.device.type != "cpu":
        return sdpa_attention_forward(module, query, key, value, attention_mask, **options)
    whole = count - count % together
    parts = [(slice(whole), together)] * (whole > 0) + [(slice(whole, None), count - whole)] * (whole < count)
    found = [packed_by(number, query[some], key[some], value[some], options.get("scaling")) for some, number in parts]
    return found[0] if len(found) == 1 else torch.cat(found), None


def packed_by(number: int, query: Tensor, key: Tensor, value: Tensor, scaling: float | None) -> Tensor:
    """So many images in one sequence; the number of all images is a multiple of it."""
    _, heads, tokens, width = query.shape
    query, key, value = (
        one.transpose(1, 2).reshape(-1, number * tokens, heads, width).transpose(1, 2) for one in (query, key, value)
    )
    found = F.scaled_dot_product_attention(query, key, value, apart(number, tokens).to(query.dtype), scale=scaling)
    return found.transpose(1, 2).reshape(-1, tokens, heads, width)


@cache
@torch.inference_mode(False)  # what is made in that mode is of no use for gradients, which are asked for later
def apart(number: int, tokens: int) -> Tensor:
    """(number * tokens, twice): 0 between the tokens of one image, -inf between those of different ones."""
    image = torch.arange(number).repeat_interleave(tokens)
    return torch.zeros(()).where(image[:, None] == image, -torch.inf)


AttentionInterface.register(packed_attention.__name__, packed_attention)
