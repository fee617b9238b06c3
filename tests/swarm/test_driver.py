"""Swarms driven through faults and late messages: what must hold of the rows, whatever happens."""

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsnotebook.swarm.delays import Delayed
from lsnotebook.swarm.driver import Died, Fault, drive
from lsnotebook.swarm.hops import Block, SwarmError
from lsnotebook.swarm.router import IN_SEQUENCE, RULES, Router
from lsnotebook.swarm.simulation import Simulation

LAYERS, NETWORKS = 4, 2
blocks = st.builds(Block, st.integers(0, NETWORKS - 1), st.integers(0, LAYERS - 1))
layouts = st.lists(st.lists(blocks, min_size=1, max_size=3, unique=True).map(tuple), min_size=1, max_size=8)
times = st.floats(0, 20)
limits = st.sampled_from([math.inf, 1.5, 4.0, 12.0])


class Computing(Simulation):
    """Simulated nodes that compute: the state of a request is the blocks that it went through."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.states, self.given, self.final = {}, {}, {}

    def begin(self, hop):
        self.given[hop.number] = self.states.get(hop.request, ())
        super().begin(hop)

    def counts(self, event):
        self.states[event.hop.request] = (*self.given[event.hop.number], event.hop.block)

    def answered(self, request):
        self.final[request] = self.states.get(request, ())


class Told(Delayed):
    """Remembers when a death became known."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.dead = {}

    def next(self, until):
        event = super().next(until)
        if isinstance(event, Died):
            self.dead.setdefault(event.node, self.now())
        return event


@st.composite
def faults(draw, nodes):
    found = draw(
        st.lists(
            st.builds(
                Fault, times, st.sampled_from(["kill", "crash", "slow"]), st.integers(0, nodes - 1), st.just(10.0)
            ),
            max_size=6,
        )
    )
    joining = draw(st.lists(st.tuples(times, blocks), max_size=3))
    return found + [Fault(time, "join", f"new {k}", blocks=(block,)) for k, (time, block) in enumerate(joining)]


@given(st.data(), st.sampled_from(sorted(RULES)), layouts, st.lists(times, min_size=1, max_size=12), limits, limits)
@settings(max_examples=250, deadline=None)
def test_whatever_befalls_a_swarm_its_rows_are_in_order(data, rule, layout, arrivals, patience, deadline):
    befalls = data.draw(faults(len(layout)))
    longest, in_flight = data.draw(st.sampled_from([0.0, 0.7, 5.0])), data.draw(st.sampled_from([None, 3]))
    rng, held = np.random.default_rng(0), dict(enumerate(layout))
    nodes = Computing(held, jitter=0.3, notice=data.draw(st.sampled_from([0.0, 3.0])), rng=rng)
    world = Told(nodes, lambda: rng.uniform(0, longest))
    arrivals = sorted(6 + time for time in arrivals)  # the nodes are there
    try:
        rows = drive(Router(LAYERS, rule, NETWORKS), world, arrivals, befalls, patience, deadline, in_flight)
    except SwarmError:
        assert rule == "pipeline" and deadline == math.inf
        return
    assert rows["request"].tolist() == list(range(len(arrivals))), "every request is answered exactly once"
    assert (rows["answered"] <= rows["born"] + deadline + 1e-9).all()
    held |= {fault.node: fault.blocks for fault in befalls if fault.kind == "join"}
    busy = defaultdict(list)
    for row in rows.itertuples():
        assert nodes.final[row.request] == row.route, "a hop that was given up leaves no trace in the state"
        slots = [block if rule == "similar" else block.layer for block in row.route]
        assert len(set(slots)) == len(slots) == row.layers <= LAYERS, "no layer twice"
        assert slots == sorted(slots) or rule not in IN_SEQUENCE
        assert rule != "pipeline" or slots == list(range(len(slots)))
        moments = [row.born, *np.ravel(list(zip(row.begun, row.ended, strict=True))), row.answered]
        assert moments == sorted(moments)
        for node, block, begun, ended in zip(row.nodes, row.route, row.begun, row.ended, strict=True):
            assert block in held[node] and begun <= world.dead.get(node, math.inf), "no hop to a node known to be dead"
            busy[node].append((begun, ended))
    for of in busy.values():
        assert all(one[1] <= other[0] for one, other in zip(sorted(of), sorted(of)[1:], strict=False)), "one at a time"


def test_messages_come_late_and_overtake_one_another():
    delays = iter([0.0, 0.0, 5.0, 0.0, 0.0])  # two nodes join; of the hops that then end at 1, one is told at 6
    world = Delayed(Simulation({0: (Block(0, 0),), 1: (Block(0, 0),)}), lambda: next(delays))
    rows = drive(Router(1), world, [0.0, 0.0, 1.0])
    assert rows["answered"].tolist() == [6, 1, 2], "its node is busy until then, as far as anyone knows"


@pytest.mark.parametrize("patience", [math.inf, 2])
def test_a_pipeline_that_waits_for_ever_says_so_with_patience_too(patience):
    nodes = Simulation({0: (Block(0, 0),)})
    with pytest.raises(SwarmError, match="1 requests wait for layers that no living node holds"):
        drive(Router(2, "pipeline"), nodes, [0.0], patience=patience)


def test_patience_is_for_a_hop_and_the_wait_for_it_is_another_matter():
    """The second request waits for 2 of 3 hops until the node is free, and its own hop takes 2."""
    nodes = Simulation({0: (Block(0, 0),)})
    rows = drive(Router(1), nodes, [1.0, 1.0], [Fault(0, "slow", 0, factor=2)], patience=3)
    assert rows["answered"].tolist() == [3, 5] and rows["retries"].sum() == 0
