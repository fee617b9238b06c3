"""The router alone: whatever happens, in whatever sequence, what must hold of its answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsnotebook.core.profiles import UnknownNameError
from lsnotebook.swarm.hops import Answer, Block, Hop, SwarmError
from lsnotebook.swarm.router import IN_SEQUENCE, RULES, Router

LAYERS, NETWORKS = 4, 2
blocks = st.builds(Block, st.integers(0, NETWORKS - 1), st.integers(0, LAYERS - 1))
held = st.lists(st.lists(blocks, min_size=1, max_size=3, unique=True), max_size=6)
HAPPENINGS = ("arrive", "finish", "die", "join", "tell", "tell again", "lose patience", "deadline")
happenings = st.lists(st.tuples(st.sampled_from(HAPPENINGS), st.integers(0, 30)), max_size=80)


class Watched:
    """A router, the nodes as they are, and what they have sent: the router is told late, and in any sequence."""

    def __init__(self, rule):
        self.router, self.rule = Router(LAYERS, rule, NETWORKS), rule
        self.holds, self.living, self.running = {}, set(), {}
        self.sent, self.told = [], []
        self.known, self.dead, self.busy = set(), set(), {}  # as the router was told
        self.arrived, self.answers, self.begun = 0, {}, []

    def take(self, actions):
        for action in actions:
            if isinstance(action, Answer):
                assert action.request not in self.answers and action.request < self.arrived
                self.answers[action.request] = action
            else:
                assert action.node in self.known, "no hop to a node that is known to be dead"
                assert action.block in self.holds[action.node]
                assert action.node not in self.busy, "a node runs one hop at a time"
                assert action.request not in self.answers
                self.busy[action.node] = action
                self.begun.append(action)
                if action.node in self.living:
                    self.running[action.node] = action

    def happens(self, what, which):
        if what == "arrive":
            self.arrived += 1
            self.take(self.router.arrived(self.arrived - 1))
        elif what == "join":
            self.join([Block(which % NETWORKS, which % LAYERS)])
        elif what == "finish" and self.running:
            self.sent.append((what, self.running.pop(sorted(self.running)[which % len(self.running)])))
        elif what == "die" and self.living:
            node = sorted(self.living)[which % len(self.living)]
            self.living.remove(node)
            self.running.pop(node, None)
            self.sent.append((what, node))
        elif what == "tell" and self.sent:
            self.tell(*self.sent.pop(which % len(self.sent)))
        elif what == "tell again" and self.told:
            self.tell(*self.told[which % len(self.told)])
        elif what in ("lose patience", "deadline") and self.router.requests:
            request = sorted(self.router.requests)[which % len(self.router.requests)]
            happen = self.router.due if what == "deadline" else self.router.lost_patience
            self.take(happen(request))

    def join(self, held):
        node = f"node {len(self.holds):02}"
        self.holds[node] = held
        self.living.add(node)
        self.sent.append(("join", node))

    def tell(self, what, of):
        if what == "finish":
            if self.busy.get(of.node) == of:
                del self.busy[of.node]
            self.take(self.router.finished(of))
        elif what == "die":
            self.dead.add(of)
            self.known.discard(of)
            self.busy.pop(of, None)
            self.take(self.router.died(of))
        else:
            self.known |= {of} - self.dead
            self.take(self.router.joined(of, self.holds[of]))
        if what != "join":  # nodes come once
            self.told.append((what, of))

    def go_on(self):
        """Until nothing is left to run or to tell."""
        while self.running or self.sent:
            self.happens("finish", 0)
            self.happens("tell", 0)

    def slot(self, block):
        return block if self.rule == "similar" else block.layer


@given(st.sampled_from(sorted(RULES)), held, happenings)
@settings(max_examples=300, deadline=None)
def test_whatever_happens_every_request_is_answered_once_and_runs_no_layer_twice(rule, held, happenings):
    swarm = Watched(rule)
    for of in held:
        swarm.join(of)
    swarm.go_on()
    for what, which in happenings:
        swarm.happens(what, which)
    swarm.go_on()
    for request in list(swarm.router.requests):
        assert rule == "pipeline", "nothing waits once nothing is left to run"
        ran = len(swarm.router.requests[request].route)
        assert not any(block.layer == ran for node in swarm.living for block in swarm.holds[node]), "no holder"
        swarm.take(swarm.router.due(request))
    assert swarm.answers.keys() == set(range(swarm.arrived))
    for answer in swarm.answers.values():
        slots = [swarm.slot(block) for block in answer.route]
        assert len(set(slots)) == len(slots) <= LAYERS and len(answer.nodes) == len(slots)
        if rule in IN_SEQUENCE:
            assert slots == sorted(slots)
        if rule == "pipeline":
            assert slots == list(range(len(slots)))
        tried = [hop for hop in swarm.begun if hop.request == answer.request]
        assert len(tried) >= len(answer.route) + answer.retries


@given(st.sampled_from(sorted(RULES)), st.integers(1, 3), st.integers(1, 8))
def test_where_nobody_dies_all_layers_are_run_however_many_wait(rule, copies, requests):
    swarm = Watched(rule)
    for node in range(copies * LAYERS):
        swarm.join([Block(0, node % LAYERS)])
    swarm.go_on()
    for _ in range(requests):
        swarm.happens("arrive", 0)
    swarm.go_on()
    assert [len(answer.route) for answer in swarm.answers.values()] == [LAYERS] * requests


def router(rule, layers=3, **nodes):
    made = Router(layers, rule)
    for node, held in nodes.items():
        made.joined(node, [Block(0, layer) for layer in held])
    return made


def hop(actions):
    (one,) = actions
    assert isinstance(one, Hop)
    return one


def test_nearly_in_order_takes_the_lowest_layer_that_is_free():
    made = router("nearly", a=[0], b=[1], c=[2])
    first = hop(made.arrived(0))
    second = hop(made.arrived(1))
    assert (first.block.layer, second.block.layer) == (0, 1), "layer 0 is busy, so it begins with 1"
    assert hop(made.arrived(2)).block.layer == 2
    assert made.finished(second) == [], "0 and 2 are busy"
    waited, own = made.finished(first)
    assert (waited.request, waited.block.layer) == (1, 0) and (own.request, own.block.layer) == (0, 1)


def test_in_sequence_one_skips_what_nobody_holds_and_the_other_waits_for_it():
    skips, waits = (router(rule, a=[0], c=[2]) for rule in ("in-order", "pipeline"))
    assert hop(skips.finished(hop(skips.arrived(0)))).block.layer == 2
    assert waits.finished(hop(waits.arrived(0))) == []
    assert hop(waits.joined("b", [Block(0, 1)])).block.layer == 1


def test_a_hop_that_dies_costs_one_hop():
    made = router("nearly", layers=1, a=[0], b=[0])
    began = hop(made.arrived(0))
    again = hop(made.died(began.node))
    assert again.node != began.node and again.block == began.block
    (answer,) = made.finished(again)
    assert answer == Answer(0, (Block(0, 0),), (again.node,), retries=1)


def test_a_late_hop_is_ignored_but_frees_its_node():
    made = router("nearly", layers=2, slow=[0], b=[1])
    late = hop(made.arrived(0))
    other = hop(made.lost_patience(0))
    assert other.node == "b"
    (answer,) = made.finished(other)
    assert answer.route == (Block(0, 1),), "it does without the layer that only the slow node holds"
    assert hop(made.arrived(1)).node == "b"
    assert made.finished(late) == [], "nothing waits for it"
    assert made.finished(late) == []
    (began,) = made.arrived(2)
    assert began.node == "slow"


def test_what_is_heard_of_the_dead_later_on_changes_nothing():
    made = router("nearly", layers=1, a=[0], b=[0])
    late = hop(made.arrived(0))
    again = hop(made.died(late.node))
    assert made.finished(late) == [] and made.died(late.node) == [] and made.joined(late.node, [late.block]) == []
    assert made.arrived(1) == [], "its node stays dead, and the other one is busy"
    first, second = made.finished(again)
    assert first == Hop(1, again.node, again.block, again.number + 1) and second.retries == 1


def test_a_pipeline_goes_back_to_a_slow_node_rather_than_wait_for_none():
    made = router("pipeline", layers=1, slow=[0], b=[0])
    late = hop(made.arrived(0))
    assert hop(made.lost_patience(0)).node == "b"
    assert made.died("b") == []
    assert hop(made.finished(late)).node == "slow"


def test_similar_takes_as_many_layers_as_the_network_has_from_any_of_the_networks():
    made = Router(layers=2, rule="similar", networks=2)
    made.joined("a", [Block(0, 1)])
    made.joined("b", [Block(1, 1)])
    second = hop(made.finished(hop(made.arrived(0))))
    (answer,) = made.finished(second)
    assert sorted(answer.route) == [Block(0, 1), Block(1, 1)]


@pytest.mark.parametrize(
    ("node", "held"), [("b", [Block(0, 3)]), ("b", [Block(1, 0)]), ("b", []), ("a", [Block(0, 0)])]
)
def test_a_node_that_cannot_be_is_refused(node, held):
    with pytest.raises(SwarmError, match="Node '"):
        router("nearly", a=[0]).joined(node, held)


def test_an_unknown_rule_is_refused_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="did you mean 'nearly'"):
        Router(3, "nearl")
