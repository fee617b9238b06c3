"""A small decoder of transformers' own Llama class, ordinary and sorted in depth: sizes, and how it is trained.

The base learns the text as a whole network. Both kinds refine it: the ordinary one goes on so, and for the sorted one
the number of its first layers that run is drawn anew for each batch (Algorithm 1). A layer that does not run has no
gradient, so that the optimizer leaves it alone. All depths share the last norm and the classifier of tokens.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from lsnotebook.core.randomness import stream
from lsnotebook.core.seeding import seeded
from lsnotebook.sortednet.submodels import cut, run, skeleton

BASE, ORDINARY, SORTED = KINDS = ("base", "ordinary", "sorted")


@dataclass(frozen=True)
class LanguageScale:
    """A decoder and its training."""

    name: str
    vocabulary: int
    """Tokens of the tokenizer, one for each byte included."""
    layers: int
    hidden_size: int
    heads: int
    mlp_size: int
    context: int
    """Tokens of a training passage."""
    batch_size: int
    pretrain_steps: int
    refine_steps: int
    learning_rate: float
    refine_learning_rate: float
    seeds: int
    """Refined networks of each kind."""
    passages: int
    """Of the selection and of the validation files each, that a network is judged on."""

    def steps(self, kind: str) -> int:
        return self.pretrain_steps if kind == BASE else self.refine_steps


def initial(scale: LanguageScale, seed: int, base: Mapping[str, Tensor] | None = None) -> LlamaForCausalLM:
    """The network with the weights of `base`, or fresh ones."""
    with seeded(seed, "language"):
        network = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=scale.vocabulary,
                hidden_size=scale.hidden_size,
                intermediate_size=scale.mlp_size,
                num_hidden_layers=scale.layers,
                num_attention_heads=scale.heads,
                max_position_embeddings=2 * scale.context,
                tie_word_embeddings=True,
                initializer_range=0.05,
                bos_token_id=None,
                eos_token_id=None,
                pad_token_id=None,
            )
        )
    if base:
        network.load_state_dict(dict(base))
    return network


def train(
    network: LlamaForCausalLM,
    tokens: Tensor,
    scale: LanguageScale,
    kind: str,
    seed: int,
    advance: Callable[[int], None] = lambda count: None,
) -> LlamaForCausalLM:
    """Train on random passages of `tokens` (N,). The k-th ordinary and the k-th sorted network see the same ones."""
    steps, rate = scale.steps(kind), scale.learning_rate if kind == BASE else scale.refine_learning_rate
    optimizers = optimizers_of(network, rate)
    schedules = [torch.optim.lr_scheduler.LambdaLR(one, functools.partial(share, steps=steps)) for one in optimizers]
    prefixes = {depth: prefix(network, depth).train() for depth in range(1, scale.layers + 1)}
    for step, passages in enumerate(batches(tokens, scale, kind, seed)):
        depth = int(stream(seed, "depth", step).integers(1, scale.layers + 1)) if kind == SORTED else scale.layers
        run(prefixes[depth], passages, labels=passages, use_cache=False).loss.backward()
        for one in (*optimizers, *schedules):
            one.step()
        network.zero_grad()
        advance(1)
    return network.eval()


def optimizers_of(network: LlamaForCausalLM, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for tokens and norms: fewer steps than with AdamW for all."""
    matrices = [one for one in network.model.layers.parameters() if one.ndim == 2]
    rest = [*network.model.embed_tokens.parameters(), *(one for one in network.parameters() if one.ndim == 1)]
    return [
        torch.optim.Muon(matrices, rate, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"),  # steps as long as Adam's
        torch.optim.AdamW(rest, rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
    ]


def share(step: int, steps: int) -> float:
    """The share of the learning rate at a step: up over a tenth of all steps, and down to zero."""
    return min((step + 1) / max(1, steps // 10), (steps - step) / steps)


def prefix(network: LlamaForCausalLM, depth: int) -> LlamaForCausalLM:
    """The skeleton of the first layers of a network (`submodels`)."""
    return skeleton(type(network), cut(network.config, (depth, network.config.num_attention_heads)), network)


def batches(tokens: Tensor, scale: LanguageScale, kind: str, seed: int) -> Iterator[Tensor]:
    """Random passages (B, T), a batch a step."""
    purpose = "passages of the base" if kind == BASE else "passages"
    for step in range(scale.steps(kind)):
        begins = stream(seed, purpose, step).integers(0, len(tokens) - scale.context, scale.batch_size)
        yield tokens[torch.tensor(begins)[:, None] + torch.arange(scale.context)]
