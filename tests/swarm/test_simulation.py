"""Swarms on the virtual clock: times that can be computed by hand, and the columns."""

import math

import numpy as np
import pytest

from lsnotebook.swarm.driver import Fault, poisson
from lsnotebook.swarm.hops import Block, SwarmError
from lsnotebook.swarm.router import RULES
from lsnotebook.swarm.simulation import simulate


def served(rule="nearly", held=((0,), (1,), (2,)), arrivals=(0.0,), faults=(), layers=3, **options):
    nodes = {f"n{k}": tuple(Block(0, layer) for layer in of) for k, of in enumerate(held)}
    return simulate(layers, nodes, arrivals, rule, faults, **options)


@pytest.mark.parametrize("rule", RULES)
def test_one_request_takes_one_hop_a_layer(rule):
    (row,) = served(rule).to_dict("records")
    assert (row["born"], row["answered"], row["layers"], row["retries"]) == (0, 3, 3, 0)
    assert sorted(block.layer for block in row["route"]) == [0, 1, 2]
    assert row["begun"] == (0, 1, 2) and row["ended"] == (1, 2, 3)


def test_where_any_order_will_do_requests_that_come_at_once_queue_for_less_long():
    nearly, pipeline = (served(rule, arrivals=[0, 0, 0]) for rule in ("nearly", "pipeline"))
    assert nearly["answered"].tolist() == [3, 4, 4]
    assert pipeline["answered"].tolist() == [3, 4, 5]


def test_a_deadline_answers_from_what_has_run():
    (row,) = served(deadline=2.5).to_dict("records")
    assert row["answered"] == 2.5 and row["layers"] == 2


def test_a_straggler_is_waited_for_but_not_with_patience():
    slow = [Fault(0, "slow", "n1", factor=10)]
    assert served(faults=slow)["answered"].tolist() == [12]
    (row,) = served(faults=slow, patience=3).to_dict("records")
    assert row["answered"] == 1 + 3 + 1 and [block.layer for block in row["route"]] == [0, 2] and row["retries"] == 1


def test_a_death_is_noticed_late_and_a_replacement_is_waited_for_by_a_pipeline_alone():
    faults = [Fault(0.5, "kill", "n1"), Fault(4, "join", "n3", blocks=(Block(0, 1),))]
    skips, waits = (served(rule, faults=faults, notice=1).to_dict("records")[0] for rule in ("in-order", "pipeline"))
    assert (skips["answered"], skips["layers"], skips["retries"]) == (1 + 0.5 + 1, 2, 1), "begun before it was noticed"
    assert (waits["answered"], waits["layers"]) == (4 + 2, 3)


def test_a_pipeline_that_waits_for_ever_says_so():
    with pytest.raises(SwarmError, match="1 requests wait for layers that no living node holds"):
        served("pipeline", faults=[Fault(0.5, "kill", "n1")])


def test_equal_seeds_give_equal_rows_and_busy_nodes_are_waited_for_as_queueing_theory_says():
    arrivals = poisson(0.5, 20_000, np.random.default_rng(0))
    rows = [served(held=[(0,)], arrivals=arrivals, layers=1) for _ in range(2)]
    assert rows[0].equals(rows[1])
    waits = (rows[0]["answered"] - rows[0]["born"]).mean() - 1
    assert waits == pytest.approx(0.5 / (2 * (1 - 0.5)), rel=0.1), "an M/D/1 queue"


def test_many_nodes_that_die_and_join_lose_no_request():
    rng = np.random.default_rng(3)
    held = [(int(rng.integers(6)),) for _ in range(24)]
    faults = [Fault(time, "kill", f"n{k}") for k, time in enumerate(rng.uniform(0, 60, 12))]
    found = served(held=held, arrivals=poisson(0.8, 60, rng), faults=faults, layers=6, notice=2, patience=4)
    assert found["request"].tolist() == list(range(60)) and (found["layers"] <= 6).all()
    assert found["answered"].lt(math.inf).all() and found["retries"].sum() > 0


def test_a_closed_loop_keeps_so_many_in_flight():
    found = served(arrivals=[0] * 10, in_flight=2)
    born = found["born"].to_numpy()
    assert born[:2].tolist() == [0, 0] and sorted(born[2:]) == sorted(found["answered"])[:8]
