"""Attention over few tokens on a CPU: the tokens of several images are packed into one sequence.

An image of the book's digits has five tokens, and torch multiplies so small matrices for every image and head by
itself. Packed, they are larger matrices, and a mask keeps the images apart: the same numbers up to rounding. (Where an
image's are not finite, neither are those of its neighbours.)
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask
from transformers.models.vit.modeling_vit import ViTPreTrainedModel

LENGTH = 20
"""Tokens in a packed sequence at most: what is masked costs as much as what is not, so more take longer again."""


def packed(model: nn.Module) -> nn.Module:
    """The same model; the attention of a ViT then packs short sequences where it runs on a CPU."""
    if isinstance(model, ViTPreTrainedModel) and model.config._attn_implementation == "sdpa":
        model.set_attn_implementation(packed_attention.__name__)
    return model


def packed_attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **options
) -> tuple[Tensor, None]:
    """Scaled dot-product attention of (B, heads, N, D) each, as a ViT of transformers calls it: (B, N, heads, D)."""
    count, tokens = len(query), query.shape[2]
    together = LENGTH // tokens
    if together < 2 or attention_mask is not None or options.get("dropout") or query.device.type != "cpu":
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
    image = torch.arange(number).repeat_interleave(tokens)  # that each token is of
    mask = torch.zeros((), dtype=query.dtype).where(image[:, None] == image, -torch.inf)
    found = F.scaled_dot_product_attention(query, key, value, mask, scale=scaling)
    return found.transpose(1, 2).reshape(-1, tokens, heads, width)


AttentionInterface.register(packed_attention.__name__, packed_attention)
AttentionMaskInterface.register(packed_attention.__name__, sdpa_mask)  # else transformers would drop a mask
