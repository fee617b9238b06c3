"""Batched networks are what each would be alone, and Table 9 is told rightly."""

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lsnotebook.pages.statements import HOLDS, judged
from lsnotebook.sortednet import claims, neuron_views, neurons, paper
from lsnotebook.sortednet.neurons import NEURONS, Networks, first
from lsnotebook.sortednet.updates import Drawn


def alone(networks, k):
    """The k-th network as two plain layers."""
    layers = nn.Linear(2, NEURONS), nn.Linear(NEURONS, 4)
    pairs = zip(layers, ((networks.inner, networks.inner_bias), (networks.outer, networks.outer_bias)), strict=True)
    with torch.no_grad():
        for layer, (weight, bias) in pairs:
            layer.weight.copy_(weight[k].T)
            layer.bias.copy_(bias[k, 0])
    return nn.Sequential(layers[0], nn.Tanh(), layers[1])


def test_each_of_the_batched_networks_trains_as_it_would_alone(count=3, k=1):
    networks = Networks(count, "tanh", seed=0)
    single = alone(networks, k)
    where, classes = neurons.points()
    together, by_itself = (torch.optim.Adam(one.parameters(), lr=0.01) for one in (networks, single))
    for batch in torch.arange(96).reshape(3, 32):
        everywhere = networks(where[batch].expand(count, -1, -1), first(torch.full((count,), NEURONS)))
        (F.cross_entropy(everywhere.flatten(0, 1), classes[batch].repeat(count)) * count).backward()
        F.cross_entropy(single(where[batch]), classes[batch]).backward()
        for optimizer in (together, by_itself):
            optimizer.step()
            optimizer.zero_grad()
    assert torch.allclose(alone(networks, k)(where), single(where), atol=1e-5)
    assert not torch.allclose(alone(networks, 0)(where), single(where), atol=1e-2)


def test_a_step_moves_the_drawn_neurons_of_each_network_alone():
    networks = Networks(2, "none", seed=0)
    optimizer = torch.optim.Adam(networks.parameters(), lr=0.01)
    where, classes = neurons.points()
    for counts in ([10, 10], [2, 7]):
        before = {name: one.detach().clone() for name, one in networks.named_parameters()}
        drawn = first(torch.tensor(counts))
        logits = networks(where[:8].expand(2, -1, -1), drawn)
        F.cross_entropy(logits.flatten(0, 1), classes[:8].repeat(2)).backward()
        Drawn(networks.moved(drawn)).update_only()
        optimizer.step()
        optimizer.zero_grad()
    moved = (networks.outer - before["outer"]).abs().sum(-1) > 0
    assert moved.sum(1).tolist() == [2, 7] and moved[0, :2].all()
    assert ((networks.inner - before["inner"]).abs().sum(1) > 0).sum(1).tolist() == [2, 7]
    assert (networks.outer_bias != before["outer_bias"]).any(-1).all(), "what belongs to no neuron always moves"


def test_orders_take_the_first_or_the_last_neurons():
    assert first(2).tolist() == [1, 1] + [0] * 8 and first(2, "reverse").tolist() == [0] * 8 + [1, 1]
    assert first(torch.tensor([0, 10])).sum(-1).tolist() == [0, 10]


@pytest.fixture(scope="module")
def published():
    """Five networks of each kind with the paper's own means."""
    spread, rows = np.array([-1, -0.5, 0, 0.5, 1]), []
    for (order, count), cell in paper.table9().iterrows():
        for approach in ("ordinary", "sorted"):
            shift = -spread if (order, approach) == ("target", "sorted") else spread
            top1 = cell[approach] + 0.1 * shift
            rows.append(pd.DataFrame({"network": range(5), "order": order, "neurons": count, "top1": top1,
                                      "approach": approach}))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def test_the_papers_own_numbers_meet_the_claims_of_its_text(published):
    made = claims.neurons(published)
    statements = judged(made).set_index("id")
    assert (statements.loc[["S1", "S2", "S3"], "verdict"] == HOLDS).all()
    assert np.allclose(statements["build"], statements["paper"])
    assert statements.loc["S4", "paper"] == pytest.approx(86.67 - 82.22, abs=0.01)


def test_a_table_like_the_papers_is_at_no_distance_from_it(published):
    found = neuron_views.cells(published)
    assert len(neuron_views.once(found)) == 38
    assert neuron_views.distance(found) == pytest.approx(0)
    assert "by 0.0 points on average over 38 cells. Of the paper's means, 38 lie" in neuron_views.agreement(found, 5)
    moved = found.assign(paper=found["paper"] + np.where(found["approach"] == "sorted", 5, -5))
    assert "0 lie in the range of 95 % of our means of five, 19 below it and 19 above it." in neuron_views.agreement(
        moved, 5
    )
    shown = neuron_views.beside(found)
    assert len(shown) == 19 and shown.loc[("target", "1"), ("sorted", "paper")] == "62.6 ± 7.8"
    assert shown.loc[("all", "10"), ("ordinary", "ours")].startswith("94.5 ± 0.1 [94.4")
    averages = neuron_views.averages(published)
    assert averages.loc["1 to 9, reverse", ("sorted", "paper")] == "59.4"
    assert averages.loc["1 to 9, reverse", ("sorted", "ours")].startswith("59.4 %")


def test_trained_networks_are_scored_on_all_points_and_remembered():
    table = neurons.accuracies(2)
    assert (table.query("neurons == 0")["top1"] == 25).all()
    full = table.query("neurons == 10")
    assert full.groupby(["approach", "network"])["top1"].nunique().eq(1).all(), "all ten are all, in either order"
    assert full["top1"].min() > 90 and neurons.bayes() == pytest.approx(0.952)
    assert neurons.by_network(table, "sorted", "target").mean() > neurons.by_network(table, "sorted", "reverse").mean()
    figure = neuron_views.by_neurons(neuron_views.cells(table))
    drawn = {line.get_label(): line for line in figure.axes[0].lines}
    assert drawn["sorted, paper"].get_ydata()[0] == 62.58


def test_regions_are_the_decisions_of_the_first_network():
    networks = Networks(2, "none", seed=0)
    (image,) = neuron_views.regions(networks, (3,), span=2.0, steps=5)
    corner = networks(torch.tensor([[[2.0, -2.0]]]).expand(2, -1, -1), first(torch.full((2,), 3)))[0, 0].argmax()
    assert image.shape == (5, 5) and image[0, 4] == corner
    figure = neuron_views.maps({"ordinary": networks}, *neurons.points(), (1, 3))
    assert [axes.get_title() for axes in figure.axes] == ["1 neuron", "3 neurons"]
