"""What the pages measure on trained networks: each a table, computed once and cached in the run store."""

from collections.abc import Sequence
from typing import Any, cast

import pandas as pd

from lsnotebook.core.draws import Pruned, as_text, draw, inversions
from lsnotebook.core.orders import Order, Sampler, arbitrary, sequential
from lsnotebook.core.source import code_version
from lsnotebook.core.statistics import over_networks
from lsnotebook.core.store import remembered
from lsnotebook.engine import runs
from lsnotebook.engine.run import Run, study
from lsnotebook.engine.tables import Table, tables
from lsnotebook.layershuffle import analysis, collapse, merging, pruning
from lsnotebook.layershuffle.approaches import BASELINE, DRIFT_SEEDS, DRIFTED, LAYERSHUFFLE, REFINED, TABLE_1
from lsnotebook.layershuffle.evaluation import under_orders
from lsnotebook.layershuffle.profiles import Study

CHUNK = 10
"""Merged models in a table (half as many draws of an ensemble): tables are computed side by side."""


def each(models: Sequence[Run], name: str, compute, seeded: bool = False, **arguments: object) -> pd.DataFrame:
    """A table of each run, with its approach and seed; where it is `seeded`, it is computed with that seed, too."""
    wanted = [Table(name, compute, (run,), arguments | {"seed": run.seed} if seeded else arguments) for run in models]
    rows = zip(models, tables(wanted, name), strict=True)
    return pd.concat(
        [table.assign(approach=run.approach.name, seed=run.seed) for run, table in rows], ignore_index=True
    )


def accuracies(
    models: Sequence[Run], samplers: Sampler | Sequence[Sampler], orders: int | None = None, part: str = "validation"
) -> pd.DataFrame:
    """`evaluation.evaluate` of each run under the same orders of each sampler, by default the profile's number of them.

    Columns: approach, seed, policy, draw (the number of the order), inversions (see `draws`), layers (how many run) and
    those of `evaluate`.
    """
    samplers = [samplers] if callable(samplers) else samplers
    count = orders or cast(Study, models[0].profile).orders
    asked = [(run, sampler) for sampler in samplers for run in models]
    given = [{"orders": together(run, sampler, count), "part": part} for run, sampler in asked]
    wanted = [Table("accuracies", under_orders, (run,), those) for (run, _), those in zip(asked, given, strict=True)]
    found = []
    for (run, sampler), table in zip(asked, tables(wanted, "accuracies"), strict=True):
        those = draw(sampler, run.layers, count)
        table = table.astype({"order": str})  # where all have one layer, they were read as numbers
        table = table.drop_duplicates("order").set_index("order").loc[map(as_text, those)].reset_index()
        table = table.assign(approach=run.approach.name, seed=run.seed, policy=sampler.policy, draw=range(len(those)))
        table["inversions"] = [inversions(order) for order in those]
        found.append(table.assign(layers=[len(order) for order in those]))
    return pd.concat(found, ignore_index=True)


def together(run: Run, sampler: Sampler, count: int) -> list[Order]:
    """The orders that are evaluated with those of a sampler: layers with which several orders begin are run once, and
    the random layers of a pruned model begin the arbitrary orders of the whole one."""
    depths = [depth for depth in cast(Study, run.profile).depths if depth < run.layers]
    in_sequence, in_any = ([Pruned(keep, shuffled=shuffled) for keep in depths] for shuffled in (False, True))
    those = next((one for one in ([arbitrary, *in_any], in_sequence) if sampler in one), [sampler])
    return [order for one in those for order in draw(one, run.layers, count)]


def table_1(profile: Study) -> pd.DataFrame:
    """The rows of Table 1 (§4.1), as `statistics.over_networks` gives them."""
    found = accuracies(study(profile, TABLE_1), (sequential, arbitrary))
    return over_networks(found, chance=1 / profile.images.classes)


def pruned_accuracies(
    models: Sequence[Run], layers: Sequence[int], which: str = "random", orders: int | None = None
) -> pd.DataFrame:
    """`accuracies` with only so many of the layers, in sequence and in arbitrary order (§4.2).

    With all layers nothing is pruned: these are the accuracies of Table 1, under its orders.
    """
    whole = models[0].profile.backbone.layers
    samplers = [Pruned(keep, which, shuffled) for keep in layers if keep < whole for shuffled in (False, True)]
    found = [accuracies(models, samplers, orders)] if samplers else []
    found += [accuracies(models, (sequential, arbitrary))] if whole in layers else []
    return pd.concat(found, ignore_index=True)


def refined_accuracies(profile: Study, layers: Sequence[int], seeds: int, orders: int | None = None) -> pd.DataFrame:
    """`accuracies` of models that were cut to so many layers before they were refined, as approach "refined".

    A model refined with all of its layers is the baseline.
    """
    smaller = [REFINED[keep] for keep in layers if keep < profile.backbone.layers]
    found = [accuracies(study(profile, smaller, seeds), (sequential, arbitrary), orders)] if smaller else []
    if profile.backbone.layers in layers:
        found += [accuracies(study(profile, [BASELINE], seeds), (sequential, arbitrary))]
    return pd.concat(found, ignore_index=True).assign(approach="refined")


def contributions(models: Sequence[Run]) -> pd.DataFrame:
    """`pruning.contributions` of each run: approach, seed, measure, layer, contribution, error.

    Where they are estimated, each network has draws of its own, so that their errors average out.
    """
    return each(models, "contributions", pruning.contributions, seeded=True)


def chosen_accuracies(models: Sequence[Run], keep: int = 1) -> pd.DataFrame:
    """`pruning.chosen_accuracies` of each run: approach, seed, layers, and those of `evaluate`."""
    return each(models, "chosen layers", pruning.chosen_accuracies, keep=keep)


def merged_accuracies(
    models: Sequence[Run], sampler: Sampler, merged: int = 100, distinct: int | None = None
) -> pd.DataFrame:
    """One row for each merged model, evaluated under an order of its own (§4.4).

    Columns: approach, policy, distinct (number of sources), sources (m(i) as text), order, and those of `score`.
    """
    first = models[0]
    sources = merging.draw_sources(first.layers, len(models), merged, distinct)
    orders = draw(sampler, first.layers, merged)
    orders *= merged // len(orders)  # a deterministic sampler has a single one
    chunks = [{"sources": sources[k : k + CHUNK], "orders": orders[k : k + CHUNK]} for k in range(0, merged, CHUNK)]
    wanted = [Table("merged", merging.merged_scores, tuple(models), chunk) for chunk in chunks]
    found = pd.concat(tables(wanted, f"merged {first.approach.title} models"), ignore_index=True)
    texts = {"sources": [as_text(source.layers) for source in sources], "order": [as_text(order) for order in orders]}
    return found.assign(approach=first.approach.name, policy=sampler.policy, distinct=distinct or first.layers, **texts)


def ensemble_accuracies(models: Sequence[Run], draws: int = 20) -> pd.DataFrame:
    """One row for each draw of an arbitrary order for every member of the ensemble (§4.4); columns of `score`."""
    first, size = models[0], len(models)
    orders = draw(arbitrary, first.layers, draws * size)
    groups = [orders[k : k + size] for k in range(0, len(orders), size)]
    wanted = [
        Table("ensemble", merging.ensemble_scores, tuple(models), {"orders": groups[k : k + CHUNK // 2]})
        for k in range(0, draws, CHUNK // 2)
    ]
    return pd.concat(tables(wanted, f"ensembles of {first.approach.title}"), ignore_index=True)


def drifts(models: Sequence[Run]) -> pd.DataFrame:
    """`merging.drift` of each run from the network that it began with: seed and drift, cached."""

    def compute() -> pd.DataFrame:
        rows = [(run.seed, merging.drift(runs.load(run), runs.initial(run))) for run in models]
        return pd.DataFrame(rows, columns=["seed", "drift"])

    runs.ensure(models)
    recipe = {"runs": [run.key for run in models], "code": code_version("lsnotebook.layershuffle.merging")}
    return remembered(recipe, "drifts", compute)


def drifted_accuracies(profile: Study, merged: int = 20, orders: int = 20) -> pd.DataFrame:
    """Models refined with ever higher learning rates, and those merged from them: one row for each approach and rate.

    Columns: approach, factor (of the learning rate), drift and source (mean over the sources), merged and std (top-1
    of the merged models). The ViT runs in sequence, LayerShuffle in arbitrary order.
    """
    rows = []
    for approach in (BASELINE, LAYERSHUFFLE, *DRIFTED):
        kind, sampler = (BASELINE, sequential) if approach.order is sequential else (LAYERSHUFFLE, arbitrary)
        models = study(profile, [approach], DRIFT_SEEDS)
        together = merged_accuracies(models, sampler, merged, min(len(models), profile.backbone.layers))["top1"]
        source = accuracies(models, sampler, orders)["top1"].mean()
        drift, factor = drifts(models)["drift"].mean(), approach.learning_rate_factor
        rows.append((kind.name, factor, drift, source, together.mean(), together.std()))
    table = pd.DataFrame(rows, columns=["approach", "factor", "drift", "source", "merged", "std"])
    return table.sort_values(["approach", "factor"], ignore_index=True)


def norms(models: Sequence[Run], images: int = 1000) -> pd.DataFrame:
    """`analysis.norms` of each run, with approach and seed."""
    return each(models, "norms", analysis.norms, images=images)


def readability(models: Sequence[Run], layer: int, images: int = 1000) -> pd.DataFrame:
    """`analysis.readability` of each run, with approach and seed."""
    return each(models, "readability", analysis.readability, layer=layer, images=images)


def joint_readability(models: Sequence[Run], images: int = 300) -> pd.DataFrame:
    """`analysis.joint_readability` of each run, with approach and seed."""
    return each(models, "joint readability", analysis.joint_readability, images=images)


def collapses(models: Sequence[Run], orders: int | None = None, images: int = 250) -> dict[str, pd.DataFrame]:
    """`collapse.anchored`, `collapse.swaps` and `collapse.lens` of each run, with approach and seed, under the first
    (by default eight) of the orders of Table 1."""
    count = orders or min(8, cast(Study, models[0].profile).orders)
    drawn: dict[str, Any] = {"orders": draw(arbitrary, models[0].layers, count), "images": images}
    return {
        "anchored": each(models, "layers held in place", collapse.anchored, **drawn),
        "swaps": each(models, "exchanged layers", collapse.swaps, images=images),
        "lens": each(models, "answers after every layer", collapse.lens, **drawn),
    }


def trace(run: Run, images: int = 1000) -> analysis.Trace:
    """`analysis.trace_images` of a run; computed each time, since it is too large to cache."""
    return analysis.trace_images(runs.load(run), runs.splits_of(run), images)


def fewer_sources(profile: Study) -> list[int]:
    """Numbers of sources that the layers of merged models come from, fewer than one for each layer."""
    return [count for count in (1, 2, 4) if count < profile.backbone.layers]
