"""The tables of the swarm's page; its sentences are in `findings`."""

import math
from collections.abc import Sequence

import pandas as pd

from lsnotebook.core.statistics import POINTS, Estimate, crossed, matrix
from lsnotebook.layershuffle.approaches import TITLES
from lsnotebook.pages.tables import as_text, mean_and_interval
from lsnotebook.swarm.timeline import deaths
from lsnotebook.swarm.trials import Carried, summary

LATENCIES = {"p50": "median latency", "p99": "99th percentile"}


def served(found: pd.DataFrame, rules: bool = False) -> pd.DataFrame:
    """The rows of `measurements.answers` for the eye: one for each (trial, approach), with its rule where that is
    asked for, and without the trial where there is one only. Latencies in hops."""
    rows = {}
    for (policy, approach, rule), group in found.groupby(["policy", "approach", "rule"], sort=False):
        rows[unbroken(policy), TITLES[approach] + f", {unbroken(rule)}" * rules] = {
            "top-1, %": mean_and_interval(matrix(group).to_numpy(), (0, 1)),
            "layers run": f"{group['layers'].mean():.1f}",
            "p50 / p99, hops": " / ".join(f"{group[of].mean():,.1f}" for of in LATENCIES),
            "answers a hop": f"{group['throughput'].mean():.2f}",
        }
    shown = pd.DataFrame.from_dict(rows, orient="index")
    return shown.droplevel(0) if found["policy"].nunique() == 1 else shown


def unbroken(text: str) -> str:
    """`text`, which no line breaks between a number and its sign, or at a hyphen."""
    return text.replace(" %", "\u00a0%").replace("-", "\u2011")


def of(found: pd.DataFrame, approach: str, policy: str, measure: str) -> float:
    """The mean of a measure of an approach under a condition."""
    return found.query("approach == @approach and policy == @policy")[measure].mean()


def died(one: Carried) -> int:
    """Nodes that died before the last answer."""
    return len(deaths(one.faults, one.rows["answered"].max()))


def errors(carried: Sequence[Carried]) -> pd.DataFrame:
    """How far the simulation's p50 and p99 are from those of each real run, as a share of these."""
    pairs = [(summary(one.simulated), summary(one.rows)) for one in carried]
    return pd.DataFrame([{name: abs(ours[name] / theirs[name] - 1) for name in LATENCIES} for ours, theirs in pairs])


def real_points(carried: Sequence[Carried], figure: str, field: str) -> pd.DataFrame:
    """The real runs that a figure shows: approach, at (the field of the trial that it is against), top1, p50, p99."""
    rows = [
        {"approach": one.approach.name, "at": getattr(one.trial, field), "top1": one.rows["right"].mean()}
        | summary(one.rows)
        for one in carried
        if one.figure == figure
    ]
    return pd.DataFrame(rows, columns=["approach", "at", "top1", "layers", "p50", "p99", "throughput"])


def runs(carried: Sequence[Carried]) -> pd.DataFrame:
    """Each real run beside its simulation: swarm, approach, rule, died, and p50 and p99 of both, in hops."""
    rows = []
    for one in carried:
        trial, ours, theirs = one.trial, summary(one.rows), summary(one.simulated)
        swarm = f"{trial.nodes} nodes" + (f", a failure in {trial.mtbf:,g} hops" if trial.mtbf < math.inf else "")
        swarm = "your own swarm" if one.figure == "yours" else swarm
        rows.append(
            {"swarm": swarm, "approach": TITLES[one.approach.name], "rule": trial.rule, "died": died(one)}
            | {f"{name}_{what}": value[name] for name in LATENCIES
               for what, value in (("real", ours), ("simulated", theirs))}
        )  # fmt: skip
    return pd.DataFrame(rows)


def side_by_side(found: pd.DataFrame) -> pd.DataFrame:
    """`runs` for the eye."""
    shown = {"died": found["died"].map(str)} | {
        f"{title}: real / simulated": [
            f"{real:,.1f} / {simulated:,.1f}" for real, simulated in found[[f"{name}_real", f"{name}_simulated"]].values
        ]
        for name, title in LATENCIES.items()
    }
    names = found["approach"] + ", " + found["rule"].map(unbroken)
    return pd.DataFrame(shown).set_index(pd.MultiIndex.from_arrays([found["swarm"], names]))


def coverage(layers: int, counts: Sequence[int], holds: int = 1) -> pd.DataFrame:
    """How often nodes that each draw so many layers hold all of them, by inclusion and exclusion: nodes, covered."""

    def share(count: int) -> float:
        missed = [math.comb(layers - k, holds) / math.comb(layers, holds) for k in range(layers + 1)]
        return sum((-1) ** k * math.comb(layers, k) * missed[k] ** count for k in range(layers + 1))

    return pd.DataFrame({"nodes": counts, "covered": [max(0.0, share(count)) for count in counts], "holds": holds})


def verdicts(found: pd.DataFrame, to: str = "layerdrop") -> pd.DataFrame:
    """LayerShuffle in nearly any order against LayerDrop in order, condition by condition: top-1 of both and of the
    ViT, the difference with its interval over networks and draws, and that of the median latency over the draws."""
    rows, names = {}, ("layershuffle", to, "baseline")
    for policy, group in found.groupby("policy", sort=False):
        more, sooner = against(group, to)
        rows[unbroken(policy)] = {
            f"top-1, %: {' / '.join(TITLES[name] for name in names)}": " / ".join(
                f"{100 * of(found, name, policy, 'top1'):.1f}" for name in names
            ),
            "points more": as_text(100 * more.mean, 100 * more.low, 100 * more.high),
            "hops sooner": as_text(tenths(sooner.mean), tenths(sooner.low), tenths(sooner.high)),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def tenths(value: float) -> float:
    """Rounded to a tenth, without a minus before a zero."""
    return round(value, 1) + 0.0


def against(group: pd.DataFrame, to: str) -> tuple[Estimate, Estimate]:
    """How much more accurate, and how much sooner, LayerShuffle is than another approach under one condition."""
    ours, theirs = (group[group["approach"] == name] for name in ("layershuffle", to))
    more = crossed((matrix(ours) - matrix(theirs)).to_numpy(), POINTS)
    sooner = (matrix(theirs, "p50") - matrix(ours, "p50")).iloc[0]  # the latency is the same for all networks
    return more, crossed(sooner.to_numpy())
