"""Sub-models on several processes: layers outside of a prefix have no gradient on any of them."""

import pytest
from launched import forked
from safetensors.torch import load_file

from lsnotebook.engine import runs
from lsnotebook.engine.run import Run
from lsnotebook.sortednet.approaches import BOTH
from lsnotebook.sortednet.profiles import SMOKE


@pytest.mark.slow
def test_two_processes_learn_the_sub_models_that_one_does(tmp_path, monkeypatch):
    run, both, shown = Run(SMOKE, BOTH, 0), tmp_path / "both", tmp_path / "shown"
    ended = forked(both, shown, "-m", "lsnotebook", "train", SMOKE.name, BOTH.name, "--seed", "0")
    assert ended == 0, shown.read_text()
    runs.ensure([run], workers=1)
    alone = load_file(run.folder / "model.safetensors")
    begun = load_file(run.base.folder / "model.safetensors")
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(both))
    together = load_file(run.folder / "model.safetensors")
    assert max((together[name] - alone[name]).abs().max().item() for name in alone) < 1e-3
    assert max((together[name] - begun[name]).abs().max().item() for name in alone) > 1e-2, "nothing was learned"
