"""The networks of this part before their first step, and as saved runs restore them (see `Approach.network`)."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch.nn.functional as F
from torch import Tensor
from transformers import ViTConfig, ViTForImageClassification

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.sortednet.samplers import Prefix
from lsnotebook.sortednet.submodels import Size, cut, parts, run, skeleton, whole
from lsnotebook.sortednet.updates import Drawn

if TYPE_CHECKING:
    from lsnotebook.core.profiles import Approach, Profile


class StartError(LsnotebookError, ValueError):
    """A profile whose network an approach cannot start from."""


class SortedViTConfig(ViTConfig):
    """A `ViTConfig` that also says how its sub-models are trained."""

    width: str = "all"
    """What a narrower sub-model has less of (`submodels.WIDTHS`)."""
    targets: list[int] | tuple[int, ...] = ()
    """Depths whose losses are added to that of the drawn sub-model, those that are inside of it: with the whole network
    drawn, the summation loss, and with a random prefix, the stochastic summation."""
    moves_rest: bool = False
    """Update as a plain optimizer does, whose momentum also moves what was not drawn."""


class SortedViT(ViTForImageClassification):
    """Hugging Face's ViT classifier, whose forward pass takes the size of the sub-model that is to run."""

    config_class = SortedViTConfig

    def __init__(self, config: SortedViTConfig):
        super().__init__(config)
        self.sub_models: dict[Size, tuple[ViTForImageClassification, Drawn]] = {}  # no modules of this one
        self.drawn: Drawn | None = None

    def forward(self, pixel_values: Tensor, order: tuple[int, ...] | None = None, labels: Tensor | None = None):
        """Classify `pixel_values` (B, channels, height, width) with the first layers and heads alone.

        `order` is (layers, heads), None the whole network. In training the next step of the optimizer moves the
        parameters of this sub-model alone. Raises `SizeError`.
        """
        size = Size(*order) if order else whole(self.config)
        small, drawn = self.sub_model(size)
        if self.training and not self.config.moves_rest:
            self.update_only(drawn)
        inside = [depth for depth in self.config.targets if depth < size.layers and labels is not None]
        output = run(small, pixel_values, labels=labels, output_hidden_states=bool(inside))
        for depth in inside:  # the first layers of this sub-model are the smaller one: they have run, under one dropout
            output.loss = output.loss + F.cross_entropy(self.logits(output.hidden_states[depth]), labels)
        return output

    def logits(self, z: Tensor) -> Tensor:
        """What the classifier gives for the tokens z (B, N+1, D) after a layer; D may be that of a narrower network."""
        norm, head, width = self.vit.layernorm, self.classifier, z.shape[-1]
        z = F.layer_norm(z[:, 0], (width,), norm.weight[:width], norm.bias[:width], norm.eps)
        return F.linear(z, head.weight[:, :width], head.bias)

    def update_only(self, drawn: Drawn) -> None:
        """Let the next step move what was drawn alone, and forget an earlier pass whose step never came."""
        if self.drawn:
            self.drawn.call_off()
        self.drawn = drawn
        drawn.update_only()

    def sub_model(self, size: Size) -> tuple[ViTForImageClassification, Drawn]:
        """The skeleton of a size, and what a step may then move. Raises `SizeError`."""
        if size not in self.sub_models:
            small = skeleton(ViTForImageClassification, cut(as_stock(self.config), size, self.config.width), self)
            self.sub_models[size] = small, Drawn(parts(small))
        small, drawn = self.sub_models[size]
        return small if small.training == self.training else small.train(self.training), drawn

    def load_state_dict(self, *arguments: Any, **options: Any) -> Any:
        """As of any module; parameters that it assigns are other objects, and skeletons are made anew."""
        self.sub_models.clear()
        return super().load_state_dict(*arguments, **options)

    def _apply(self, *arguments: Any, **options: Any) -> Self:  # `to`, `double`, `to_empty`: may assign, too
        self.sub_models.clear()
        return super()._apply(*arguments, **options)

    def __getstate__(self) -> dict:
        """For copies and pickles, which make skeletons of their own."""
        return {**self.__dict__, "sub_models": {}, "drawn": None}


def as_stock(config: SortedViTConfig) -> ViTConfig:
    """The config of Hugging Face's own class."""
    ours = ("width", "targets", "moves_rest", "model_type")
    stock = ViTConfig.from_dict({name: value for name, value in config.to_dict().items() if name not in ours})
    stock._attn_implementation = config._attn_implementation
    return stock


def stock(network: SortedViT) -> ViTForImageClassification:
    """Hugging Face's own class with the same weights."""
    config = as_stock(network.config)
    made = ViTForImageClassification._from_config(config, attn_implementation=config._attn_implementation)
    made.load_state_dict(network.state_dict())
    return made.train(network.training)


def initial(
    profile: "Profile", approach: "Approach", base: Mapping[str, Tensor] | None = None, checkpoint: Path | None = None
) -> SortedViT:
    """The weights of `base`, or fresh ones. Raises `StartError`."""
    backbone, order = profile.backbone, approach.order
    if checkpoint:
        raise StartError(
            f"The approach {approach.name} starts from a base that is trained here: give the profile {profile.name} a "
            "pretrain, and no backbone.checkpoint."
        )
    if isinstance(order, Prefix) and order.heads != backbone.heads:
        raise StartError(
            f"The approach {approach.name} draws 1 to {order.heads} heads, but the network of {profile.name} has "
            f"{backbone.heads}: set the profile's backbone.heads to {order.heads}, and hidden_size to a multiple."
        )
    network = SortedViT(
        SortedViTConfig(
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
            width="inner" if "inner" in approach.variant else "all",
            targets=quarters(backbone.layers) if "summation" in approach.variant else (),
            moves_rest="moves_rest" in approach.variant,
        )
    )
    if base:
        network.load_state_dict(base)
    return network


def quarters(layers: int) -> list[int]:
    """The targeted depths of the summation losses beside the whole network: the first layer, and three quarters."""
    return sorted({1, *(layers * quarter // 4 for quarter in (1, 2, 3))} - {0, layers})


def restored(config: Mapping[str, object]) -> SortedViT:
    """A network for the weights of a saved run, from its `config.json`."""
    return SortedViT(SortedViTConfig(**config))
