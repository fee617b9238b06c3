"""The page's sentences say what the numbers say, whichever way these go."""

import pandas as pd

from lsnotebook.core.statistics import matrix
from lsnotebook.swarm import findings


def test_who_leads_is_said_only_where_the_interval_says_so(answers):
    found = answers({"layershuffle": [0.8, 0.5], "layerdrop": [0.3, 0.5], "baseline": [0.2, 0.1]})
    said = findings.leads(found, "a deadline of")
    assert "LayerShuffle is **more accurate** at a deadline of a (by 50." in said
    assert "**not to be told apart** at a deadline of b:" in said and "less" not in said
    turned = found.replace({"approach": {"layershuffle": "layerdrop", "layerdrop": "layershuffle"}})
    assert "LayerShuffle is **less accurate** at a deadline of a (by 50." in findings.leads(turned, "a deadline of")


def test_the_verdict_follows_the_numbers_and_not_the_expectation(answers):
    times = {"layershuffle": [10, 14, 12], "layerdrop": [12, 12, 12]}
    top1 = {"layershuffle": [0.8, 0.5, 0.6], "layerdrop": [0.3, 0.9, 0.6], "baseline": [0.1, 0.1, 0.1]}
    policies = ("a burst", "a light load", "a tie")
    said = findings.verdict(answers(top1, times, policies)).splitlines()
    assert [line.split(": ")[1] for line in said[:3]] == ["a burst.", "a light load.", "a tie."]
    assert said[3].endswith(": a burst.") and said[4].endswith(": a light load.")
    turned = {"layershuffle": top1["layerdrop"], "layerdrop": top1["layershuffle"], "baseline": top1["baseline"]}
    said = findings.verdict(answers(turned, times, policies)).splitlines()
    assert said[0].endswith(": a light load.") and said[1].endswith(": a burst.")
    assert "in none of these cases" in findings.verdict(answers({"layershuffle": [0.9] * 2, "layerdrop": [0.1] * 2}))


def test_patience_and_freedom_of_order_are_told_apart(answers):
    found = answers({"layershuffle": [0.5, 0.5], "layerdrop": [0.5, 0.5]}, policies=("no patience", "patience"))
    found.loc[found["policy"] == "patience", "throughput"] = 2.0
    said = findings.patience_or_order(found)
    assert "LayerShuffle from 0.50 to 2.00 answers a hop" in said and "(4.0 to 4.0 times as many)" in said
    assert "answers 1.00 times as many as" in said


def test_without_real_nodes_a_sentence_says_why():
    assert findings.real([], "Swarms need Ray: pip install it.", 0.03).endswith(
        "alone: Swarms need Ray: pip install it."
    )


def test_the_first_layers_are_told_beside_random_ones_with_their_difference():
    row = {"approach": "layerdrop", "layers": 6}
    first = [{**row, "which": "first", "seed": k, "draw": 0, "top1": top1} for k, top1 in enumerate([0.95, 0.93, 0.94])]
    random = [
        {**row, "which": "random", "seed": k, "draw": draw, "top1": top1 + draw / 100}
        for k, top1 in enumerate([0.75, 0.72, 0.75])
        for draw in (-1, 0, 1)
    ]
    said = findings.first_or_random(pd.DataFrame(first + random))
    assert "With 6 layers in sequence: LayerDrop 94.0\u00a0% with the first and 74.0\u00a0% with random ones" in said
    assert "(20.0 [" in said and "points apart)" in said


def test_the_most_accurate_ways_are_told_with_those_that_tie(answers):
    """Waiting and replicas give the very same answers; skipping is worse, or may be as good."""
    found = answers({"layerdrop": [0.8, 0.9]}, policies=("skip", "wait"))
    found = pd.concat([found, found[found["policy"] == "wait"].assign(policy="two of each")])
    said = findings.skipping_or_waiting(found, 0.03)
    assert (
        "- LayerDrop: 0.6 / 0.6 / 0.6\u00a0s; most accurate: wait and two of each, with the same accuracies.\n" in said
    )
    turned = answers({"layerdrop": [0.9, 0.9, 0.5]}, policies=("skip", "wait", "two of each"))
    first, second = sorted(("skip", "wait"), key=lambda way: -turned.query("policy == @way")["top1"].mean())
    said = findings.skipping_or_waiting(turned, 0.03)
    assert f"most accurate: {first}, not to be told apart from {second}.\n" in said


def test_who_is_foremost_beyond_doubt_stands_alone(answers):
    values = {way: matrix(one) for way, one in answers({"layerdrop": [0.8, 0.9]}).groupby("policy")}
    assert findings.foremost(values) == "b"


def test_freedom_of_order_is_told_with_its_interval(answers):
    found = answers({"layershuffle": [0.5, 0.5], "layerdrop": [0.5, 0.5]}, policies=("no patience", "patience"))
    for approach, by in (("layershuffle", [0, 0.1, -0.1, 0.1, 0, -0.1]), ("layerdrop", [0] * 6)):
        for draw, more in enumerate(by):
            found.loc[(found["approach"] == approach) & (found["draw"] == draw), "throughput"] = 0.5 + more
    said = findings.patience_or_order(found)
    assert "answers 1.00 [0.81,\u00a01.19] times" in said and "which is not to be told apart from as many" in said
    found.loc[found["approach"] == "layershuffle", "throughput"] += 0.5
    said = findings.patience_or_order(found)
    assert "answers 2.00 [1.81,\u00a02.19] times" in said and "told apart" not in said


def test_the_answers_at_the_end_follow_the_numbers(answers):
    top1, times = (
        {"layershuffle": [0.8, 0.5], "layerdrop": [0.3, 0.9], "baseline": [0.1, 0.1]},
        {"layershuffle": [9, 12]},
    )
    cases = answers(top1, times, ("a load of 90 %", "a burst"))
    slow = answers({"layershuffle": [0.5, 0.5]}, policies=("no patience", "patience"))
    slow.loc[slow["policy"] == "patience", "throughput"] = 2.0
    ways = answers({"layershuffle": [0.5, 0.5]}, policies=("skip", "wait")).assign(p99=1307.0)
    said = findings.to_take_away(cases, ways, slow)
    assert "more accurate than LayerDrop in 1 (a load of 90\u00a0%) and less accurate in 1." in said
    assert "In 1 of these cases, 3.0 hops at most (a load of 90\u00a0%)." in said
    assert "after 1,307 / 1,307 hops" in said and "0.50 / 2.00 answers a hop (no patience / patience)" in said
    nothing = findings.to_take_away(answers({**top1, "layershuffle": [0.1, 0.1]}), ways, slow)
    assert "in 0 (none) and less accurate in 2." in nothing and "In 0 of these cases." in nothing
