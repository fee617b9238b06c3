"""The tables and sentences of sorted decoders, from `language_measures` and `speculation`."""

import itertools
import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from lsnotebook.core.statistics import crossed
from lsnotebook.engine import provenance
from lsnotebook.pages.tables import as_text, percent
from lsnotebook.sortednet import paper, text
from lsnotebook.sortednet.language import ORDINARY, SORTED, LanguageScale
from lsnotebook.sortednet.language_runs import Decoder, tokenizer_of, tokens
from lsnotebook.sortednet.speculation import PLAIN


def the_text(scale: LanguageScale) -> str:
    """How much text there is, of which Python."""
    made = provenance.provenance(torch.device("cpu"))
    parts = [
        f"{len(text.files(part))} files of {sum(len(one.encode()) for one in text.files(part)) / 1e6:.2f} MB for {what}"
        for part, what in zip(text.PARTS, ("training", "selection", "validation"), strict=True)
    ]
    (size,) = {sum(len(one.encode()) for one in text.files("validation"))}
    a_token = size / len(tokens(scale.vocabulary, "validation"))
    return (
        f"This run reads the library of Python {made['python']}: {', '.join(parts[:-1])} and {parts[-1]}. Its "
        f"{scale.vocabulary} tokens stand for {a_token:.1f} bytes each on average. The text's fingerprint is "
        f"`{text.fingerprint()}`: another version of Python has another text, and its numbers differ."
    )


def the_network(scale: LanguageScale) -> str:
    """Its sizes and its training."""
    return (
        f"It has {scale.layers} layers of width {scale.hidden_size} with {scale.heads} heads, and sees passages of "
        f"{scale.context} tokens, {scale.batch_size} a batch: the base {scale.pretrain_steps} of these, and each "
        f"refinement {scale.refine_steps}. Muon updates the matrices of the layers, AdamW all else; the paper fine-"
        "tunes with AdamW, which learned this text more slowly in trials on the selection files."
    )


def by_seed(depths: pd.DataFrame, kind: str, measure: str, where: str = "layers > 0") -> np.ndarray:
    """(I,): the mean over some depths of each network of a kind."""
    there = depths[depths["approach"] == kind].query(where)
    return there.groupby("seed")[measure].mean().to_numpy()


def by_depth(depths: pd.DataFrame) -> pd.DataFrame:
    """Bits a byte after each number of layers, ordinary and sorted, and their difference, paired by seed."""
    rows = {}
    for layers in sorted(depths["layers"].unique()):
        ordinary, ours = (by_seed(depths, kind, "bits", f"layers == {layers}") for kind in (ORDINARY, SORTED))
        values = {"ordinary": ordinary, "sorted": ours, "sorted less ordinary": ours - ordinary}
        rows[layers] = {what: as_text(*crossed(one), decimals=2) for what, one in values.items()}
    return pd.DataFrame(rows).T.rename_axis("layers")


def loss_found(depths: pd.DataFrame) -> str:
    """The loss of half of the layers and of all of them, in a sentence."""
    last = depths["layers"].max()
    parts = []
    for layers, what in ((last // 2, f"half of the layers ({last // 2})"), (last, f"all {last} layers")):
        pair = [f"{by_seed(depths, kind, 'bits', f'layers == {layers}').mean():.2f}" for kind in (SORTED, ORDINARY)]
        parts.append(f"{pair[0]} bits a byte with {what}, sorted, against {pair[1]}, ordinary")
    return "**We got**, on files that no network was trained on, " + "; ".join(parts) + "."


def draft_name(draft: int, layers: int) -> str:
    return f"{draft} of {layers} layers draft" if draft else f"all {layers} layers, plain"


def speculative(table: pd.DataFrame, layers: int) -> pd.DataFrame:
    """One row for each draft: the counterpart of Table 4."""
    rows = {}
    for draft, there in table.groupby("draft"):
        sums = there[["passes", "drafted", "accepted"]].sum()
        rows[draft_name(draft, layers)] = {
            "ms a token": f"{there['ms'].median():.2f}",
            "times as fast": "1" if draft == PLAIN else as_text(*crossed(times_as_fast(table, draft)), decimals=2),
            "rejected": "–" if draft == PLAIN else percent(1 - sums["accepted"] / sums["drafted"]),
            "tokens a pass": f"{(sums['accepted'] + sums['passes']) / sums['passes']:.2f}",
            "layers run a token": f"{there['layers'].mean():.1f}",
            "same text": f"{there['same'].sum()} of {len(there)}",
        }
    return pd.DataFrame(rows).T


def by_prompt(table: pd.DataFrame, draft: int, measure: str) -> np.ndarray:
    """(networks, prompts): a measure of one way of decoding."""
    return table[table["draft"] == draft].pivot(index="seed", columns="prompt", values=measure).to_numpy()


def faster(table: pd.DataFrame) -> np.ndarray:
    """(networks, prompts): how many more tokens the shortest draft writes in the same time, in %."""
    shortest = int(table.loc[table["draft"] != PLAIN, "draft"].min())
    return 100 * (times_as_fast(table, shortest) - 1)


def times_as_fast(table: pd.DataFrame, draft: int) -> np.ndarray:
    return by_prompt(table, PLAIN, "ms") / by_prompt(table, draft, "ms")


def same(table: pd.DataFrame) -> str:
    """Whether drafting changed any text, in a sentence."""
    drafted = table[table["draft"] != PLAIN]
    other = drafted[~drafted["same"].astype(bool)]
    if other.empty:
        return (
            f"**Speculation changed nothing.** All {len(drafted)} texts that were written with a draft are, token for "
            "token, those of plain greedy decoding."
        )
    return (
        f"**Of {len(drafted)} texts that were written with a draft, {len(drafted) - len(other)} are, token for token, "
        f"those of plain greedy decoding.** Where the others part from it, the network's two first choices differ by "
        f"{other['gap'].max():.2g} in their logits at most: a pass over several tokens rounds otherwise than passes "
        "over one, and can turn such a tie."
    )


def repeats(table: pd.DataFrame) -> str:
    """How much of what plain decoding writes it has written before."""
    plain = table[table["draft"] == PLAIN]["repeats"].mean()
    return f"Of all runs of four tokens in these texts, {percent(plain, 0)} stood in the same text before."


def speed_found(table: pd.DataFrame, layers: int) -> str:
    """What drafting saves in layers and in time."""
    means = table.groupby("draft").agg(ms=("ms", "median"), layers=("layers", "mean"))
    plain, drafts = means.loc[PLAIN], means.drop(PLAIN)
    fewest, quickest = int(drafts["layers"].idxmin()), int(drafts["ms"].idxmin())
    slower = (
        " A layer of this small network is quick, and what Python does around each pass is not, least of all where a "
        "draft begins and ends; where layers are large, they take the time."
    )
    return (
        f"Plain decoding runs {plain['layers']:.0f} layers for a token. With a draft of {fewest} it takes "
        f"{drafts['layers'][fewest]:.1f}, which is {percent(drafts['layers'][fewest] / plain['layers'], 0)}. In time, "
        f"the quickest draft, of {quickest}, takes {percent(drafts['ms'][quickest] / plain['ms'], 0)} of what plain "
        f"decoding takes on this machine.{slower if drafts['ms'][quickest] > plain['ms'] else ''}"
    )


def table3() -> pd.DataFrame:
    """Table 3 of the paper, the averages first."""
    rows = paper.table3()
    first = {"average": "sorted", "average without": "ordinary"}
    return rows[[*first, *rows.columns.difference([*first], sort=False)]].rename(columns=first)


def table4() -> pd.DataFrame:
    """Table 4 of the paper, stochastic loss, with the speed-up over its own plain decoding."""
    rows = paper.table4()
    plain = rows.iloc[0]
    return pd.DataFrame(
        {
            f"{decoding}, {draft}": {
                "ms a token": f"{row['stochastic ms']:.2f}",
                "times as fast": f"{plain['stochastic ms'] / row['stochastic ms']:.2f}",
                "rejected": "–" if pd.isna(row["stochastic rejection"]) else percent(row["stochastic rejection"], 0),
                "accuracy": percent(row["stochastic accuracy"] / 100),
            }
            for (decoding, draft), row in rows.iterrows()
        }
    ).T


def early_exit(found: pd.DataFrame) -> pd.DataFrame:
    """Early exit at the thresholds that were chosen, by kind."""
    rows = {}
    for kind in (ORDINARY, SORTED):
        there = found[found["approach"] == kind].sort_values("seed")
        rows[kind] = {
            "mean layers run": as_text(*crossed(there["layers"].to_numpy())),
            "top-1": as_text(*crossed(100 * there["top1"].to_numpy(), (0, 100)), " %"),
            "all layers": as_text(*crossed(100 * there["full"].to_numpy(), (0, 100)), " %"),
        }
    return pd.DataFrame(rows).T


def sample(decoder: Decoder, prompt: torch.Tensor, continuation: torch.Tensor) -> str:
    """A prompt and what the network makes of it, as a block of code in Markdown."""
    words = tokenizer_of(decoder.scale.vocabulary)
    begun, added = (words.decode(one.tolist()) for one in (prompt, continuation))
    rows = (textwrap.wrap(one, 80, drop_whitespace=False) or [""] for one in f"{begun}⟶{added}".splitlines())
    shown = "\n".join(itertools.chain(*rows))
    return f"A prompt, and after ⟶ what the {decoder.kind} network adds:\n\n~~~~~~text\n{shown}\n~~~~~~"


def origin(wanted: Sequence[Decoder], **given: object) -> str:
    """How the figures of the page came to be."""
    made, seeds = provenance.provenance(torch.device("cpu")), sorted({one.seed for one in wanted})
    return (
        f"Profile {wanted[0].scale.name}, seeds {seeds[0]} to {seeds[-1]}, text of Python {made['python']} "
        f"({text.fingerprint()}), on {made['device']} ({made['machine']}, torch {made['torch']}). "
        f"{provenance.again('12_sorted_language', **given)}"
    )
