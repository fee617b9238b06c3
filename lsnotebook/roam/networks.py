"""The networks whose training steps are planned. They are built on torch's meta device, without weights."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageClassification,
    AutoModelForMaskedLM,
    PretrainedConfig,
    PreTrainedModel,
    ViTConfig,
)

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.core.profiles import Backbone
from lsnotebook.data.checkpoints import folder_of

REFERENCE = "ViT-B/16"
"""The network of the authors' tables that is built here without a checkpoint: 224 x 224 pixels, 1,000 classes."""
ATTENTION = "sdpa", "eager"
"""Attention as one operator, or as several."""
LENGTH = 512
"""Tokens of a text at most, where no other length is asked for."""


class NetworkError(LsnotebookError, ValueError):
    """A network that is not there, or whose training step cannot be captured."""


class Networks:
    """What the parameter of a page takes: `REFERENCE`, or the folder or the name on the hub of a checkpoint."""

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and bool(word.strip())

    def __iter__(self) -> Iterator[str]:
        yield from (REFERENCE, "a folder or a name on the hub: an image classifier or a causal language model")


def config_of(word: str) -> PretrainedConfig:
    """The configuration of `REFERENCE` or of a checkpoint. Raises `NetworkError` and `DataError`."""
    if word == REFERENCE:
        return ViTConfig(num_labels=1000)
    folder = folder_of(word)
    try:
        return AutoConfig.from_pretrained(folder)
    except Exception as error:  # whatever the file makes of transformers' code
        raise NetworkError(
            f"The checkpoint {word!r} has no config.json that transformers can read ({reason(error)}): name the folder "
            "or the hub's name of an image classifier or a causal language model."
        ) from error


def reason(error: Exception) -> str:
    """What kind of error another library has raised, and its first sentence."""
    first_line = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {first_line.partition('. ')[0].rstrip('.:')}"


def of_backbone(backbone: Backbone, classes: int) -> ViTConfig:
    """The ViT of a profile: the operators of the book's own networks."""
    return ViTConfig(
        hidden_size=backbone.hidden_size,
        num_hidden_layers=backbone.layers,
        num_attention_heads=backbone.heads,
        intermediate_size=backbone.mlp_size,
        image_size=backbone.image_size,
        patch_size=backbone.patch_size,
        num_channels=backbone.channels,
        num_labels=classes,
    )


def build(config: PretrainedConfig, attention: str | None = None, recompute: bool = False) -> PreTrainedModel:
    """The network on the meta device, in training mode; its own attention where none is asked for. Raises
    `NetworkError`."""
    auto = AutoModelForImageClassification if type(config) in AutoModelForImageClassification._model_mapping else None
    encodes = type(config) in AutoModelForMaskedLM._model_mapping and not getattr(config, "is_decoder", False)
    if type(config) in AutoModelForCausalLM._model_mapping and not encodes:
        auto = AutoModelForCausalLM
    if auto is None:
        raise NetworkError(
            f"A {config.model_type} is neither an image classifier nor a causal language model of transformers: name "
            "the checkpoint of one."
        )
    config.use_cache = False
    config.architectures = config.architectures or []  # transformers looks through them
    options = {"attn_implementation": attention} if attention else {}
    try:
        with torch.device("meta"):
            model = auto.from_config(config, dtype=torch.float32, **options)
        if recompute:
            enable = getattr(model, "activation_checkpointing_enable", model.gradient_checkpointing_enable)
            enable({"use_reentrant": False, "preserve_rng_state": False})
    except Exception as error:  # whatever the configuration makes of transformers' code
        raise NetworkError(
            f"The network cannot be built ({reason(error)}): name another one, or other options."
        ) from error
    return model.train()


def batch_of(model: PreTrainedModel, size: int, length: int | None = None) -> dict[str, Tensor]:
    """Images and labels, or texts of `length` tokens, without values: the arguments of a forward pass with a loss.
    Raises `NetworkError`."""
    config: Any = model.config.get_text_config()
    if model.main_input_name == "pixel_values":
        if length:
            raise NetworkError("This network takes images, which have no length: ask for none.")
        side = getattr(model.config, "image_size", 224)
        height, width = side if isinstance(side, list | tuple) else (side, side)
        pixels = torch.empty(size, getattr(model.config, "num_channels", 3), height, width, device="meta")
        return {"pixel_values": pixels, "labels": torch.empty(size, dtype=torch.int64, device="meta")}
    longest = getattr(config, "max_position_embeddings", None) or LENGTH
    if length and length > longest:
        raise NetworkError(f"This network takes texts of at most {longest} tokens, but {length} are asked for.")
    tokens = torch.empty(size, length or min(longest, LENGTH), dtype=torch.int64, device="meta")
    return {"input_ids": tokens, "labels": tokens}
