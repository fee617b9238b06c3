"""The state of a training: read as it was written, or refused in a sentence."""

import pytest
import torch

from lsnotebook.engine.launch import TrainingError
from lsnotebook.engine.state import STATE, read_parts, read_state, write_state

HISTORY = [{"step": 1, "selection_loss": 1 / 3, "selection_top1": 0.1}]


@pytest.fixture
def state(tmp_path):
    """The state file of a network of one weight, after one step."""
    network = torch.nn.Linear(2, 1, bias=False)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    weights = network.state_dict()
    best = {name: weight.clone() for name, weight in weights.items()}
    write_state(tmp_path, weights, {"weight": optimizer.state[network.weight]}, HISTORY, best)
    return tmp_path / STATE


def refused(path, content):
    """Whether a state is refused in one sentence and left as it is."""
    path.write_bytes(content)
    with pytest.raises(TrainingError) as caught:
        read_parts(path.parent)
    expected = "is damaged, or a copy of another: its checksum is not the one it was written with."
    return str(caught.value) == f"{path} {expected} Remove it to train this run anew." and path.read_bytes() == content


def test_no_flipped_bit_and_no_cut_is_overlooked(state):
    whole = state.read_bytes()
    for place in range(len(whole)):
        for bit in (0, 1 + place % 7):
            changed = bytearray(whole)
            changed[place] ^= 1 << bit
            assert refused(state, bytes(changed))
        assert refused(state, whole[:place])
    assert refused(state, whole + b"\0")
    state.write_bytes(whole)
    assert read_parts(state.parent)[0] == HISTORY


def test_weights_and_moments_are_read_as_they_were_written(state):
    network = torch.nn.Linear(2, 1, bias=False)
    optimizer = torch.optim.Adam(network.parameters())
    history, best = read_state(state.parent, network, optimizer)
    assert history == HISTORY and torch.equal(best["weight"], network.weight)
    moments = optimizer.state[network.weight]
    assert moments["step"] == 1 and moments["exp_avg"].flatten().tolist() == pytest.approx([0.1, 0.1])


def test_a_layer_that_has_not_run_yet_goes_on_as_if_never_interrupted(tmp_path):
    """As of sub-models and of dropped layers: it has no moments."""

    def steps(network, optimizer, layers):
        for layer in layers:
            network[layer](torch.ones(1, 2)).sum().backward()
            optimizer.step()
            optimizer.zero_grad()

    def fresh():
        torch.manual_seed(0)
        network = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Linear(2, 1))
        return network, torch.optim.Adam(network.parameters(), lr=0.1)

    whole, optimizer = fresh()
    steps(whole, optimizer, [0, 0])
    weights = {name: weight.clone() for name, weight in whole.state_dict().items()}
    adam = {f"0.{name}": optimizer.state[one] for name, one in whole[0].named_parameters()}
    best = {name: weight.clone() for name, weight in weights.items()}
    write_state(tmp_path, weights, adam, HISTORY, best)
    resumed, other = fresh()
    read_state(tmp_path, resumed, other)
    for network, its in ((whole, optimizer), (resumed, other)):
        steps(network, its, [1, 0, 1])
    assert all(torch.equal(weight, resumed.state_dict()[name]) for name, weight in whole.state_dict().items())


def test_the_state_of_another_run_is_not_taken_for_its_own(state, tmp_path):
    mine = tmp_path / "layershuffle-seed1.unfinished" / STATE
    mine.parent.mkdir()
    assert refused(mine, state.read_bytes())


def test_without_a_file_it_is_the_start(tmp_path):
    network = torch.nn.Linear(2, 1)
    assert read_state(tmp_path, network, torch.optim.Adam(network.parameters())) == ([], {})
