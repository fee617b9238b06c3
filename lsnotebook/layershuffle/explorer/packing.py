"""What the page's script is given of a network: its sizes, and its parameters as text."""

import base64
import zlib
from collections.abc import Sequence

from torch import Tensor

from lsnotebook.layershuffle.model import ShuffleViT


def weights(model: ShuffleViT) -> list[Tensor]:
    """The parameters in the order in which `network` of forward.js takes them."""
    embeddings, parts = model.vit.embeddings, [model.vit.embeddings.patch_embeddings.projection]
    for layer in model.vit.layers:
        attention, mlp = layer.attention, layer.mlp
        parts += [layer.layernorm_before, attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj]
        parts += [layer.layernorm_after, mlp.fc1, mlp.fc2]
    parts += [model.vit.layernorm, model.classifier]
    tokens = [embeddings.cls_token, embeddings.position_embeddings]
    return [*tokens, *(weight for part in parts for weight in (part.weight, part.bias))]


def shape(model: ShuffleViT) -> dict:
    """The sizes that forward.js needs."""
    config = model.config
    return {
        "layers": config.num_hidden_layers,
        "width": config.hidden_size,
        "heads": config.num_attention_heads,
        "mlp": config.intermediate_size,
        "size": config.image_size,
        "patch": config.patch_size,
        "channels": config.num_channels,
        "classes": config.num_labels,
        "eps": config.layer_norm_eps,
    }


def packed(values: Sequence[Tensor]) -> dict:
    """The values as base64 of little-endian float16, and the CRC-32 of these bytes."""
    content = b"".join(value.detach().cpu().numpy().astype("<f2").tobytes() for value in values)
    return {"text": base64.b64encode(content).decode(), "checksum": zlib.crc32(content)}


def characters(models: Sequence[ShuffleViT]) -> float:
    """The length of the text of all their weights."""
    return 8 / 3 * sum(weight.numel() for model in models for weight in weights(model))
