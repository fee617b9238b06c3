"""The networks of the paper before their first step, and as saved runs restore them (see `Approach.network`)."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lsnotebook.layershuffle.checkpoints import CheckpointError
from lsnotebook.layershuffle.model import ShuffleViT, ShuffleViTConfig

if TYPE_CHECKING:
    from lsnotebook.core.profiles import Approach, Backbone, Profile


def initial(
    profile: "Profile", approach: "Approach", base: Mapping[str, Tensor] | None = None, checkpoint: Path | None = None
) -> ShuffleViT:
    """The weights of the checkpoint in a folder or of `base`, fresh ones for the rest; cut to the approach's layers."""
    backbone, variant = profile.backbone, dict.fromkeys(approach.variant, True)
    if checkpoint:
        model = from_checkpoint(checkpoint, backbone, profile.images.classes, variant)
    else:
        model = ShuffleViT(
            ShuffleViTConfig(
                hidden_size=backbone.hidden_size,
                num_hidden_layers=backbone.layers,
                num_attention_heads=backbone.heads,
                intermediate_size=backbone.mlp_size,
                image_size=backbone.image_size,
                patch_size=backbone.patch_size,
                num_channels=backbone.channels,
                num_labels=profile.images.classes,
                initializer_range=backbone.initial_std,
                hidden_dropout_prob=backbone.dropout,
                **variant,
            )
        )
    if base:
        model.load_state_dict({**model.state_dict(), **base})  # a name that the model lacks is an error
    if approach.layers:
        del model.vit.layers[approach.layers :]
        model.config.num_hidden_layers = approach.layers
    return model


def from_checkpoint(folder: Path, backbone: "Backbone", classes: int, variant: Mapping[str, bool]) -> ShuffleViT:
    """The model of a checkpoint in float32, with a new head where its own is for other classes.

    Raises `CheckpointError`, also where the checkpoint is not of the backbone's sizes.
    """
    model, _ = ShuffleViT.from_pretrained(
        folder,
        num_labels=classes,
        hidden_dropout_prob=backbone.dropout,
        dtype=torch.float32,  # in half precision, most of Adam's updates would round to nothing
        ignore_mismatched_sizes=True,
        output_loading_info=True,
        **variant,
    )
    config = model.config
    sizes = {
        "layers": (config.num_hidden_layers, backbone.layers),
        "hidden_size": (config.hidden_size, backbone.hidden_size),
        "heads": (config.num_attention_heads, backbone.heads),
        "mlp_size": (config.intermediate_size, backbone.mlp_size),
        "image_size": (config.image_size, backbone.image_size),
        "patch_size": (config.patch_size, backbone.patch_size),
        "channels": (config.num_channels, backbone.channels),
    }
    for size, (its, ours) in sizes.items():
        if its not in (ours, [ours, ours], (ours, ours)):
            raise CheckpointError(
                f"The checkpoint {backbone.checkpoint!r} has {size} {its}, but the profile says {ours}; "
                f"set the profile's {size}, or name another checkpoint."
            )
    return model


def restored(config: Mapping[str, object]) -> ShuffleViT:
    """A model for the weights of a saved run, from its `config.json`."""
    return ShuffleViT(ShuffleViTConfig(**config))
