"""Self-speculative decoding (Table 4): the first layers draft some tokens one by one, and one pass of the whole network
checks them all. It keeps those that it would have written itself, and adds one of its own.

This is transformers' assisted generation with `assistant_early_exit`: no second network, no second copy of weights.
"""

import time
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from transformers import LlamaForCausalLM
from transformers.utils import logging

from lsnotebook.engine.provenance import provenance
from lsnotebook.engine.runs import one_thread
from lsnotebook.sortednet.language import LanguageScale
from lsnotebook.sortednet.language_measures import found
from lsnotebook.sortednet.language_runs import Decoder, passages

PLAIN = 0
"""The draft of plain greedy decoding: none."""
PROMPTS, NEW, AHEAD = 4, 32, 2
"""If nothing else is asked for: prompts, tokens that each is continued by, and tokens drafted for each check."""


def drafts_of(layers: int) -> list[int]:
    """The numbers of first layers that draft, if nothing else is asked for: up to half of all."""
    return [*range(1, layers // 2 + 1)]


def continued(network: LlamaForCausalLM, prompt: Tensor, new: int, draft: int = PLAIN, ahead: int = AHEAD) -> Tensor:
    """The tokens (new,) that greedy decoding adds to a prompt (T,), the first `draft` layers `ahead` of all layers."""
    settings = network.generation_config  # a draft takes its own from there
    settings.num_assistant_tokens, settings.num_assistant_tokens_schedule = ahead, "constant"
    settings.assistant_confidence_threshold = 0.0  # always so many
    options = {"attention_mask": torch.ones_like(prompt)[None], "max_new_tokens": new, "do_sample": False}
    options |= {"assistant_early_exit": draft} if draft else {}
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # transformers warns of calls that it makes itself for drafts
    try:
        return network.generate(prompt[None], **options)[0, len(prompt) :]
    finally:
        logging.set_verbosity(verbosity)


@torch.no_grad()
def gap(network: LlamaForCausalLM, prompt: Tensor, one: Tensor, other: Tensor) -> float:
    """Where two continuations part: how much more the network's logits give to its first choice than to its second."""
    place = int((one != other).nonzero()[0])
    first, second = network(torch.cat([prompt, one[:place]])[None]).logits[0, -1].topk(2).values.tolist()
    return first - second


def compared(
    network: LlamaForCausalLM, prompts: Tensor, drafts: Sequence[int], new: int, ahead: int = AHEAD, rounds: int = 3
) -> pd.DataFrame:
    """Each prompt (P, T) continued plainly and with each draft, in turn, `rounds` times: prompt, draft, passes (of the
    whole network), drafted and accepted tokens, layers (that ran, a token), ms (a token, the median), same (the text is
    that of plain decoding), gap (see there; NaN where it is the same), repeats (the share of all runs of four tokens
    that stood in the text before)."""
    continued(network, prompts[0], new, max(drafts), ahead)  # warms up
    rows, whole = [], network.config.num_hidden_layers  # fewer while a draft runs
    for number, prompt in enumerate(prompts):
        times: dict[int, list[float]] = {draft: [] for draft in (PLAIN, *drafts)}
        texts: dict[int, Tensor] = {}
        ran: dict[int, list[int]] = {draft: [] for draft in times}
        for _ in range(rounds):
            for draft, seconds in times.items():
                ran[draft].clear()
                with network.register_forward_pre_hook(partial(note_depth, ran[draft])):
                    begun = time.perf_counter()
                    texts[draft] = continued(network, prompt, new, draft, ahead)
                    seconds.append(time.perf_counter() - begun)
        for draft, text in texts.items():
            passes, fours = ran[draft].count(whole), text.unfold(0, 4, 1)
            same = torch.equal(text, texts[PLAIN])
            row = {
                "prompt": number,
                "draft": draft,
                "passes": passes,
                "drafted": len(ran[draft]) - passes,
                "accepted": new - passes,
                "layers": sum(ran[draft]) / new,
                "ms": 1000 * float(np.median(times[draft])) / new,
                "same": same,
                "gap": np.nan if same else gap(network, prompt, texts[PLAIN], text),
                "repeats": 1 - len(fours.unique(dim=0)) / len(fours),
            }
            rows.append(row)
    return pd.DataFrame(rows)


def note_depth(depths: list[int], network: LlamaForCausalLM, *_: object) -> None:
    """Before a pass: with how many layers it runs."""
    depths.append(network.config.num_hidden_layers)


def prompts_of(scale: LanguageScale, count: int) -> Tensor:
    """(P, T / 4): the beginnings of passages of the validation files."""
    return passages(scale, "validation", count)[:, : scale.context // 4]


def speculation(
    wanted: Sequence[Decoder], drafts: Sequence[int], prompts: int = PROMPTS, new: int = NEW, ahead: int = AHEAD
) -> pd.DataFrame:
    """`compared` of several decoders, with approach and seed, on `prompts_of` their scale. In the store once
    it is measured on a machine of this kind with these versions."""

    def measured(decoder: Decoder) -> pd.DataFrame:
        with one_thread():
            table = compared(decoder.load(), prompts_of(decoder.scale, prompts), drafts, new, ahead)
        return table.assign(approach=decoder.kind, seed=decoder.seed)

    arguments = {"drafts": list(drafts), "prompts": prompts, "new": new, "ahead": ahead}
    return found(wanted, "speculation", measured, **arguments, made=provenance(torch.device("cpu")))
