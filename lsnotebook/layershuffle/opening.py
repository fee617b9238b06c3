"""The sentences that the book begins with, for its first page: the result, its price, its reason."""

from collections.abc import Mapping

import pandas as pd

from lsnotebook.layershuffle import paper
from lsnotebook.layershuffle.collapse_tables import collapses, held, regained
from lsnotebook.layershuffle.conclusions import behind
from lsnotebook.layershuffle.profiles import Study
from lsnotebook.pages.tables import percent


def result(tables: Mapping[str, pd.DataFrame]) -> str:
    """What an arbitrary order does to a ViT and to LayerShuffle, for `tables` as those of `tables.table_1`: this build,
    which is the last, first; the others have a sentence each."""
    falls = {}
    for source, table in tables.items():
        top1 = table.set_index(["approach", "policy"])["mean"].apply(percent, decimals=0)
        falls[source] = [
            f"{top1[name, 'sequential']} to {top1[name, 'arbitrary']}" for name in ("baseline", "layershuffle")
        ]
    here, (vit, shuffled) = falls.popitem()
    others = (f" {source[0].upper()}{source[1:]}: {' and '.join(fall)}." for source, fall in falls.items())
    return (
        "<b>Result.</b> LayerShuffle trains a vision transformer (ViT) with its layers in a new random order for every "
        f"batch. Run in an arbitrary order, a plain ViT goes from <b>{vit}</b> accuracy, LayerShuffle from "
        f"<b>{shuffled}</b> ({here}).{''.join(others)}"
    )


def price(accuracies: pd.DataFrame, longer: pd.DataFrame | None = None) -> str:
    """What LayerShuffle costs in the original order, paired by network, beside the paper; and after the fewest and the
    most steps of a refinement, where `longer` (a table of `lengths.networks`) has both approaches."""
    published = paper.top1("baseline", "sequential") - paper.top1("layershuffle", "sequential")
    told = f"<b>Price.</b> {behind(accuracies)} (paper: {published:.1f})"
    if longer is None:
        return f"{told}."
    sequential = longer[longer["measure"] == "sequential"]
    means = 100 * sequential.groupby(["steps", "approach"])["value"].mean().unstack()
    gaps = (means["baseline"] - means["layershuffle"]).dropna().map("{:z.1f}".format)
    few, most = gaps.index.min(), gaps.index.max()
    return f"{told}. After {few:,} steps of refinement it is {gaps[few]}, after {most:,} steps {gaps[most]} (recorded)."


def reason(table: pd.DataFrame, chance: float, layers: int) -> str:
    """How much of the ViT's collapse is undone with its first, or last, quarter of layers in place, from the table of
    `collapse.anchored`; half is "most", as in `collapse_tables.verdict`."""
    quarter = max(1, layers // 4)
    first, last = (held(table, end)["baseline"] for end in ("first", "last"))
    if not collapses(first, layers, chance):
        return "<b>Reason.</b> At this scale the ViT does not collapse, so that there is nothing to explain."
    undone = regained(first, quarter, layers)
    why = (
        "No other layer of the ViT was ever trained at the beginning; of LayerShuffle, every one was."
        if undone.mean() >= 0.5
        else "So it is not the first layers alone."
    )
    shares = [percent(values.mean(), 0) for values in (undone, regained(last, quarter, layers))]
    return (
        f"<b>Reason.</b> With its first {quarter} of {layers} layers in place and the others shuffled, the ViT regains "
        f"{shares[0]} of what an arbitrary order costs it; with the last {quarter} in place, {shares[1]}. {why}"
    )


def sources(here: Study, recorded: Mapping[str, Study]) -> str:
    """What the columns "this build" and "recorded" stand for: the networks and their images."""

    def networks(profile: Study) -> str:
        net, size = profile.backbone, profile.backbone.image_size
        images = f"{profile.images.classes} classes of {size} × {size} pixels"
        return f"{net.layers} layers of width {net.hidden_size} on images of {images}"

    told = [f"<i>This build, {here.name}</i>: {networks(here)}, trained where this book was built."]
    told += [
        f"<i>{title[0].upper()}{title[1:]}</i>: {networks(profile)}, trained beforehand, and kept as a file."
        for title, profile in recorded.items()
    ]
    return " ".join(told)
