"""The tables and sentences of the swarm's page."""

import math
from collections.abc import Sequence

import pandas as pd

from lsnotebook.core.statistics import Estimate, crossed, matrix
from lsnotebook.layershuffle.approaches import TITLES
from lsnotebook.pages.tables import as_text, mean_and_interval, percent
from lsnotebook.swarm.router import RULES
from lsnotebook.swarm.timeline import deaths
from lsnotebook.swarm.trials import Carried, summary

LATENCIES = {"p50": "median latency", "p99": "99th percentile"}


def served(found: pd.DataFrame, hop: float, rules: bool = False) -> pd.DataFrame:
    """The rows of `measurements.answers` for the eye: one for each (trial, approach), with its rule where that is
    asked for. Latencies in hops, and in milliseconds where one takes `hop` seconds."""
    rows = {}
    for (policy, approach, rule), group in found.groupby(["policy", "approach", "rule"], sort=False):
        throughput = group["throughput"].mean()
        rows[(policy, TITLES[approach], rule) if rules else (policy, TITLES[approach])] = {
            "top-1, %": mean_and_interval(matrix(group).to_numpy(), (0, 1)),
            "layers run": f"{group['layers'].mean():.1f}",
            **{f"{of}, hops (ms)": in_hops(group[of].mean(), hop) for of in LATENCIES},
            "answers a hop (a second)": f"{throughput:.2f} ({throughput / hop:.1f})",
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def rules() -> str:
    """What a request may run next, as a list."""
    return "\n".join(f"- **{rule}**: {what}." for rule, what in RULES.items())


def in_hops(time: float, hop: float) -> str:
    """A time in hops, and in milliseconds: "12.3 (369)"."""
    return f"{time:.1f} ({1000 * time * hop:,.0f})"


def leads(found: pd.DataFrame, where: str) -> str:
    """Under which conditions (the policies, `where` says of what) LayerShuffle is more or less accurate than the better
    of the other approaches, and by how much; paired by network and draw, with intervals over both."""
    groups: dict[str, list[tuple[str, float]]] = {"more accurate": [], "less accurate": [], "not to be told apart": []}
    for policy, group in found.groupby("policy", sort=False):
        values = {name: matrix(one) for name, one in group.groupby("approach", sort=False)}
        ours = values.pop("layershuffle")
        best = max(values.values(), key=lambda one: one.to_numpy().mean())
        more = crossed((ours - best).to_numpy())
        which = "more accurate" if more.low > 0 else "less accurate" if more.high < 0 else "not to be told apart"
        groups[which].append((policy, abs(more.mean)))
    told = []
    for name, those in groups.items():
        ends = sorted(by for _, by in those)[:: len(those) - 1 or 1]
        points = " to ".join(dict.fromkeys(f"{100 * end:.1f}" for end in ends))
        by = f" (by {points} points)" if name.endswith("accurate") else ""
        told += [f"**{name}** at {where} {', '.join(policy for policy, _ in those)}{by}"] if those else []
    text = "; ".join(told)
    return f"Beside the better of the other two, LayerShuffle is {text}: 95 % intervals over networks and draws."


def first_or_random(found: pd.DataFrame) -> str:
    """What half of the layers are worth in sequence, of `measurements.halves`: the first ones, and others at random."""
    told = []
    for approach, group in found.groupby("approach", sort=False):
        first, random = (matrix(one).to_numpy() for _, one in group.groupby("which", sort=False))
        less = mean_and_interval(first.mean(axis=1, keepdims=True) - random)
        told.append(
            f"{TITLES[approach]} {percent(first.mean())} with the first and "
            f"{percent(random.mean())} with random ones ({less} points apart)"
        )
    return (
        "Who runs in sequence has run the first layers when the deadline comes, and these are not just any. With "
        f"{found['layers'].iloc[0]} layers in sequence: {'; '.join(told)}, 95 % intervals over networks and draws."
    )


def of(found: pd.DataFrame, approach: str, policy: str, measure: str) -> float:
    """The mean of a measure of an approach under a condition."""
    return found.query("approach == @approach and policy == @policy")[measure].mean()


def paid_order(found: pd.DataFrame, hop: float) -> str:
    """What load costs LayerShuffle in accuracy and in time, beside the latency of a pipeline."""
    idle, busy = (list(found["policy"].unique())[k] for k in (0, -1))
    top1 = [percent(of(found, "layershuffle", load, "top1")) for load in (idle, busy)]
    times = {name: [of(found, name, load, "p50") for load in (idle, busy)] for name in ("layershuffle", "baseline")}
    text = {
        name: " and ".join(f"{time:.1f} hops ({1000 * hop * time:.0f} ms)" for time in those)
        for name, those in times.items()
    }
    return (
        f"From a load of {idle} to one of {busy}, LayerShuffle *nearly* in order goes from {top1[0]} to {top1[1]}. Its "
        f"median latency is {text['layershuffle']} there, a ViT's in a pipeline {text['baseline']}."
    )


def skipping_or_waiting(found: pd.DataFrame, hop: float) -> str:
    """The 99th percentile of the latency of each way to live with deaths, and the most accurate way, by approach."""
    told = []
    for approach, group in found.groupby("approach", sort=False):
        means = group.groupby("policy", sort=False)[["top1", "p99"]].mean()
        times = " / ".join(f"{hop * p99:.1f}" for p99 in means["p99"])
        told.append(f"{TITLES[approach]} {times} s (the most accurate way: {means['top1'].idxmax()})")
    ways = " / ".join(found["policy"].unique())
    return f"99 of 100 answers are there, at {1000 * hop:.0f} ms a hop, after ({ways}): {'; '.join(told)}."


def patience_or_order(found: pd.DataFrame) -> str:
    """What a straggler does to the throughput without patience, and what patience does to that."""
    told, factors = [], []
    for approach, group in found.groupby("approach", sort=False):
        before, after = group.groupby("policy", sort=False)["throughput"].mean()
        told.append(f"{TITLES[approach]} from {before:.2f} to {after:.2f} answers a hop")
        factors.append(after / before)
    waiting = found[found["policy"] == "no patience"].groupby("approach")["throughput"].mean()
    free = waiting["layershuffle"] / waiting.drop("layershuffle").max()
    return (
        f"Patience takes {', '.join(told)} ({min(factors):.1f} to {max(factors):.1f} times as many). Freedom of order "
        f"alone, without patience, answers {free:.2f} times as many as the better of the other two."
    )


def real(carried: Sequence[Carried], left_out: str, hop: float) -> str:
    """What real nodes did, and how far the simulation was from it."""
    if left_out:
        return f"The real runs were left out, and the figures show the simulation alone: {left_out}"
    requests, retries = (sum(part) for part in zip(*((len(one.rows), one.rows["retries"].sum()) for one in carried),
                                                   strict=True))  # fmt: skip
    dead = sum(map(died, carried))
    agreement = max(one.agreement or 0 for one in carried)
    same = f"to {agreement:.0e}" if agreement else "to the last bit"
    off = [f"{percent(error)} for the {LATENCIES[name]}" for name, error in errors(carried).mean().items()]
    return (
        f"In {len(carried)} runs on real nodes, in which {dead} of them were killed, all {requests} requests were "
        f"answered; {retries} hops were begun and given up. Along the recorded routes the network itself gives the "
        f"same logits, {same}. The simulation of the same draws, at {1000 * hop:.0f} ms a hop, is off by "
        f"{' and '.join(off)} on average over these runs."
    )


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


def side_by_side(carried: Sequence[Carried]) -> pd.DataFrame:
    """Each real run beside its simulation, latencies in hops."""
    rows = {}
    for one in carried:
        trial, ours, theirs = one.trial, summary(one.rows), summary(one.simulated)
        name = f"{trial.nodes} nodes" + (f", a failure in {trial.mtbf:g} hops" if trial.mtbf < math.inf else "")
        name = "your own swarm" if one.figure == "yours" else name
        rows[f"{name}, {TITLES[one.approach.name]}, {trial.rule}"] = {"died": str(died(one))} | {
            f"{title}, {what}": f"{value[of]:.1f}"
            for of, title in LATENCIES.items()
            for what, value in (("real", ours), ("simulated", theirs))
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def coverage(layers: int, counts: Sequence[int], holds: int = 1) -> pd.DataFrame:
    """How often nodes that each draw so many layers hold all of them, by inclusion and exclusion: nodes, covered."""

    def share(count: int) -> float:
        missed = [math.comb(layers - k, holds) / math.comb(layers, holds) for k in range(layers + 1)]
        return sum((-1) ** k * math.comb(layers, k) * missed[k] ** count for k in range(layers + 1))

    return pd.DataFrame({"nodes": counts, "covered": [max(0.0, share(count)) for count in counts], "holds": holds})


def covered(found: pd.DataFrame, layers: int) -> str:
    """How likely full cover is with two nodes a layer, and how many nodes nine tenths takes."""
    alone = found[found["holds"] == 1].set_index("nodes")["covered"]
    enough = alone.index[alone >= 0.9]
    many = f"{enough[0]} nodes" if len(enough) else f"more than {alone.index[-1]} nodes"
    return (
        f"{2 * layers} nodes that each draw one layer hold all {layers} of them in {percent(alone[2 * layers])} of "
        f"draws; nine in ten take {many}."
    )


def verdicts(found: pd.DataFrame, to: str = "layerdrop") -> pd.DataFrame:
    """LayerShuffle in nearly any order against LayerDrop in order, condition by condition: top-1 of both, the
    difference with its interval over networks and draws, and the difference of the median latency over the draws."""
    rows = {}
    for policy, group in found.groupby("policy", sort=False):
        more, sooner = against(group, to)
        rows[policy] = {
            **{
                f"{TITLES[name]}, %": 100 * of(found, name, policy, "top1") for name in ("layershuffle", to, "baseline")
            },
            "LayerShuffle more, points": as_text(100 * more.mean, 100 * more.low, 100 * more.high),
            "sooner, hops": as_text(tenths(sooner.mean), tenths(sooner.low), tenths(sooner.high)),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def tenths(value: float) -> float:
    """Rounded to a tenth, without a minus before a zero."""
    return round(value, 1) + 0.0


def against(group: pd.DataFrame, to: str) -> tuple[Estimate, Estimate]:
    """How much more accurate, and how much sooner, LayerShuffle is than another approach under one condition."""
    ours, theirs = (group[group["approach"] == name] for name in ("layershuffle", to))
    more = crossed((matrix(ours) - matrix(theirs)).to_numpy())
    sooner = (matrix(theirs, "p50") - matrix(ours, "p50")).iloc[0]  # the latency is the same for all networks
    return more, crossed(sooner.to_numpy())


def verdict(found: pd.DataFrame, to: str = "layerdrop") -> str:
    """Where freedom of order wins, where order does, and what it buys in time."""
    estimates = {policy: against(group, to) for policy, group in found.groupby("policy", sort=False)}
    better = [policy for policy, (more, _) in estimates.items() if more.low > 0]
    worse = [policy for policy, (more, _) in estimates.items() if more.high < 0]
    other, even = TITLES[to], [policy for policy in estimates if policy not in (*better, *worse)]
    lines = {
        "Freedom of order wins": (better, f"LayerShuffle *nearly* in order is more accurate than {other} in order"),
        f"Order wins, where {other} skips what is missing": (worse, f"{other} in order is more accurate"),
        "Neither is more accurate than the other": (even, "the interval of the difference holds 0"),
        "Freedom of order answers sooner": (
            [policy for policy, (_, sooner) in estimates.items() if tenths(sooner.low) > 0],
            "the median latency is lower",
        ),
        "Freedom of order answers later": (
            [policy for policy, (_, sooner) in estimates.items() if tenths(sooner.high) < 0],
            "the median latency is higher",
        ),
    }
    return "\n".join(
        f"- **{name}** ({why}): {'; '.join(those) or 'in none of these cases'}." for name, (those, why) in lines.items()
    )
