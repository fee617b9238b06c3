"""The one rule of this part: a sub-model is the stock network of the smaller size, and every parameter of it is the
leading block of the big network's (SortedNet, §3; Algorithm 1).

Sizes are counted in layers and in attention heads. A head brings its share of the MLP and, where the width is that of
`all`, of the hidden size; `inner` keeps the residual stream whole, as MatFormer and DynaBERT do. The rule holds for the
classes of transformers whose config has these names: ViT and Llama are tested.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from lsnotebook.core.errors import LsnotebookError

WIDTHS = ("all", "inner")
"""What a narrower network has less of: `all` (hidden size, heads and MLP), or `inner` (heads and MLP alone)."""
Network = TypeVar("Network", bound=PreTrainedModel)


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


class Blocks(torch.autograd.Function):
    """The leading blocks of parameters, in one step of the backward pass: hundreds of small ones take longer than the
    layers do, though less memory. Contiguous, as the weights of the stock class are: so the same kernels give the same
    last bit."""

    @staticmethod
    def forward(ctx, shapes: Sequence[torch.Size], *parameters: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        ctx.shapes = [one.shape for one in parameters]
        pairs = zip(parameters, shapes, strict=True)
        return tuple(one[block(shape)].clone(memory_format=torch.contiguous_format) for one, shape in pairs)

    @staticmethod
    def backward(ctx, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        return None, *(None if one is None else padded(one, of) for one, of in zip(gradients, ctx.shapes, strict=True))


def padded(gradient: Tensor, shape: torch.Size) -> Tensor:
    """A gradient of the leading block, and zeros."""
    whole = gradient.new_zeros(shape)
    whole[block(gradient.shape)] = gradient
    return whole


def leading(parameters: Mapping[str, Tensor], shapes: Mapping[str, torch.Size]) -> dict[str, Tensor]:
    """`small[name] = whole[name][:n, :m ...]`, for each name and shape of the smaller network. Gradients go to the
    parameters; a BatchNorm's running statistics, which have none, are counted where they are."""
    found = {}
    for name, shape in shapes.items():
        given = parameters[name]
        found[name] = given if given.shape == shape or given.requires_grad else given[block(shape)].contiguous()
    learned = [name for name, shape in shapes.items() if found[name].shape != shape]
    blocks = Blocks.apply([shapes[name] for name in learned], *(found[name] for name in learned))
    return found | dict(zip(learned, blocks, strict=True))


def block(shape: torch.Size) -> tuple[slice, ...]:
    return tuple(slice(length) for length in shape)


class Taken(NamedTuple):
    """What a skeleton has of a larger network."""

    same: list[nn.Parameter]
    """What need not be cut: the same objects."""
    looked_up: list[tuple[str, torch.Size, nn.Module, str]]
    """What is cut each time it runs, and buffers: name, shape, and of which module of the network it is which
    attribute, which may be replaced."""


def skeleton(kind: type[Network], config: PreTrainedConfig, network: PreTrainedModel) -> Network:
    """The stock network of a smaller config, with what it has of the larger `network`."""
    with torch.device("meta"):
        small = kind._from_config(config, attn_implementation=config._attn_implementation)
    return take(small, network)


def take(small: Network, network: PreTrainedModel) -> Network:
    """`small` with the parameters and buffers (be they saved or not) of a larger network, cut where it is smaller."""
    same, sizes = [], {name: one.shape for name, one in small.named_buffers(remove_duplicate=False)}
    for name, parameter in list(small.named_parameters(remove_duplicate=False)):
        path, _, leaf = name.rpartition(".")
        given = network.get_parameter(name)
        if given.shape == parameter.shape:
            setattr(small.get_submodule(path), leaf, given)
            same.append(given)
        else:
            sizes[name] = parameter.shape
    paths = {name: name.rpartition(".") for name in sizes}
    looked_up = [(name, sizes[name], network.get_submodule(path), leaf) for name, (path, _, leaf) in paths.items()]
    small.taken = Taken(same, looked_up)  # type: ignore[assignment]  # no module, and so no weights of it
    return small


def parts(small: nn.Module) -> dict[nn.Parameter, torch.Size]:
    """The parameters of the larger network that a skeleton has, and the shape of what it has of each."""
    taken = cast(Taken, small.taken)
    blocks = ((getattr(module, leaf), shape) for _, shape, module, leaf in taken.looked_up)
    return {one: one.shape for one in taken.same} | {one: by for one, by in blocks if isinstance(one, nn.Parameter)}


def run(small: Network, *inputs: Tensor, **options: object):
    """What a sub-model returns: `small` is its skeleton; gradients go to the parameters of the big network."""
    looked_up = cast(Taken, small.taken).looked_up
    given = {name: getattr(module, leaf) for name, _, module, leaf in looked_up}
    parameters = leading(given, {name: shape for name, shape, *_ in looked_up})
    # Weights that are tied have a tensor under each of their names, so that none has to be looked for.
    return torch.func.functional_call(small, parameters, inputs, options, tie_weights=False)


def extract(network: Network, size: tuple[int, ...], width: str = "all") -> Network:
    """The sub-model as a network of the stock class by itself, for `save_pretrained`. Raises `SizeError`."""
    config = cut(network.config, size, width)
    small = type(network)._from_config(config, attn_implementation=config._attn_implementation)
    small.load_state_dict(leading(network.state_dict(), {name: one.shape for name, one in small.state_dict().items()}))
    return small.train(network.training)
