"""A layer of a ViT as the nodes run it: torch alone, since importing transformers takes a node seconds."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

Weights = Mapping[str, Tensor]
"""Of one layer, by the names that Hugging Face's `ViTLayer` gives them."""


@torch.no_grad()
def block(z: Tensor, weights: Weights, heads: int, eps: float) -> Tensor:
    """z' = MSA(LN(z)) + z, then MLP(LN(z')) + z': tokens (B, N+1, D) to tokens, as `ViTLayer` in evaluation."""

    def linear(x: Tensor, name: str) -> Tensor:
        return F.linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))

    def norm(x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], eps)

    x = norm(z, "layernorm_before")
    q, k, v = (linear(x, f"attention.{one}_proj").unflatten(-1, (heads, -1)).transpose(1, 2) for one in "qkv")
    attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
    z = z + linear(attended, "attention.o_proj")
    return z + linear(F.gelu(linear(norm(z, "layernorm_after"), "mlp.fc1")), "mlp.fc2")
