"""What the page measures: trials simulated and answered by networks, each a table computed once, and real runs."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from lsnotebook.core.draws import Pruned
from lsnotebook.core.profiles import Approach, Profile
from lsnotebook.core.randomness import stream
from lsnotebook.core.source import code_version
from lsnotebook.core.store import remembered
from lsnotebook.engine.cluster import SweepError
from lsnotebook.engine.run import Run, study
from lsnotebook.engine.tables import Table, tables
from lsnotebook.layershuffle.measurements import accuracies
from lsnotebook.swarm import conditions
from lsnotebook.swarm.answering import answered
from lsnotebook.swarm.conditions import SERVED
from lsnotebook.swarm.hops import SwarmError
from lsnotebook.swarm.nodes import nodes
from lsnotebook.swarm.real import real
from lsnotebook.swarm.trials import Carried, Trial, simulated, summary

DRAWS, REQUESTS = 10, 100
"""What the page takes by default."""


def answers(wanted: Sequence[tuple[str, Sequence[Run], Trial]], requests: int, draws: int) -> pd.DataFrame:
    """Each trial, by its name, as these networks of one approach answer it: the columns of `answering.answered`, with
    approach, seed, rule and policy (the name), for each (trial, network, draw). Raises `SwarmError`."""
    for _, models, trial in wanted:
        trial.check(models[0].layers)
    sizes = {"requests": requests, "draws": draws}
    asked = [
        Table("swarm", answered, tuple(models), {"trial": dataclasses.asdict(trial), **sizes})
        for _, models, trial in wanted
    ]
    found = [
        table.assign(
            approach=models[0].approach.name,
            seed=[models[k].seed for k in table["network"]],
            rule=trial.rule,
            policy=name,
        )
        for (name, models, trial), table in zip(wanted, tables(asked, "swarms"), strict=True)
    ]
    return pd.concat(found, ignore_index=True)


def compared(
    profile: Profile,
    trials: Mapping[str, Trial],
    rules: Mapping[Approach, str] = SERVED,
    requests: int = REQUESTS,
    draws: int = DRAWS,
    seeds: int | None = None,
) -> pd.DataFrame:
    """`answers` of several approaches, each under a rule of its own."""
    return every(profile, [(rules, trials)], requests, draws, seeds)


def every(
    profile: Profile,
    wanted: Iterable[tuple[Mapping[Approach, str], Mapping[str, Trial]]],
    requests: int = REQUESTS,
    draws: int = DRAWS,
    seeds: int | None = None,
) -> pd.DataFrame:
    """`compared`, for several rules and trials."""
    asked = [
        (name, study(profile, [approach], seeds), dataclasses.replace(trial, rule=rule))
        for rules, trials in wanted
        for approach, rule in rules.items()
        for name, trial in trials.items()
    ]
    return answers(asked, requests, draws)


def halves(profile: Profile, seeds: int | None = None) -> pd.DataFrame:
    """What a deadline leaves of a network that runs in sequence: the accuracies with half of the layers, and `which`:
    the first ones, or others at random."""
    half, models = max(1, profile.backbone.layers // 2), study(profile, list(SERVED), seeds)
    return pd.concat(accuracies(models, Pruned(half, which)).assign(which=which) for which in ("first", "random"))


def scaled(layers: int, requests: int = REQUESTS, draws: int = 3) -> pd.DataFrame:
    """Latency and throughput against the number of nodes, which no network has to answer: those of `summary`, with
    approach, policy (the number), seed (0) and draw. Large swarms serve as many requests as twice their nodes."""

    def compute() -> pd.DataFrame:
        rows = [
            {"approach": approach.name, "policy": name, "seed": 0, "draw": draw}
            | summary(simulated(dataclasses.replace(trial, rule=rule), layers, max(requests, 2 * trial.nodes), draw))
            for approach, rule in SERVED.items()
            for name, trial in conditions.sizes(layers).items()
            for draw in range(draws if trial.nodes < 10 * layers else 1)
        ]
        return pd.DataFrame(rows)

    code = code_version("lsnotebook.swarm.trials", "lsnotebook.swarm.conditions")
    recipe = {"layers": layers, "requests": requests, "draws": draws, "code": code, "served": list(SERVED.values())}
    return remembered(recipe, "swarm sizes", compute).astype({"policy": str})


def carried_out(profile: Profile, yours: Trial, requests: int = 60) -> tuple[list[Carried], str]:
    """The reader's trial, the first, with a LayerShuffle network, and those of `conditions.staged` on real nodes of
    this machine, started once for all. Where there can be none, it is simulated, and a sentence says why."""
    (shuffled,) = study(profile, [next(iter(SERVED))], 1)
    *others, few, fewer = conditions.staged(shuffled.layers)
    wanted = [*others, ("yours", shuffled.approach, yours), few, fewer]
    found = []
    try:
        with nodes(max(trial.nodes for _, _, trial in wanted)) as pool:
            for figure, approach, trial in wanted:
                rows, faults, agreement = real(pool, Run(profile, approach, 0), trial, requests)
                again = simulated(trial, shuffled.layers, requests)
                found.append(Carried(figure, approach, trial, rows, faults, agreement, again))
    except (SweepError, SwarmError) as error:  # no Ray, no room for it, or nodes that did not start
        rows = simulated(yours, shuffled.layers, requests)
        _, faults, _ = yours.drawn(shuffled.layers, requests, stream(0, "swarm"))
        return [Carried("yours", shuffled.approach, yours, rows, faults, None, rows)], str(error)
    return sorted(found, key=lambda one: one.figure != "yours"), ""


def prepare(profile: Profile, requests: int = REQUESTS, draws: int = DRAWS) -> None:
    """Compute what the page shows by default, so that it finds it in the store."""
    layers, patience = profile.backbone.layers, int(conditions.OWN.patience)
    sizes: dict[str, Any] = {"requests": requests, "draws": draws, "seeds": max(2, profile.seeds)}
    for of in (conditions.deadlines, conditions.loads, conditions.failures):
        compared(profile, of(layers), **sizes)
    compared(profile, conditions.straggling(layers, patience), **sizes)
    for trials in (conditions.dead(layers), conditions.cases(layers, patience)):
        compared(profile, trials, conditions.SKIPPING, **sizes)
    own = [(SERVED, {"own": conditions.OWN})]
    networks = sizes["seeds"]
    for wanted in (
        own,
        conditions.ways(layers),
        conditions.uncoordinated(layers),
        conditions.several(layers, networks),
    ):
        every(profile, wanted, **sizes)
    halves(profile, networks)
    scaled(layers, requests)
