"""The one rule of this part: a sub-model is the stock network of the smaller size, and every parameter of it is the
leading block of the big network's (SortedNet, §3; Algorithm 1).

Sizes are counted in layers and in attention heads. A head brings its share of the MLP and, where the width is that of
`all`, of the hidden size; `inner` keeps the residual stream whole, as MatFormer and DynaBERT do. The rule holds for the
classes of transformers whose config has these names: ViT and Llama are tested.
"""

from collections.abc import Mapping
from operator import attrgetter
from typing import NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from lsnotebook.core.errors import LsnotebookError

WIDTHS = ("all", "inner")
"""What a narrower network has less of: `all` (hidden size, heads and MLP), or `inner` (heads and MLP alone)."""
Network = TypeVar("Network", bound=PreTrainedModel)
_shapes: WeakKeyDictionary[nn.Module, dict[str, torch.Size]] = WeakKeyDictionary()


class SizeError(LsnotebookError, ValueError):
    """A size that a network cannot be cut to; the message says which it can."""


class Size(NamedTuple):
    """How much of a network runs: its first layers, and of each its first heads with their share of the rest."""

    layers: int
    heads: int


def whole(config: PreTrainedConfig) -> Size:
    return Size(config.num_hidden_layers, config.num_attention_heads)


def possible_heads(config: PreTrainedConfig, width: str = "all") -> list[int]:
    """The numbers of heads that leave whole numbers of everything else: a Llama's groups of heads stay together."""
    heads = config.num_attention_heads
    shared = [config.intermediate_size, getattr(config, "num_key_value_heads", None) or heads]
    shared += [config.hidden_size] if width == "all" else []
    return [count for count in range(1, heads + 1) if all(size * count % heads == 0 for size in shared)]


def checked(size: tuple[int, ...], config: PreTrainedConfig, width: str = "all") -> Size:
    """`size` as a `Size` that the network can be cut to. Raises `SizeError`."""
    if width not in WIDTHS:
        raise SizeError(f"There is no width {width!r}: take one of {', '.join(WIDTHS)}.")
    layers, heads = size
    possible = possible_heads(config, width)
    if not 1 <= layers <= config.num_hidden_layers or heads not in possible:
        counts = ", ".join(map(str, possible))
        raise SizeError(
            f"This network can be cut to 1 to {config.num_hidden_layers} of its layers and to {counts} of its "
            f"{config.num_attention_heads} heads, but not to {layers} layers and {heads} heads; take another size."
        )
    return Size(layers, heads)


def cut(config: PreTrainedConfig, size: tuple[int, ...], width: str = "all") -> PreTrainedConfig:
    """The config of the stock network of a smaller size. Raises `SizeError`."""
    layers, heads = checked(size, config, width)
    if Size(layers, heads) == whole(config):
        return config
    values, of = config.to_dict(), config.num_attention_heads
    shared = ["num_attention_heads", "intermediate_size", "num_key_value_heads"]
    if width == "all":
        shared += ["hidden_size", "pooler_output_size"]
    else:  # or the fewer heads would be larger ones
        values["head_dim"] = values.get("head_dim") or config.hidden_size // of
    values |= {name: values[name] * heads // of for name in shared if values.get(name)}
    made = type(config).from_dict({**values, "num_hidden_layers": layers})
    made._attn_implementation = config._attn_implementation
    return made


def leading(parameters: Mapping[str, Tensor], shapes: Mapping[str, torch.Size]) -> dict[str, Tensor]:
    """`small[name] = whole[name][:n, :m ...]`, for each name and shape of the smaller network.

    Contiguous, as the weights of the stock class are: so the same kernels give the same last bit. What is not cut is
    no view: the gradient of one would be copied into zeros of the same shape.
    """
    return {
        name: found if (found := parameters[name]).shape == shape else found[block(shape)].contiguous()
        for name, shape in shapes.items()
    }


def block(shape: torch.Size) -> tuple[slice, ...]:
    return tuple(slice(length) for length in shape)


def skeleton(kind: type[Network], config: PreTrainedConfig) -> Network:
    """The stock network of a config without weights, to be run with those of a larger one."""
    with torch.device("meta"):
        return kind._from_config(config, attn_implementation=config._attn_implementation)


def shapes(network: nn.Module) -> dict[str, torch.Size]:
    """The shapes of parameters and buffers by name, those that are not saved included, such as a Llama's frequencies.

    Remembered, since to look for them takes as long as a tenth of a training step.
    """
    if network not in _shapes:
        found = *network.named_parameters(remove_duplicate=False), *network.named_buffers(remove_duplicate=False)
        _shapes[network] = {name: tensor.shape for name, tensor in found}
    return _shapes[network]


def tensors(network: nn.Module) -> dict[str, Tensor]:
    """The parameters and buffers by name, as in `shapes`."""
    return {name: attrgetter(name)(network) for name in shapes(network)}


def run(small: Network, parameters: Mapping[str, Tensor], *inputs: Tensor, **options: object):
    """What a sub-model returns: `small` is its skeleton, `parameters` are the big network's: gradients go to them."""
    # Weights that are tied have a tensor under each of their names, so that none has to be looked for.
    return torch.func.functional_call(small, leading(parameters, shapes(small)), inputs, options, tie_weights=False)


def extract(network: Network, size: tuple[int, ...], width: str = "all") -> Network:
    """The sub-model as a network of the stock class by itself, for `save_pretrained`. Raises `SizeError`."""
    config = cut(network.config, size, width)
    small = type(network)._from_config(config, attn_implementation=config._attn_implementation)
    small.load_state_dict(leading(network.state_dict(), {name: one.shape for name, one in small.state_dict().items()}))
    return small.train(network.training)
