"""The sentences of the swarm's page: what its tables and figures say, whichever way that goes."""

from collections.abc import Mapping, Sequence

import pandas as pd

from lsnotebook.core.statistics import POINTS, Estimate, crossed, matrix, ratio
from lsnotebook.layershuffle.approaches import TITLES
from lsnotebook.pages.tables import adding_up, as_text, listed, percent, some
from lsnotebook.swarm.router import RULES
from lsnotebook.swarm.tables import LATENCIES, against, died, errors, of, tenths, unbroken
from lsnotebook.swarm.trials import Carried


def rules() -> str:
    """What a request may run next, as a list."""
    return "\n".join(f"- **{rule}**: {what}." for rule, what in RULES.items())


def leads(found: pd.DataFrame, where: str) -> str:
    """Under which conditions (the policies, `where` says of what) LayerShuffle is more or less accurate than the better
    of the other approaches, and by how much; paired by network and draw, with intervals over both."""
    groups: dict[str, list[tuple[str, float]]] = {"more accurate": [], "less accurate": [], "not to be told apart": []}
    for policy, group in found.groupby("policy", sort=False):
        values = {name: matrix(one) for name, one in group.groupby("approach", sort=False)}
        ours = values.pop("layershuffle")
        best = max(values.values(), key=lambda one: one.to_numpy().mean())
        more = crossed((ours - best).to_numpy(), POINTS)
        which = "more accurate" if more.low > 0 else "less accurate" if more.high < 0 else "not to be told apart"
        groups[which].append((policy, abs(more.mean)))
    told = []
    for name, those in groups.items():
        ends = sorted(by for _, by in those)[:: len(those) - 1 or 1]
        points = " to ".join(dict.fromkeys(f"{100 * end:.1f}" for end in ends))
        by = f" (by {points} points)" if name.endswith("accurate") else ""
        told += [f"**{name}** at {where} {', '.join(policy for policy, _ in those)}{by}"] if those else []
    text = "; ".join(told)
    return f"Beside the better of the other two, LayerShuffle is {text}: 95\u00a0% intervals over networks and draws."


def first_or_random(found: pd.DataFrame) -> str:
    """What half of the layers are worth in sequence, of `measurements.halves`: the first ones, and others at random."""
    told = []
    for approach, group in found.groupby("approach", sort=False):
        first, random = (matrix(one).to_numpy() for _, one in group.groupby("which", sort=False))
        less = crossed(100 * (first.mean(axis=1, keepdims=True) - random), (-100, 100))
        digits = adding_up(100 * first.mean(), 100 * random.mean())
        told.append(
            f"{TITLES[approach]} {percent(first.mean(), digits)} with the first and "
            f"{percent(random.mean(), digits)} with random ones ({as_text(*less, decimals=digits)} points apart)"
        )
    return (
        "Who runs in sequence has run the first layers when the deadline comes, and these are not just any. With "
        f"{found['layers'].iloc[0]} layers in sequence: {'; '.join(told)}, 95\u00a0% intervals over networks and draws."
    )


def milliseconds(time: float, hop: float) -> str:
    """A time in hops, and in milliseconds where a hop takes `hop` seconds: "12.3 hops (369 ms)"."""
    return f"{time:,.1f} hops ({1000 * time * hop:,.0f}\u00a0ms)"


def paid_order(found: pd.DataFrame, hop: float) -> str:
    """What load costs LayerShuffle in accuracy and in time, beside the latency of a pipeline."""
    idle, busy = (list(found["policy"].unique())[k] for k in (0, -1))
    top1 = [percent(of(found, "layershuffle", load, "top1")) for load in (idle, busy)]
    text = {
        name: " and ".join(milliseconds(of(found, name, load, "p50"), hop) for load in (idle, busy))
        for name in ("layershuffle", "baseline")
    }
    return (
        f"From a load of {idle} to one of {busy}, LayerShuffle *nearly* in order goes from {top1[0]} to {top1[1]}. Its "
        f"median latency is {text['layershuffle']} there, a ViT's in a pipeline {text['baseline']}."
    )


def skipping_or_waiting(found: pd.DataFrame, hop: float) -> str:
    """The 99th percentile of the latency of each way to live with deaths, and the most accurate ways, by approach."""
    told = []
    for approach, group in found.groupby("approach", sort=False):
        ways = {way: matrix(one) for way, one in group.groupby("policy", sort=False)}
        times = " / ".join(f"{hop * p99:.1f}" for p99 in group.groupby("policy", sort=False)["p99"].mean())
        told.append(f"{TITLES[approach]}: {times}\u00a0s; most accurate: {foremost(ways)}.")
    names = " / ".join(found["policy"].unique())
    lead = f"99 of 100 answers are there, at {1000 * hop:.0f}\u00a0ms a hop, after ({names}):"
    return listed(lead, told, "Ways are compared by network and draw; 95\u00a0% intervals over both.")


def foremost(values: Mapping[str, pd.DataFrame]) -> str:
    """Whose accuracies (networks in rows, draws in columns) are highest on average, who has the very same ones, and who
    is not to be told apart from the former: the interval of the paired difference holds 0."""
    first = max(values, key=lambda name: values[name].to_numpy().mean())
    less = {name: crossed((values[first] - one).to_numpy(), POINTS) for name, one in values.items() if name != first}
    same = [name for name in less if values[name].equals(values[first])]
    open_ = [name for name, by in less.items() if name not in same and not by.low > 0]
    text = f"{some([first, *same])}{', with the same accuracies' * bool(same)}"
    return text + (f", not to be told apart from {some(open_)}" if open_ else "")


def patience_or_order(found: pd.DataFrame) -> str:
    """What a straggler does to the throughput without patience, and what patience does to that."""
    told, factors = [], []
    for approach, group in found.groupby("approach", sort=False):
        before, after = group.groupby("policy", sort=False)["throughput"].mean()
        told.append(f"{TITLES[approach]} from {before:.2f} to {after:.2f} answers a hop")
        factors.append(after / before)
    free = freedom(found[found["policy"] == "no patience"])
    sure = free.low > 1 or free.high < 1
    apart = "" if sure else ", which is not to be told apart from as many"
    return (
        f"Patience takes {', '.join(told)} ({min(factors):.1f} to {max(factors):.1f} times as many). Freedom of order "
        f"alone, without patience, answers {as_text(*free, decimals=2)} times as many as the better of the other "
        f"two{apart}: 95\u00a0% interval over the draws, which are the same for all."
    )


def freedom(found: pd.DataFrame) -> Estimate:
    """How many times as many answers a hop LayerShuffle gives as the better of the other approaches."""
    throughput = {  # it is the same for all networks
        name: matrix(one, "throughput").iloc[0].to_numpy() for name, one in found.groupby("approach", sort=False)
    }
    ours = throughput.pop("layershuffle")
    return crossed(ratio(ours[:, None], max(throughput.values(), key=lambda one: one.mean())))


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
        f"In {len(carried)} runs on real nodes, in which {dead} of them were killed, all {requests:,} requests were "
        f"answered; {retries:,} hops were begun and given up. Along the recorded routes the network itself gives the "
        f"same logits, {same}. The simulation of the same draws, at {1000 * hop:.0f}\u00a0ms a hop, is off by "
        f"{' and '.join(off)} on average over these runs."
    )


def covered(found: pd.DataFrame, layers: int) -> str:
    """How likely full cover is with two nodes a layer, and how many nodes nine tenths takes."""
    alone = found[found["holds"] == 1].set_index("nodes")["covered"]
    enough = alone.index[alone >= 0.9]
    many = f"{enough[0]} nodes" if len(enough) else f"more than {alone.index[-1]} nodes"
    return (
        f"{2 * layers} nodes that each draw one layer hold all {layers} of them in {percent(alone[2 * layers])} of "
        f"draws; nine in ten take {many}."
    )


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
        f"- **{name}** ({why}): {unbroken('; '.join(those)) or 'in none of these cases'}."
        for name, (those, why) in lines.items()
    )


def to_take_away(by_case: pd.DataFrame, by_way: pd.DataFrame, by_patience: pd.DataFrame, to: str = "layerdrop") -> str:
    """The page's answers, from `measurements.compared` of the cases and of the straggler and `every` of the ways."""
    estimates = {policy: against(group, to) for policy, group in by_case.groupby("policy", sort=False)}
    better = [unbroken(policy) for policy, (more, _) in estimates.items() if more.low > 0]
    worse = [policy for policy, (more, _) in estimates.items() if more.high < 0]
    sooner = {policy: by for policy, (_, by) in estimates.items() if tenths(by.low) > 0}
    most = max(sooner, key=lambda policy: sooner[policy].mean, default=None)
    by = f", {sooner[most].mean:.1f} hops at most ({unbroken(most)})" if most else ""
    late = by_way.groupby("policy", sort=False)["p99"].mean().map("{:,.0f}".format)
    patient = by_patience[by_patience["approach"] == "layershuffle"].groupby("policy", sort=False)["throughput"].mean()
    answers = (
        f"**When does it pay that the order is free?** Of {len(estimates)} cases, LayerShuffle is more accurate than "
        f"{TITLES[to]} in {len(better)} ({'; '.join(better) or 'none'}) and less accurate in {len(worse)}.",
        f"**Does it answer sooner?** In {len(sooner)} of these cases{by}.",
        f"**Skip, wait, or hold two of each?** 99 of 100 answers are there after {' / '.join(late)} hops, averaged "
        f"over the approaches ({' / '.join(late.index)}).",
        "**What does patience do where one node is slow?** LayerShuffle gives "
        f"{' / '.join(patient.map('{:.2f}'.format))} answers a hop ({' / '.join(patient.index)}).",
    )
    return "\n".join(f"- {answer}" for answer in answers)
