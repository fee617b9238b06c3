"""What decoders predict after each of their layers, on files that they were not trained on."""

import functools
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import LlamaForCausalLM

from lsnotebook.core.source import code_version
from lsnotebook.core.store import remembered
from lsnotebook.engine.runs import one_thread
from lsnotebook.sortednet import exits
from lsnotebook.sortednet.language_runs import Decoder, passages, tokenizer_of
from lsnotebook.sortednet.text import lengths


@torch.no_grad()
def answers(network: LlamaForCausalLM, those: Tensor) -> pd.DataFrame:
    """What is predicted for each token of passages (B, T) after each layer, through the one norm and classifier: image
    (the token's number), layers, confidence, right, agrees (with all layers), nats."""
    truth, tables = those[:, 1:].flatten(), []
    *inner, last = network.model(those, output_hidden_states=True, use_cache=False).hidden_states[1:]
    whole = network.lm_head(last)[:, :-1].argmax(-1).flatten()
    for depth, z in enumerate([*map(network.model.norm, inner), last], start=1):
        odds = network.lm_head(z)[:, :-1].flatten(0, 1).log_softmax(-1)  # (N, V)
        sure, said = odds.max(-1)
        nats = F.nll_loss(odds, truth, reduction="none")
        values = {"confidence": sure.exp(), "right": said == truth, "agrees": said == whole, "nats": nats}
        columns = {name: value.numpy() for name, value in values.items()}
        tables.append(pd.DataFrame({"image": range(len(truth)), "layers": depth, **columns}))
    return pd.concat(tables, ignore_index=True)


@functools.cache
def held_out(decoder: Decoder) -> pd.DataFrame:
    """`answers` on the selection and on the validation files, with approach (the decoder's kind), seed and part."""
    network, tables = decoder.load(), []
    with one_thread():
        for part in ("selection", "validation"):
            table = answers(network, passages(decoder.scale, part, decoder.scale.passages))
            tables.append(table.assign(approach=decoder.kind, seed=decoder.seed, part=part))
    return pd.concat(tables)


def depths(decoder: Decoder) -> pd.DataFrame:
    """The first layers of a decoder on the validation files: approach, seed, layers, top1, agrees, and bits, the
    cross-entropy a byte of text."""
    table, scale = held_out(decoder).query("part == 'validation'"), decoder.scale
    read = passages(scale, "validation", scale.passages)[:, 1:]
    size = int(torch.tensor(lengths(tokenizer_of(scale.vocabulary)))[read].sum())
    found = exits.prefixes(table).drop(columns="part")
    return found.assign(bits=found["layers"].map(table.groupby("layers")["nats"].sum() / np.log(2) / size))


def by_depth(wanted: Sequence[Decoder]) -> pd.DataFrame:
    """`depths` of several decoders."""
    return found(wanted, "depths", depths)


def early(wanted: Sequence[Decoder]) -> pd.DataFrame:
    """Early exit of several decoders, as `exits.chosen`: the threshold is found on the selection files."""
    return found(wanted, "exits", lambda one: exits.chosen(held_out(one)))


def found(
    wanted: Sequence[Decoder], what: str, compute: Callable[[Decoder], pd.DataFrame], **arguments: object
) -> pd.DataFrame:
    """What `compute` makes of each decoder, in one table, from the store where that was made before."""
    recipe = {"decoders": [one.recipe for one in wanted], "passages": wanted[0].scale.passages, "what": what}
    recipe |= {"arguments": arguments, "code": code_version(compute.__module__)}
    return remembered(recipe, f"language {what}", lambda: pd.concat(map(compute, wanted), ignore_index=True))
