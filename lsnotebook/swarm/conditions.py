"""The swarms that the page compares, section by section: each a dictionary of trials by their names."""

import dataclasses
import math
from collections.abc import Mapping

from lsnotebook.core.profiles import Approach
from lsnotebook.layershuffle.approaches import BASELINE, LAYERDROP, LAYERSHUFFLE
from lsnotebook.swarm.router import RULES
from lsnotebook.swarm.trials import STARTING, Trial, varied

SERVED = {LAYERSHUFFLE: "nearly", LAYERDROP: "in-order", BASELINE: "pipeline"}
"""The rule by which a network is served, as its training allows."""
SKIPPING = {**SERVED, BASELINE: "in-order"}
"""The same, where nobody waits for what is missing."""
WAITING = dict.fromkeys(SERVED, "pipeline")
OWN = Trial("nearly", nodes=12, kill=2, slow=1, in_flight=12, deadline=16, patience=4)
"""What the page's parameters say by default."""
LOADS = [0.05, 0.3, 0.6, 0.8, 0.9]
FAILURES = [100, 300, 1000, 3000, 10_000]
"""Mean times between the failures of a node, in hops."""
SIZES = [1, 3, 10, 30, 100, 300]
"""Nodes, in multiples of the layers."""


def tight(layers: int) -> int:
    """A deadline by which not all layers can have run."""
    return max(1, layers * 5 // 6)


def deadlines(layers: int) -> dict[str, Trial]:
    """As many requests as nodes are on their way at any time."""
    at = sorted({max(1, layers // 2), tight(layers), layers, layers * 4 // 3, 2 * layers})
    return varied(Trial(nodes=layers, in_flight=layers), deadline=at)


def loads(layers: int) -> dict[str, Trial]:
    return varied(Trial(nodes=layers), load=LOADS)


def dead(layers: int) -> dict[str, Trial]:
    """So many nodes die, of one a layer."""
    return varied(Trial(nodes=layers, load=0.3), kill=sorted({0, *(layers * k // 12 for k in (1, 2, 4, 6))}))


def ways(layers: int) -> list[tuple[Mapping[Approach, str], dict[str, Trial]]]:
    """What can be done where one node in six dies: the rules, and the trials."""
    dying = Trial(nodes=layers, kill=max(1, layers // 6), load=0.3)
    twice = dataclasses.replace(dying, nodes=2 * layers, load=0.15)
    replaced = dataclasses.replace(dying, replaced=STARTING)
    return [(SKIPPING, {"skip": dying}), (WAITING, {"wait": replaced}), (SKIPPING, {"two of each": twice})]


def straggling(layers: int, patience: int) -> dict[str, Trial]:
    """One slow node of one a layer, without patience and with it."""
    slow = Trial(nodes=layers, slow=1, in_flight=layers)
    return {"no patience": slow, "patience": dataclasses.replace(slow, patience=patience)}


def failures(layers: int) -> dict[str, Trial]:
    """Nodes fail again and again, and are replaced."""
    return varied(Trial(nodes=layers, load=0.3, replaced=STARTING), mtbf=FAILURES)


def sizes(layers: int) -> dict[str, Trial]:
    """Ever more nodes at the same load of each, from one for two layers on; they hold a layer each otherwise."""
    few = Trial(nodes=-(-layers // 2), holds=2, load=0.6)
    return {str(few.nodes): few, **varied(Trial(load=0.6), nodes=[layers * size for size in SIZES])}


def uncoordinated(layers: int) -> list[tuple[Mapping[Approach, str], dict[str, Trial]]]:
    """Twice as many nodes as layers, each with a layer drawn by chance; nobody waits for longer than a deadline."""
    drawn = Trial(nodes=2 * layers, planned=False, load=0.3, deadline=3 * layers)
    rules = {LAYERSHUFFLE: list(RULES), LAYERDROP: ["in-order", "pipeline"], BASELINE: ["in-order", "pipeline"]}
    return [({approach: rule}, {rule: drawn}) for approach, those in rules.items() for rule in those]


def several(layers: int, networks: int) -> list[tuple[Mapping[Approach, str], dict[str, Trial]]]:
    """Two nodes a layer that hold layers of one network, or of several."""
    one = Trial(nodes=2 * layers, load=0.3)
    mixed = dataclasses.replace(one, networks=networks)
    return [
        (SKIPPING, {"one network": one}),
        ({LAYERSHUFFLE: "any"}, {"one network": one}),
        (SKIPPING, {"each layer from any network": mixed}),
        (dict.fromkeys(SERVED, "similar"), {"any layers of any network": mixed}),
    ]


def cases(layers: int, patience: int) -> dict[str, Trial]:
    """What the verdict is over."""
    plain = Trial(nodes=layers, load=0.3)
    by_chance = dataclasses.replace(plain, nodes=2 * layers, planned=False)
    end = tight(layers)
    return {
        "a light load": dataclasses.replace(plain, load=0.05),
        "a light load and a tight deadline": dataclasses.replace(plain, load=0.05, deadline=end),
        "a load of 60 % and a tight deadline": dataclasses.replace(plain, load=0.6, deadline=end),
        "a load of 90 %": dataclasses.replace(plain, load=0.9),
        "a load of 90 % and a tight deadline": dataclasses.replace(plain, load=0.9, deadline=end),
        "a burst": Trial(nodes=layers, in_flight=layers),
        "a burst and a tight deadline": Trial(nodes=layers, in_flight=layers, deadline=end),
        "one node in six dead": dataclasses.replace(plain, kill=max(1, layers // 6)),
        "a straggler and patience": dataclasses.replace(plain, slow=1, patience=patience),
        "layers drawn by chance": by_chance,
        "layers drawn by chance and a tight deadline": dataclasses.replace(by_chance, deadline=end),
    }


def staged(layers: int) -> list[tuple[str, Approach, Trial]]:
    """What real nodes are asked to do as well: the figure that shows it, the network, and the trial. They have answered
    before a replacement would be there; those who lose the most nodes come last, since these are started anew."""
    known = sizes(layers)
    one_each = [
        ("sizes", approach, dataclasses.replace(known[str(layers)], rule=rule)) for approach, rule in SERVED.items()
    ]
    few = ("sizes", LAYERSHUFFLE, next(iter(known.values())))
    failing = [dataclasses.replace(failures(layers)[at], replaced=math.inf) for at in ("1000", "300")]
    return [few, *one_each, *(("failures", LAYERSHUFFLE, trial) for trial in failing)]
