"""A whole training step as a graph: forward pass, backward pass and Adam, traced over fake tensors.

No weights are allocated and nothing is computed. What memory an operator makes is read from the fake storages: a tensor
whose storage is known is a view.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import functional_call
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._pytree import tree_leaves

from lsnotebook.roam.graph import Graph
from lsnotebook.roam.networks import NetworkError, reason

ADAM = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "weight_decay": 0.0, "eps": 1e-6, "amsgrad": False, "maximize": False}


@dataclass(frozen=True)
class Step:
    """A captured training step, to be planned and to be run."""

    traced: fx.GraphModule
    """Its arguments are flat: weights, the two moments of each, the count of steps, buffers, the batch."""
    operators: tuple[fx.Node, ...]
    """The node of each operator of the graph; other nodes are views, or parts of what an operator returns."""
    nodes: tuple[frozenset[fx.Node], ...]
    """For each block the nodes that hold it."""
    graph: Graph
    parameters: int
    """How many weight tensors there are."""
    weights: int
    """Their bytes."""

    @cached_property
    def fixed(self) -> int:
        """Bytes that are there all the time: the weights, and twice as many of Adam's moments."""
        return 3 * self.weights


class Passes(nn.Module):
    """The forward and the backward pass of a model. Gradient checkpointing runs the model in the backward pass, too."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, leaves: list[Tensor], inputs: dict[str, Tensor]) -> tuple[Tensor, tuple[Tensor | None, ...]]:
        loss = self.model(**inputs).loss
        return loss, torch.autograd.grad(loss, leaves, allow_unused=True)


def captured(model: nn.Module, batch: Mapping[str, Tensor]) -> Step:
    """The training step of a model (on whatever device; on meta it has no weights) on a batch. Its forward pass returns
    an object with a `loss`. Raises `NetworkError` where the step cannot be traced."""
    whole = Passes(model)
    names = [name for name, _ in whole.named_parameters()]
    buffers = [name for name, _ in whole.named_buffers()]
    fake = FakeTensorMode()

    def step(
        weights: list[Tensor], first: list[Tensor], second: list[Tensor], count: Tensor, others: list, inputs: dict
    ) -> Tensor:
        count.add_(1)
        leaves = [weight.detach().requires_grad_() for weight in weights]
        state = {**dict(zip(names, leaves, strict=True)), **dict(zip(buffers, others, strict=True))}
        loss, gradients = functional_call(whole, state, (leaves, inputs))
        for weight, gradient, *moments in zip(weights, gradients, first, second, strict=True):
            if gradient is not None:
                mean, square = moments
                torch._fused_adam_([weight], [gradient], [mean], [square], [], [count], **ADAM)
        return loss

    with fake:  # on the CPU, whose operators are the ones that run
        weights, first, second = ([like(weight) for weight in model.parameters()] for _ in range(3))
        given = weights, first, second, torch.zeros(()), [like(buffer) for buffer in model.buffers()]
        inputs = {name: like(tensor) for name, tensor in batch.items()}
    try:
        traced = make_fx(step, tracing_mode="fake")(*given, inputs)
    except Exception as error:  # whatever the code of a network does that has no values
        raise NetworkError(
            f"The training step of {type(model).__name__} cannot be traced ({reason(error)}): what it does must not "
            "depend on the values of tensors; name another network."
        ) from error
    operators, nodes, graph = read(traced.graph)
    return Step(traced, operators, nodes, graph, len(names), sum(weight.nbytes for weight in model.parameters()))


def like(tensor: Tensor) -> Tensor:
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="cpu")


def read(traced: fx.Graph) -> tuple[tuple[fx.Node, ...], tuple[frozenset[fx.Node], ...], Graph]:
    """The operators of a traced step, the nodes of each block, and the graph of both."""
    operators: list[fx.Node] = []
    blocks: dict[int, int] = {}
    """The block of a storage; none for those that are there before."""
    sizes: list[int] = []
    makers: list[int] = []
    before: list[frozenset[int]] = []
    readers: dict[int, set[int]] = defaultdict(set)
    holders: dict[int, set[fx.Node]] = defaultdict(set)
    writer: dict[int, int] = {}
    users: dict[int, set[int]] = defaultdict(set)
    """By storage: the operator that has written it last, and those that have used it since."""
    known: set[int] = set()
    random: set[int] = set()
    updates: set[int] = set()
    forward, loss = 0, storages(traced.output_node().args[0])
    for node in traced.nodes:
        own = storages(node)
        if node.op != "call_function":
            known |= own if node.op in ("placeholder", "get_attr") else set()
            continue
        used = set().union(*(storages(argument) for argument in node.all_input_nodes))
        written, draws = written_by(node), torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ())
        made = own - used - known
        if made or written or draws:
            this = len(operators)
            operators.append(node)
            needed = {writer[storage] for storage in used if storage in writer}
            needed |= set().union(*(users[storage] for storage in written))
            if draws:  # in the order of the program: then the random numbers are the same
                needed |= random
                random = {this}
            before.append(frozenset(needed - {this}))
            for storage in used:
                users[storage].add(this)
                if storage in blocks:
                    readers[blocks[storage]].add(this)
            for storage, size in sized(node):
                if storage in made and storage not in blocks:
                    blocks[storage] = len(sizes)
                    sizes.append(size)
                    makers.append(this)
            for storage in made | written:
                writer[storage], users[storage] = this, set()
            if "adam" in str(node.target):
                updates.add(this)
            if made & loss:
                forward = this + 1
        for storage in own & blocks.keys():
            holders[blocks[storage]].add(node)
    graph = Graph(
        names=tuple(node.name for node in operators),
        before=tuple(before),
        sizes=tuple(sizes),
        makers=tuple(makers),
        readers=tuple(frozenset(readers[block]) for block in range(len(sizes))),
        kept=frozenset(blocks[storage] for storage in loss),
        updates=frozenset(updates),
        forward=forward,
    )
    return tuple(operators), tuple(frozenset(holders[block]) for block in range(len(sizes))), graph


def sized(node: fx.Node) -> Iterator[tuple[int, int]]:
    """The storages of what a node returns, (key, bytes)."""
    for tensor in tree_leaves(node.meta.get("val")):
        if isinstance(tensor, Tensor):
            storage = tensor.untyped_storage()
            yield storage._cdata, storage.nbytes()


def storages(nodes: Any) -> set[int]:
    return {storage for node in tree_leaves(nodes) if isinstance(node, fx.Node) for storage, _ in sized(node)}


def written_by(node: fx.Node) -> set[int]:
    """The storages that an operator overwrites, as its schema says."""
    if not isinstance(node.target, torch._ops.OpOverload):
        return set()
    written = set()
    for place, argument in enumerate(node.target._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            given = node.args[place] if place < len(node.args) else node.kwargs.get(argument.name)
            written |= storages(given)
    return written
