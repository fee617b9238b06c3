"""Every claim of the paper gets a verdict, by rules that the paper's own numbers meet."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from lsnotebook.cli import main
from lsnotebook.layershuffle import paper
from lsnotebook.layershuffle.build import IMAGENET_CHANCE, Build
from lsnotebook.layershuffle.claims import CLAIMS
from lsnotebook.layershuffle.profiles import IMAGENET
from lsnotebook.pages.statements import HOLDS, VERDICTS


def test_the_papers_own_numbers_meet_the_papers_claims():
    """The rules say what the paper's words mean: its own numbers must pass them."""

    class Published(Build):
        def top1(self, approach, policy):
            return np.full(5, 100 * paper.table1().set_index(["approach", "policy"])["mean"][approach, policy])

        chance = IMAGENET_CHANCE

    build = Published(IMAGENET)
    for name in ("C1", "C2", "C3", "C4", "C5", "C7"):
        _, statements = CLAIMS["02_execution_order"][name]
        for statement in statements(build):
            assert statement.verdict == HOLDS, (name, statement.rule)
            assert statement.value == pytest.approx(statement.paper)


@pytest.mark.slow
def test_every_claim_is_judged_on_the_command_line(trained):
    result = CliRunner().invoke(main, ["claims", "smoke", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [claim["id"] for claim in found] == [f"C{k}" for k in range(1, 15)]
    for claim in found:
        assert {"id", "claim", "paper", "build", "interval", "verdict"} <= set(claim)
        assert claim["verdict"] in VERDICTS
        low, high = claim["interval"]
        assert low <= claim["build"] <= high
    shown = CliRunner().invoke(main, ["claims", "smoke"])
    assert all(f"{claim['id']:4}{claim['verdict'].upper()}" in shown.output for claim in found)
