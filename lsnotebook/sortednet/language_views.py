"""The figures, tables and sentences of sorted decoders, from `language_measures` and `speculation`."""

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lsnotebook.core.statistics import crossed
from lsnotebook.engine import provenance
from lsnotebook.pages.style import new, styled
from lsnotebook.pages.tables import percent
from lsnotebook.sortednet import exit_views, paper, text
from lsnotebook.sortednet.intervals import mean
from lsnotebook.sortednet.language import ORDINARY, SORTED, LanguageScale
from lsnotebook.sortednet.language_runs import Decoder, tokenizer_of, tokens
from lsnotebook.sortednet.neuron_views import COLOURS, MARKERS
from lsnotebook.sortednet.speculation import PLAIN


def the_text(scale: LanguageScale) -> str:
    """How much text there is, of which Python."""
    files = {part: text.files(part) for part in text.PARTS}
    sizes = {part: sum(len(one.encode()) for one in files[part]) for part in files}
    train, selection, validation = (f"{len(files[part])} files of {sizes[part] / 1e6:.2f} MB for" for part in files)
    a_token = sizes["validation"] / len(tokens(scale.vocabulary, "validation"))
    return (
        f"This run reads the library of Python {provenance.provenance(torch.device('cpu'))['python']}: {train} "
        f"training, {selection} selection and {validation} validation. Its {scale.vocabulary} tokens stand for "
        f"{a_token:.1f} bytes each on average. The text's fingerprint is `{text.fingerprint()}`: another version of "
        "Python has another text, and its numbers differ."
    )


def the_network(scale: LanguageScale) -> str:
    """Its sizes and its training."""
    return (
        f"It has {scale.layers} layers of width {scale.hidden_size} with {scale.heads} heads, and sees passages of "
        f"{scale.context} tokens, {scale.batch_size} a batch: the base {scale.pretrain_steps} of these, and each "
        f"refinement {scale.refine_steps}. Muon updates the matrices of the layers, AdamW all else; the paper fine-"
        "tunes with AdamW, which learned this text more slowly in trials on the selection files."
    )


def bits_of(depths: pd.DataFrame, layers: int) -> tuple[np.ndarray, np.ndarray]:
    """Bits a byte after so many layers of each ordinary and each sorted network."""
    there = depths[depths["layers"] == layers].pivot(index="seed", columns="approach", values="bits")
    return there[ORDINARY].to_numpy(), there[SORTED].to_numpy()


def by_depth(depths: pd.DataFrame) -> pd.DataFrame:
    """Bits a byte after each number of layers, ordinary and sorted, and their difference, paired by seed."""
    rows = {}
    for layers in sorted(depths["layers"].unique()):
        ordinary, ours = bits_of(depths, layers)
        values = {"ordinary": ordinary, "sorted": ours, "sorted less ordinary": ours - ordinary}
        rows[layers] = {what: mean(one, decimals=2) for what, one in values.items()}
    return pd.DataFrame(rows).T.rename_axis("layers")


def loss_found(depths: pd.DataFrame) -> str:
    """The loss of half of the layers and of all of them, in a sentence."""
    last, parts = depths["layers"].max(), []
    for layers, what in ((last // 2, f"half of the layers ({last // 2})"), (last, f"all {last} layers")):
        ordinary, ours = (bits.mean() for bits in bits_of(depths, layers))
        parts.append(f"{ours:.2f} bits a byte with {what}, sorted, against {ordinary:.2f}, ordinary")
    return "**We got**, on files that no network was trained on, " + "; ".join(parts) + "."


def times_as_fast(table: pd.DataFrame, draft: int) -> np.ndarray:
    """(networks, prompts): plain decoding's time over that with a draft."""
    plain, drafted = (
        table[table["draft"] == one].pivot(index="seed", columns="prompt", values="ms") for one in (PLAIN, draft)
    )
    return (plain / drafted).to_numpy()


def faster(table: pd.DataFrame) -> np.ndarray:
    """(networks, prompts): how many more tokens the shortest draft writes in the same time, in %."""
    return 100 * (times_as_fast(table, int(table.loc[table["draft"] != PLAIN, "draft"].min())) - 1)


def speculative(table: pd.DataFrame, layers: int) -> pd.DataFrame:
    """One row for each draft: the counterpart of Table 4."""
    rows = {}
    for draft, there in table.groupby("draft"):
        passes, drafted, accepted = there[["passes", "drafted", "accepted"]].sum()
        rows[f"{draft} of {layers} layers draft" if draft else f"all {layers} layers, plain"] = {
            "ms a token": f"{there['ms'].median():.2f}",
            "times as fast": mean(times_as_fast(table, draft), decimals=2) if draft else "1",
            "rejected": percent(1 - accepted / drafted) if draft else "–",
            "tokens a pass": f"{(accepted + passes) / passes:.2f}",
            "layers run a token": f"{there['layers'].mean():.1f}",
            "same text": f"{there['same'].sum()} of {len(there)}",
        }
    return pd.DataFrame(rows).T


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


def speed_found(table: pd.DataFrame) -> str:
    """What drafting saves in layers and in time."""
    means = table.groupby("draft").agg(ms=("ms", "median"), layers=("layers", "mean"))
    plain, drafts = means.loc[PLAIN], means.drop(PLAIN)
    fewest, quickest = drafts["layers"].idxmin(), drafts["ms"].idxmin()
    layers, time = drafts["layers"][fewest], drafts["ms"][quickest] / plain["ms"]
    slower = (
        " A layer of this small network is quick, and what Python does around each pass is not, least of all where a "
        "draft begins and ends; where layers are large, they take the time."
    )
    return (
        f"Plain decoding runs {plain['layers']:.0f} layers for a token. With a draft of {fewest} it takes "
        f"{layers:.1f}, which is {percent(layers / plain['layers'], 0)}. In time, the quickest draft, of {quickest}, "
        f"takes {percent(time, 0)} of what plain decoding takes on this machine.{slower if time > 1 else ''}"
    )


def sample(decoder: Decoder, prompt: torch.Tensor, continuation: torch.Tensor) -> str:
    """A prompt and what the network makes of it, as a block of code in Markdown."""
    words = tokenizer_of(decoder.scale.vocabulary)
    whole = "⟶".join(words.decode(one.tolist()) for one in (prompt, continuation))
    rows = [row for one in whole.splitlines() for row in textwrap.wrap(one, 80, drop_whitespace=False) or [""]]
    shown = "\n".join(rows)
    return f"A prompt, and after ⟶ what the {decoder.kind} network adds:\n\n~~~~~~text\n{shown}\n~~~~~~"


def repeats(table: pd.DataFrame) -> str:
    """How much of what plain decoding writes it has written before."""
    plain = table[table["draft"] == PLAIN]["repeats"].mean()
    return f"Of all runs of four tokens in these texts, {percent(plain, 0)} stood in the same text before."


def early_exit(found: pd.DataFrame, layers: int) -> pd.DataFrame:
    """Early exit of decoders of so many layers at the thresholds that were chosen, by kind."""
    shown = exit_views.chosen(found, {kind: kind for kind in (ORDINARY, SORTED)}, layers)
    return shown.drop(columns=["threshold", "points lost"])


def table3() -> pd.DataFrame:
    """The averages of Table 3 of the paper."""
    return paper.table3()[["average", "average without"]].set_axis(["sorted", "ordinary"], axis=1)


def table4() -> pd.DataFrame:
    """Table 4 of the paper, stochastic loss, with the speed-up over its own plain decoding."""
    rows = paper.table4().filter(like="stochastic").rename(columns=lambda name: name.removeprefix("stochastic "))
    shown = {
        f"{decoding}, {draft}": {
            "ms a token": f"{row['ms']:.2f}",
            "times as fast": f"{rows['ms'].iloc[0] / row['ms']:.2f}",
            "rejected": "–" if pd.isna(row["rejection"]) else percent(row["rejection"], 0),
            "accuracy": percent(row["accuracy"] / 100),
        }
        for (decoding, draft), row in rows.iterrows()
    }
    return pd.DataFrame(shown).T


def origin(wanted: Sequence[Decoder], **given: object) -> str:
    """How the figures of the page came to be."""
    made, seeds = provenance.provenance(torch.device("cpu")), sorted({one.seed for one in wanted})
    return (
        f"Profile {wanted[0].scale.name}, seeds {seeds[0]} to {seeds[-1]}, text of Python {made['python']} "
        f"({text.fingerprint()}), on {made['device']} ({made['machine']}, torch {made['torch']}). "
        f"{provenance.again('12_sorted_language', **given)}"
    )


def curve(panel: Axes, depths: pd.DataFrame, kind: str, measure: str, share: bool = False) -> None:
    """The mean over the networks at each depth, and its 95 % interval; a share in %."""
    limits, scale = ((0, 100), 100) if share else (None, 1)
    wide = scale * depths[depths["approach"] == kind].pivot(index="layers", columns="seed", values=measure)
    middle, low, high = zip(*(crossed(row, limits) for row in wide.to_numpy()), strict=True)
    panel.fill_between(wide.index, low, high, color=COLOURS[kind], alpha=0.2, linewidth=0)
    panel.plot(wide.index, middle, color=COLOURS[kind], marker=MARKERS[kind], markersize=4.5, label=kind)


@styled
def loss_by_depth(depths: pd.DataFrame) -> Figure:
    """Bits a byte, and the share of drafted tokens that the whole network would not have written, against depth."""
    figure, [[loss, draft]] = new(4.8, 2.9, columns=2, sharex=True)
    shorter = depths[depths["layers"] < depths["layers"].max()]
    for kind in (ORDINARY, SORTED):
        curve(loss, depths, kind, "bits")
        curve(draft, shorter.assign(rejected=1 - shorter["agrees"]), kind, "rejected", share=True)
    loss.set(title="loss", ylabel="bits a byte")
    draft.set(title="next token as a draft", ylabel="rejected, %", ylim=(0, None))
    for panel in (loss, draft):
        panel.set(xlabel="layers", xticks=range(1, depths["layers"].max() + 1))
    figure.legend(*loss.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


@styled
def beside(depths: pd.DataFrame) -> Figure:
    """The share of correct answers by depth: the paper's RoBERTa on GLUE, and our decoders' next tokens."""
    figure, [[theirs, ours]] = new(4.8, 2.9, columns=2)
    for kind, column in ((ORDINARY, "average without"), (SORTED, "average")):
        theirs.plot(paper.table3()[column], color=COLOURS[kind], marker=MARKERS[kind], markersize=4.5, label=kind)
        curve(ours, depths, kind, "top1", share=True)
    theirs.set(title="paper: RoBERTa, GLUE", ylabel="average score", xticks=range(2, 13, 2))
    ours.set(title="ours: next token", ylabel="predicted correctly, %", xticks=range(1, depths["layers"].max() + 1))
    for panel in (theirs, ours):
        panel.set(xlabel="layers", ylim=(0, None))
    figure.legend(*theirs.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure
