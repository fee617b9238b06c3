"""A vision transformer that runs its layers in a given order (§3.2-3.4).

`ShuffleViT` is Hugging Face's own ViT classifier with the forward pass written out, since that pass *is* the
paper's Algorithm 1. Parameters keep their names, so public checkpoints load and `save_pretrained` round-trips.
Shapes: B images, N patches, D hidden size, L layers, P positions (the length of the order).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor, nn
from transformers import ViTConfig, ViTForImageClassification
from transformers import initialization as init
from transformers.modeling_outputs import ImageClassifierOutput
from transformers.models.deit.modeling_deit import DeiTEmbeddings

from lsnotebook.core.orders import OrderError, check_order, sequential
from lsnotebook.data.hub import fetched
from lsnotebook.layershuffle.checkpoints import check_complete, config_of, silent, unreadable, weights_of

HUB = ("cache_dir", "force_download", "local_files_only", "token", "revision")
"""The options that say which files of the hub are meant."""


class ShuffleViTConfig(ViTConfig):
    """A `ViTConfig` that also says which variant of §3 the layers are. The defaults are the stock ViT."""

    encode_position: bool = False
    """§3.3: each layer is given an embedding of its position."""
    position_size: int = 32
    """Length of a position embedding (§3.3)."""
    share_position_table: bool = False
    """One table of embeddings for all layers, as in the authors' code, instead of one a layer as in the text."""
    position_std: float = 0.02
    """Initial standard deviation of W_proj and W_pred, small so that refining starts close to the base."""
    predict_position: bool = False
    """§3.4: each layer predicts its position."""
    average_position_loss: bool = False
    """Average the position losses over the layers, as in the authors' code, instead of their sum as in the text."""
    distilled: bool = False
    """A distillation token runs beside the class token, as in DeiT."""


State: TypeAlias = tuple[Tensor, tuple[Tensor, ...]]
"""Between two layers: the tokens z (B, N+1, D), and the positions u (B, L each) that the layers so far predict."""


@dataclass
class ShuffleViTOutput(ImageClassifierOutput):
    """What the stock class returns, and the logits of the positions that the layers predict."""

    position_logits: Tensor | None = None
    """(B, P, L), or None where the model does not predict positions."""


class PositionLinear(nn.Linear):
    """W_proj of §3.3 and W_pred of §3.4, a class by itself for `_init_weights`."""


class PositionTable(nn.Module):
    """e_p of §3.3: the embedding of position p that layer i learns, initially zero."""

    def __init__(self, config: ShuffleViTConfig):
        super().__init__()
        layers = config.num_hidden_layers
        tables = 1 if config.share_position_table else layers
        self.weight = nn.Parameter(torch.zeros(tables, layers, config.position_size))

    def forward(self, index: int, position: int) -> Tensor:
        return self.weight[index % len(self.weight), position]  # (position_size,)


class PositionEncoding(nn.Module):
    """§3.3: z'' = Dropout(GELU(LN(concat(z, e_p)) W_proj)) + z, before the block."""

    def __init__(self, config: ShuffleViTConfig):
        super().__init__()
        width = config.hidden_size + config.position_size
        self.layernorm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.projection = PositionLinear(width, config.hidden_size, bias=False)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, z: Tensor, e: Tensor) -> Tensor:
        h = torch.cat((z, e.expand(*z.shape[:-1], -1)), dim=-1)  # (B, N+1, D + position_size)
        return self.dropout(F.gelu(self.projection(self.layernorm(h)))) + z


class PositionPrediction(nn.Module):
    """§3.4: u = LN(z) W_pred. The text does not say which token z is; as in the authors' code, their mean."""

    def __init__(self, config: ShuffleViTConfig):
        super().__init__()
        self.layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.projection = PositionLinear(config.hidden_size, config.num_hidden_layers, bias=False)

    def forward(self, z: Tensor) -> Tensor:
        return self.projection(self.layernorm(z.mean(dim=1)))  # (B, L)


class ShuffleViT(ViTForImageClassification):
    """A ViT classifier whose forward pass takes the order of its layers."""

    config_class = ShuffleViTConfig

    def __init__(self, config: ShuffleViTConfig):
        super().__init__(config)
        layers = config.num_hidden_layers
        if config.distilled:
            self.vit.embeddings = DeiTEmbeddings(config)
        if config.encode_position:
            self.position_table = PositionTable(config)
            self.position_encodings = nn.ModuleList(PositionEncoding(config) for _ in range(layers))
        if config.predict_position:
            self.position_predictions = nn.ModuleList(PositionPrediction(config) for _ in range(layers))
        self.post_init()
        self._no_split_modules = {"ViTLayer"}  # the units that FSDP shards: else also the embeddings, nested

    @classmethod
    def from_pretrained(cls, checkpoint: str | os.PathLike | None, *arguments: Any, **options: Any) -> Any:
        """As Hugging Face's own with its options, of ViT and DeiT checkpoints alike: local folders and hub names.

        Reads safetensors only. Raises `CheckpointError` also where weights are missing, but for a head for other
        classes, and `DataError` where there is no such checkpoint.
        """
        if checkpoint is None:
            return super().from_pretrained(None, *arguments, **options)
        hub = {name: options.pop(name) for name in HUB if name in options}
        folder = Path(checkpoint).expanduser()
        folder = folder if folder.is_dir() else fetched(str(checkpoint), str(checkpoint), **hub)
        folder /= options.pop("subfolder", "")
        values, weights = config_of(folder), weights_of(folder, options.pop("variant", None))
        precision = {name: options.pop(name) for name in ("dtype", "torch_dtype") if name in options}
        reported, replaced = (options.pop(name, False) for name in ("output_loading_info", "ignore_mismatched_sizes"))
        if given := options.pop("config", None):
            used = {"model_type": "vit", "attn_implementation": given._attn_implementation}
            values = {**given.to_dict(), **used, "distilled": values["distilled"]}
        try:
            with silent():
                config, options = ShuffleViTConfig.from_dict(dict(values), return_unused_kwargs=True, **options)
                model, report = super().from_pretrained(
                    None,
                    *arguments,
                    config=config,
                    state_dict=weights,
                    output_loading_info=True,
                    ignore_mismatched_sizes=True,
                    **precision,
                    **options,
                )
        # A value that cannot be. TypeError is left: an argument that the method does not have.
        except (ValueError, LookupError, ArithmeticError, AttributeError, ImportError, RuntimeError,
                StrictDataclassError) as error:  # fmt: skip
            raise unreadable(folder, error) from error
        check_complete(checkpoint, values, weights, model.num_labels, report, bool(replaced), bool(reported))
        model.config.name_or_path = str(checkpoint)
        return (model, report) if reported else model

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, PositionTable):
            init.zeros_(module.weight)
        elif isinstance(module, PositionLinear):
            init.normal_(module.weight, std=self.config.position_std)
        else:
            super()._init_weights(module)

    def forward(
        self,
        pixel_values: Tensor,
        order: Sequence[int] | None = None,
        labels: Tensor | None = None,
        interpolate_pos_encoding: bool = False,
    ) -> ShuffleViTOutput:
        """Classify `pixel_values` (B, channels, height, width) with the layers in the given order.

        `order` is any sequence of layer indices, repeats and omissions included; None means 0 ... L-1, in
        training and in evaluation alike. With `labels` (B,) the output has the loss: the cross-entropy, plus
        the position loss of §3.4 where the model predicts positions. Raises `OrderError`.
        """
        order = self.check_order(order)
        z, u = self.embedded(pixel_values, interpolate_pos_encoding), ()
        for position, index in enumerate(order):
            z, u = self.step(z, u, index, position)
        return self.output(z, u, labels)

    def embedded(self, pixel_values: Tensor, interpolate_pos_encoding: bool = False) -> Tensor:
        """The tokens (B, N+1, D) before the first layer, in the precision of the weights, as in the stock class."""
        precision = self.vit.embeddings.patch_embeddings.projection.weight.dtype
        return self.vit.embeddings(pixel_values.to(precision), interpolate_pos_encoding=interpolate_pos_encoding)

    def step(self, z: Tensor, u: tuple[Tensor, ...], index: int, position: int) -> State:
        """Run layer `index` at a position."""
        if self.config.encode_position:
            z = self.position_encodings[index](z, self.position_table(index, position))
        z = self.vit.layers[index](z)
        if self.config.predict_position:
            u = (*u, self.position_predictions[index](z))
        return z, u

    def output(self, z: Tensor, u: tuple[Tensor, ...], labels: Tensor | None = None) -> ShuffleViTOutput:
        """What `forward` returns, after the last layer."""
        logits = self.classifier(self.vit.layernorm(z)[:, 0])  # (B, classes), from the class token
        position_logits = torch.stack(u, dim=1) if u else None
        loss = None
        if labels is not None:
            loss = F.cross_entropy(logits.float(), labels)  # FSDP's bf16 has no autocast that would do so
            if position_logits is not None:
                loss = loss + self.position_loss(position_logits)
        return ShuffleViTOutput(loss=loss, logits=logits, position_logits=position_logits)

    def check_order(self, order: Sequence[int] | None) -> tuple[int, ...]:
        """The order as checked indices. A variant with positions knows the positions 0 ... L-1 only."""
        layers = self.config.num_hidden_layers
        if order is None:
            return sequential(layers)
        order = check_order(order, layers)
        if len(order) > layers and (self.config.encode_position or self.config.predict_position):
            raise OrderError(
                f"The order has {len(order)} positions, but this variant knows only the positions 0 to "
                f"{layers - 1}; shorten the order to at most {layers} layers."
            )
        return order

    def position_loss(self, position_logits: Tensor) -> Tensor:
        """§3.4: the cross-entropy of the predicted positions, summed (or averaged) over the layers."""
        batch, positions, _ = position_logits.shape
        target = torch.arange(positions, device=position_logits.device).expand(batch, -1)
        loss = F.cross_entropy(position_logits.float().flatten(0, 1), target.flatten())
        return loss if self.config.average_position_loss else loss * positions
