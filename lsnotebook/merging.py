"""Merged models, each layer from a source of its own, and ensembles (§4.4). No weight is copied."""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from lsnotebook import profiles, runs
from lsnotebook.evaluation import EVALUATION_CODE, accuracies, score
from lsnotebook.orders import Order, Sampler, draw
from lsnotebook.plots import NAMES
from lsnotebook.profiles import Profile
from lsnotebook.progress import Progress
from lsnotebook.randomness import stream
from lsnotebook.runs import Run
from lsnotebook.store import code_version, remembered

if TYPE_CHECKING:
    from torch import Tensor

    from lsnotebook.model import ShuffleViT, ShuffleViTOutput

MERGING_CODE = (*EVALUATION_CODE, "merging")


class MergeError(ValueError):
    """A merged model that cannot be made from the sources at hand."""


class Sources(NamedTuple):
    """Where the parts of a merged model come from, by the number of the source."""

    layers: tuple[int, ...]
    """m(i), the source of layer i."""
    rest: int
    """The source of the embedding, the last layer norm and the head, on which the text is silent."""


def draw_sources(layers: int, models: int, count: int, distinct: int | None = None, seed: int = 0) -> list[Sources]:
    """`count` ways to merge `models` sources: the layers come from `distinct` of them, as evenly as can be.

    By default no two layers come from one source, as in the paper; the rest comes from one of the same sources.
    Raises `MergeError` where there are too few models.
    """
    distinct = layers if distinct is None else distinct
    if not 1 <= distinct <= min(layers, models):
        raise MergeError(
            f"{layers} layers of {models} models can come from 1 to {min(layers, models)} sources, but not from "
            f"{distinct}; train more models or take fewer sources."
        )
    drawn = []
    for k in range(count):
        rng = stream(seed, f"merge from {distinct} of {models}", k)
        chosen = rng.choice(models, distinct, replace=False)
        places = rng.permutation([layer % distinct for layer in range(layers)])
        drawn.append(Sources(tuple(chosen[places].tolist()), int(rng.choice(chosen))))
    return drawn


def merge(models: Sequence["ShuffleViT"], sources: Sources) -> "ShuffleViT":
    """A model whose layer i *is* layer i of `models[sources.layers[i]]`: its parameters are the sources' own.

    Raises `MergeError` for the variants of §3.3 and §3.4, whose layers are more than their blocks.
    """
    from torch import nn

    rest = models[sources.rest]
    if rest.config.encode_position or rest.config.predict_position:
        raise MergeError(
            "Layers that know or tell their position are not merged; take baseline or layershuffle models."
        )
    merged = twin(rest)
    merged.vit = twin(rest.vit)
    merged.vit.layers = nn.ModuleList(models[source].vit.layers[index] for index, source in enumerate(sources.layers))
    return merged


def twin(module):
    """A module with the same submodules and weights, whose submodules can be exchanged."""
    same = copy.copy(module)
    same._modules = dict(module._modules)
    return same


def mean_logits(models: Sequence["ShuffleViT"], orders: Sequence[Order], pixel_values: "Tensor") -> "ShuffleViTOutput":
    """The output of an ensemble: the mean of the logits of all models, each in an order of its own."""
    import torch

    from lsnotebook.model import ShuffleViTOutput

    logits = [model(pixel_values, order=order).logits.float() for model, order in zip(models, orders, strict=True)]
    return ShuffleViTOutput(logits=torch.stack(logits).mean(0))


def merged_accuracies(
    models: Sequence[Run], policy: str | Sampler, merged: int = 100, distinct: int | None = None
) -> pd.DataFrame:
    """One row for each merged model, evaluated under an order of its own of the policy, remembered in the run store.

    Columns: approach, policy, distinct (number of sources), sources (m(i) as text), order, and those of `score`.
    """
    first = models[0]
    sources = draw_sources(first.layers, len(models), merged, distinct)
    orders = draw(policy, first.layers, merged)
    orders = orders * merged if len(orders) == 1 else orders

    def fresh() -> pd.DataFrame:
        loaded = [runs.load(run) for run in models]
        forwards = [partial(merge(loaded, source), order=order) for source, order in zip(sources, orders, strict=True)]
        return score(forwards, runs.splits_of(first.profile).validation, loaded[0].device)

    table = _remembered(models, f"merged-{policy}", {"sources": sources, "orders": orders}, fresh)
    texts = {"sources": [" ".join(map(str, source.layers)) for source in sources]}
    texts["order"] = [" ".join(map(str, order)) for order in orders]
    return table.assign(approach=first.approach, policy=str(policy), distinct=distinct or first.layers, **texts)


def ensemble_accuracies(models: Sequence[Run], policy: str | Sampler, draws: int = 10) -> pd.DataFrame:
    """One row for each draw of an order for every member, remembered in the run store. Columns as those of `score`."""
    first = models[0]
    orders = draw(policy, first.layers, draws * len(models))
    if len(orders) == 1:
        orders, draws = orders * len(models), 1
    groups = [orders[k * len(models) : (k + 1) * len(models)] for k in range(draws)]

    def fresh() -> pd.DataFrame:
        loaded = [runs.load(run) for run in models]
        forwards = [partial(mean_logits, loaded, group) for group in groups]
        return score(forwards, runs.splits_of(first.profile).validation, loaded[0].device)

    return _remembered(models, f"ensemble-{policy}", {"orders": groups}, fresh).assign(
        approach=first.approach, policy=str(policy), draw=range(draws)
    )


def drift(run: Run) -> float:
    """How far refining has moved the layers away from the base: the L2 distance, relative to the norm of the base."""
    model = runs.load(run)
    weights = model.vit.layers.state_dict()
    base = runs.base_of(run).to(model.device).vit.layers.state_dict()
    moved = sum((weights[name] - base[name]).square().sum().item() for name in weights)
    return (moved / sum(base[name].square().sum().item() for name in weights)) ** 0.5


def drifts(models: Sequence[Run]) -> pd.DataFrame:
    """`drift` of each run, remembered in the run store; columns seed and drift."""

    def fresh() -> pd.DataFrame:
        return pd.DataFrame({"seed": [run.seed for run in models], "drift": [drift(run) for run in models]})

    return _remembered(models, "drift", {}, fresh)


def drifted_accuracies(profile: Profile, merged: int = 20, orders: int = 10) -> pd.DataFrame:
    """Models refined ever hotter, and those merged from them: one row for each approach and heat.

    Columns: approach, hotter (times the learning rate), drift and source (mean over the sources), merged and std (top-1
    of the merged models). The ViT runs in sequence, LayerShuffle in arbitrary order.
    """
    rows = []
    for name in ("baseline", "layershuffle", *profiles.DRIFTED):
        kind, times = name.split("-")[0], profiles.approach(name).hotter
        policy = "sequential" if kind == "baseline" else "arbitrary"
        models = runs.study(profile, [name], profiles.DRIFT_SEEDS)
        together = merged_accuracies(models, policy, merged, min(len(models), profile.backbone.layers))["top1"]
        source = accuracies(models, policy, orders)["top1"].mean()
        rows.append((kind, times, drifts(models)["drift"].mean(), source, together.mean(), together.std()))
    table = pd.DataFrame(rows, columns=["approach", "hotter", "drift", "source", "merged", "std"])
    return table.sort_values(["approach", "hotter"], ignore_index=True)


def broken(drifted: pd.DataFrame) -> str:
    """A sentence on where the merged ViTs lose half of what their sources have, from `drifted_accuracies`."""
    vits = drifted.query("approach == 'baseline'")
    lost = vits[vits["merged"] < vits["source"] / 2]
    if not len(lost):
        return f"Up to a drift of {vits['drift'].max():.2f} they never lose half of their sources' accuracy."
    first = lost.iloc[0]
    return (
        f"At a drift of {first['drift']:.2f} ({first['hotter']:.0f} times the learning rate) the merged models fall to "
        f"{first['merged']:.0%}, though their sources still have {first['source']:.0%}."
    )


def each(tables: Mapping[tuple[str, str], pd.DataFrame]) -> pd.DataFrame:
    """One row for each model of Table 2 and Figure 5, from tables keyed by (approach, model): the merged model, the
    source (the mean of its orders), the draw of orders of an ensemble. Columns: approach, model, top1, top5."""
    rows = []
    for (approach, model), table in tables.items():
        one = next((table[name] for name in ("seed", "draw") if name in table), table.index)
        means = table.groupby(one)[["top1", "top5"]].mean()
        rows.append(means.reset_index(drop=True).assign(approach=approach, model=model))
    return pd.concat(rows, ignore_index=True)


def table2(models: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Table 2: "mean ± std" in %, the paper's beside this build's, from the rows of `each` and of `paper.table2`."""
    long = models.melt(["approach", "model"], ["top1", "top5"], "measure")
    build = long.groupby(["approach", "model", "measure"], sort=False)["value"].agg(["mean", "std"])
    numbers = {"paper": published.set_index(build.index.names)[["mean", "std"]], "this build": build}
    texts = {
        (measure.replace("top", "top-"), source): {
            f"{NAMES[approach]}, {model}": f"{100 * row['mean']:.2f}"
            + (f" ± {100 * row['std']:.2f}" if row["std"] >= 0 else "")
            for (approach, model, of), row in table.iterrows()
            if of == measure and (approach, model, of) in build.index
        }
        for measure in ("top1", "top5")
        for source, table in numbers.items()
    }
    return pd.DataFrame(texts)


def _remembered(models: Sequence[Run], name: str, what: dict, fresh: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    runs.ensure(models)
    recipe = {"runs": [run.key for run in models], **what, "code": code_version(*MERGING_CODE)}
    with Progress(1, f"evaluating {name} {models[0].approach} models", delay=1) as progress:
        table = remembered(recipe, f"{name}-{models[0].approach}", fresh)
        progress.advance()
    return table
