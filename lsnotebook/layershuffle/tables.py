"""The tables of the pages, and numbers in their sentences: from what `measurements` gives, in the paper's form."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lsnotebook.core.draws import inversions
from lsnotebook.core.statistics import POINTS, differences, matrix
from lsnotebook.core.variance import variance_shares
from lsnotebook.layershuffle.analysis import explained_by_distance
from lsnotebook.layershuffle.approaches import TITLES
from lsnotebook.pages.tables import in_percent, listed, mean_and_interval, mean_and_std, percent


def table_1(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row for each (approach, order) of Table 1, one column a source, "mean ± std [interval]" in %.

    `tables` gives for each source (the paper, this build) rows of approach, policy, mean, std and, where there is
    one, the interval low ... high, as fractions.
    """
    columns: dict[str, dict[tuple[str, str], str]] = {}
    for source, table in tables.items():
        for row in table.sort_values("policy", ascending=False, kind="stable").itertuples():
            text = mean_and_std(row.mean, row.std)
            if pd.notna(getattr(row, "low", None)):
                text += f" [{100 * row.low:.1f},\u00a0{100 * row.high:.1f}]"
            columns.setdefault(source, {})[TITLES[row.approach], row.policy] = text
    wide = pd.DataFrame(columns)
    return wide.loc[sorted(wide.index, key=lambda index: list(TITLES.values()).index(index[0]))]


def paired(accuracies: pd.DataFrame, to: str = "layershuffle") -> pd.DataFrame:
    """Points of top-1 of each approach less `to`, paired by network and order, with their interval."""
    found = differences(accuracies, to)
    texts = [in_percent(row) for row in found.itertuples()]
    wide = found.assign(text=texts, approach=found["approach"].map(TITLES) + f" − {TITLES[to]}")
    shown = wide.pivot(index="approach", columns="policy", values="text")
    return shown.loc[wide["approach"].unique(), ["sequential", "arbitrary"]]


def extremes(accuracies: pd.DataFrame) -> pd.DataFrame:
    """The best and the worst of the drawn orders of each approach: top-1 in %, mean over the seeds."""
    rows = {}
    for approach, group in accuracies.query("policy == 'arbitrary'").groupby("approach", sort=False):
        means = 100 * group.groupby("order")["top1"].mean()
        for which, order in (("best", means.idxmax()), ("worst", means.idxmin())):
            pairs = inversions([int(index) for index in order.split()])
            row = {"top-1 %": means[order], "order": order, "pairs out of order": pairs}
            rows[TITLES[approach], which] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def variance(accuracies: pd.DataFrame) -> pd.DataFrame:
    """Where the variance of the accuracy of each approach comes from, in %."""
    groups = accuracies.groupby("approach", sort=False)
    return 100 * pd.DataFrame({TITLES[name]: variance_shares(group) for name, group in groups}).T


def depths(pruned: pd.DataFrame) -> pd.DataFrame:
    """Top-1 in % (mean over networks and draws), one row for each (approach, policy), one column for each depth."""
    table = pruned.assign(top1=100 * pruned["top1"], approach=pruned["approach"].map(TITLES))
    return table.pivot_table(index=["approach", "policy"], columns="layers", values="top1", sort=False)


def network_means(pruned: pd.DataFrame) -> pd.DataFrame:
    """Mean over the draws for each network: the data behind a curve and its band."""
    names = [name for name in ("approach", "kept", "policy", "layers", "seed") if name in pruned]
    return pruned.groupby(names, sort=False, dropna=False)["top1"].mean().reset_index()


def gain(chosen: pd.DataFrame, random: pd.DataFrame) -> pd.DataFrame:
    """Points of top-1 by which `chosen` layers beat `random` ones, with an interval over networks and draws."""
    found = gains(chosen, random)
    rows = {(layers, TITLES[name]): mean_and_interval(each, POINTS) for (name, layers), each in found.items()}
    return pd.Series(rows).unstack().rename_axis("layers kept").sort_index()


def gains(chosen: pd.DataFrame, random: pd.DataFrame) -> dict[tuple[str, int], np.ndarray]:
    """By how much of top-1 `chosen` layers beat `random` ones (networks, draws), for each (approach, layers kept)."""
    best = chosen.sort_values("seed").groupby(["approach", "layers"])["top1"]
    return {
        (approach, layers): best.get_group((approach, layers)).to_numpy()[:, None] - matrix(group).to_numpy()
        for (approach, layers), group in random.groupby(["approach", "layers"], sort=False)
    }


def readability(found: pd.DataFrame, layers: int) -> pd.DataFrame:
    """Positions that `measurements.readability` predicts correctly, in %, over networks and images, for each approach.

    Rows: from the output, from its norm alone, from its direction alone; from the output for the first quarter of
    the positions and for the others; chance.
    """
    rows = {}
    for name, group in found.groupby("approach", sort=False):
        wide = group.pivot(index="seed", columns="image")
        shares = {column: (wide[column] == wide["position"]).to_numpy() for column in ("output", "norm", "direction")}
        row = {column: mean_and_interval(values, (0, 1)) for column, values in shares.items()}
        first = (wide["position"] < layers / 4).to_numpy()
        for which, where in (("first quarter", first), ("others", ~first)):
            row[f"output, {which}"] = f"{100 * shares['output'][where].mean():.1f}"
        rows[TITLES[name]] = row | {"chance": f"{100 / layers:.1f}"}
    return pd.DataFrame(rows)


def joint_readability(found: pd.DataFrame, layers: int) -> pd.DataFrame:
    """What `measurements.joint_readability` predicts correctly, in %, over networks and images."""
    rows: dict[str, dict[str, str]] = {"position": {}, "layer": {}}
    for approach, group in found.groupby("approach", sort=False):
        wide = group.pivot(index="seed", columns="image")
        for name, row in rows.items():
            row[TITLES[approach]] = mean_and_interval(wide[name].to_numpy(), (0, 1))
    return pd.DataFrame.from_dict(rows, orient="index").assign(chance=f"{100 / layers:.1f}")


def dependence(norms: pd.DataFrame) -> pd.DataFrame:
    """Points of the variance of log norms that the distance explains beyond layer and position, over networks and
    images, under two normalisations: a row for each, a column an approach, and their difference."""
    measures = {"contribution": "of the layer's own mean", "relative": "of the class token that it was given"}
    rows = {}
    for measure, title in measures.items():
        values = {
            name: np.array([explained_by_distance(one, measure) for _, one in group.groupby("seed")])
            for name, group in norms.groupby("approach", sort=False)
        }
        rows[title] = {TITLES[name]: mean_and_interval(those) for name, those in values.items()}
        first, second = values
        rows[title][f"{TITLES[first]} − {TITLES[second]}"] = mean_and_interval(values[first] - values[second])
    return pd.DataFrame.from_dict(rows, orient="index")


def models_of(tables: Mapping[tuple[str, str], pd.DataFrame]) -> pd.DataFrame:
    """One row for each model of Table 2 and Figure 5, from tables keyed by (approach, model): the merged model, the
    source (the mean of its orders), the draw of orders of an ensemble. Columns: approach, model, top1, top5."""
    means = {
        names: table.groupby(table.get("seed", table.index))[["top1", "top5"]].mean() for names, table in tables.items()
    }
    return pd.concat(means, names=["approach", "model"]).reset_index(["approach", "model"]).reset_index(drop=True)


def table_2(models: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Table 2: "mean ± std" in %, the paper's beside this build's, from `models_of` and `paper.table2`."""
    long = models.melt(["approach", "model"], ["top1", "top5"], "measure")
    build = long.groupby(["approach", "model", "measure"], sort=False)["value"].agg(["mean", "std"])
    numbers = {"paper": published.set_index(build.index.names)[["mean", "std"]], "this build": build}
    texts = {
        (measure.replace("top", "top-"), source): {
            f"{TITLES[approach]}, {model}": mean_and_std(row["mean"], row["std"])
            for (approach, model, of), row in table.iterrows()
            if of == measure and (approach, model, of) in build.index
        }
        for measure in ("top1", "top5")
        for source, table in numbers.items()
    }
    return pd.DataFrame(texts)


def drift(drifted: pd.DataFrame) -> pd.DataFrame:
    """`measurements.drifted_accuracies` in %, one row for each (approach, factor of the learning rate)."""
    columns = {"drift": "drift", "source": "sources", "merged": "merged", "std": "± std"}
    table = drifted.assign(approach=drifted["approach"].map(TITLES), factor=drifted["factor"].map("{:g} ×".format))
    return 100 * table.set_index(["approach", "factor"])[list(columns)].rename(columns=columns)


def breaking_point(drifted: pd.DataFrame) -> str:
    """The drift from which on merged models keep less than half of their sources' accuracy, for each approach."""
    told = []
    for approach, group in drifted.groupby("approach", sort=False):
        lost = group[group["merged"] < group["source"] / 2]
        if len(lost):
            first = lost.loc[lost["drift"].idxmin()]
            text = (
                f"from a drift of {percent(first['drift'], 0)} on ({first['factor']:g} times the learning rate), where "
                f"the merged models have {mean_and_std(first['merged'], first['std'])}\u00a0%, their sources still "
                f"{percent(first['source'])}."
            )
        else:
            text = f"nowhere up to a drift of {percent(group['drift'].max(), 0)}, the furthest here."
        told.append(f"**{TITLES[str(approach)]}**: {text}")
    return listed("Merged models keep less than half of their sources' accuracy:", told)


def cell_means(norms: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The mean contribution of each layer (row) at each position (column), by approach."""
    return {
        TITLES[name]: group.groupby(["layer", "position"])["contribution"].mean().unstack()
        for name, group in norms.groupby("approach", sort=False)
    }


def switched_off(norms: pd.DataFrame, below: float = 0.1) -> pd.DataFrame:
    """Do layers switch themselves off where they cannot process their input (§5)? For each approach: the
    share of (layer, position) pairs at which the layer adds less than `below` of what it adds on average, and the pair
    at which it adds the least; mean over networks and images."""
    rows = {}
    for title, table in cell_means(norms).items():
        cells = table.stack()
        layer, position = cells.idxmin()
        rows[title] = {
            f"pairs below {percent(below, 0)}, %": 100 * (cells < below).mean(),
            "least, % of the layer's mean": 100 * cells.min(),
            "by layer": layer,
            "at position": position,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def attention(maps: np.ndarray) -> pd.DataFrame:
    """The weights of `analysis.attention_maps` (B, P, rows, columns), a row for each (image, position, patch)."""
    sizes = (*maps.shape[:2], maps[0, 0].size)
    index = pd.MultiIndex.from_product(map(range, sizes), names=["image", "position", "patch"])
    return pd.Series(maps.ravel(), index, name="weight").reset_index()
