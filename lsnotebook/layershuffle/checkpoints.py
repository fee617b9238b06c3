"""Public checkpoints of ViT and DeiT as `ShuffleViT`, checked against the sizes that a profile names."""

import contextlib
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from transformers.utils import logging as transformers_logging

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.layershuffle.model import ShuffleViT

if TYPE_CHECKING:
    from lsnotebook.core.profiles import Backbone

log = logging.getLogger(__name__)


class CheckpointError(LsnotebookError, RuntimeError):
    """A checkpoint that cannot be read, or is of another size or kind than the profile says."""


def from_checkpoint(folder: Path, backbone: "Backbone", classes: int, variant: Mapping[str, bool]) -> ShuffleViT:
    """The model of a checkpoint, with a new head where its own is for other classes. Raises `CheckpointError`."""
    name = backbone.checkpoint
    try:
        with silent():
            model, report = ShuffleViT.from_pretrained(
                folder, num_labels=classes, ignore_mismatched_sizes=True, output_loading_info=True, **variant
            )
    except Exception as error:  # whatever third-party files cause
        raise CheckpointError(f"The checkpoint {name!r} in {folder} cannot be read ({error}); get it anew.") from error
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
        if its != ours:
            raise CheckpointError(
                f"The checkpoint {name!r} has {size} {its}, but the profile says {ours}; "
                f"set the profile's {size}, or name another checkpoint."
            )
    unset = {key for key in report["missing_keys"]} | {key for key, *_ in report["mismatched_keys"]}
    strange = {key for key in unset if not key.startswith(("classifier.", "position_"))}
    if strange:
        raise CheckpointError(
            f"The checkpoint {name!r} lacks the weights {', '.join(sorted(strange)[:3])}; it is no ViT or DeiT."
        )
    if any(key.startswith("classifier.") for key in unset):
        log.info("The checkpoint %s has no head for %d classes: the head starts anew.", name, classes)
    return model


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Without Hugging Face's progress bars and load report, which would show on pages; the report is checked here."""
    verbosity, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()
