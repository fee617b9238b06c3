"""The chapter on agents, run in this process: a game of the reader's own, and parameters that are none."""

from pathlib import Path

import nbformat
import pytest

from lsnotebook.bpta import measurements

PAGE = Path(__file__).parents[2] / "book" / "13_agents.ipynb"


def run(shell, *parameters, last=None):
    """The cells of the page with these parameters, down to the one called `last`; the last result."""
    for cell in nbformat.read(PAGE, 4).cells[1:]:
        if cell.cell_type == "code":
            result = shell.run_cell(cell.source, store_history=True)
            if cell.id == "given":
                shell.run_cell("\n".join(("# Parameters", *parameters)), store_history=True)
            if result.error_in_exec or cell.id == last:
                return result
    return result


def test_the_page_plays_a_game_of_the_readers_own(shell, monkeypatch):
    monkeypatch.setattr(measurements, "GAMES", ("permutation_2",))  # beside it
    own = ("payoff=[[[5, 0], [0, -9]], [[0, 1], [2, 0]]]", "order=[2, 0, 1]")
    assert run(shell, *own, "seeds=2", "updates=5", "feedback='on'").success
    ends, crossed = shell.user_ns["ends"], shell.user_ns["crossed"]
    assert ends["game"].unique().tolist() == ["your own", "permutation_2"] and len(ends) == 2 * 5 * 2
    assert (crossed["game"] == "your own").sum() == 7 * 6 * 2 and set(shell.user_ns["gradients"]["game"]) == set(
        ends["game"]
    )
    assert '"order": [2, 0, 1]' in shell.user_ns["origin"]


@pytest.mark.parametrize(
    ("parameter", "error", "sentence"),
    [
        ("game='climbin'", "ParameterError", "There is no game 'climbin': take climbing, non-monotonic, penalty_k"),
        ("payoff=[[1, 2], [3]]", "ParameterError", "The pay-offs [[1, 2], [3]] are no matrix: give rows of numbers"),
        ("payoff='x'", "ParameterError", "The pay-offs 'x' are no matrix"),
        ("order=1", "ParameterError", "The order 1 is no list of agents"),
        (
            "order='[0, 0]'",
            "GameError",
            "The order [0, 0] is no permutation of the agents of climbing: name each of 0, 1",
        ),
        ("seeds=1", "ParameterError", "'seeds' is 1, but it takes a whole number from 2 to 1000."),
        ("feedback='of'", "ParameterError", "did you mean 'off'?"),
        ("sedes=3", "ParameterError", "There is no parameter 'sedes'"),
    ],
)
def test_a_bad_parameter_is_told_in_one_sentence(shell, parameter, error, sentence):
    found = run(shell, parameter, last="check").error_in_exec
    assert type(found).__name__ == error and sentence in str(found) and str(found).count(". ") == 0
