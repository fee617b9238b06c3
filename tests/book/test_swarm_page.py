"""The swarm's page, cell by cell in this process, where there is no Ray: it still runs, and tells what it lacks."""

from pathlib import Path

import nbformat
import pytest
from IPython.display import HTML, Markdown

from lsnotebook.engine.cluster import SweepError
from lsnotebook.layershuffle.profiles import SMOKE
from lsnotebook.swarm import findings, measurements, tables

PAGE = Path(__file__).parents[2] / "book" / "08_swarm.ipynb"
SIZES = {"requests": 10, "draws": 2}

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("trained")]


@pytest.fixture
def without_ray(monkeypatch):
    def missing(count):
        raise SweepError('There is no Ray: pip install "lsnotebook[cluster]".')

    monkeypatch.setattr(measurements, "nodes", missing)
    monkeypatch.setattr("lsnotebook.engine.tables.cpu_count", lambda: 1)


def shown(shell, **parameters):
    """What each cell of the page shows, by its name."""
    found = {}
    for cell in nbformat.read(PAGE, 4).cells:
        if cell.cell_type == "code" and cell.id != "install":
            result = shell.run_cell(cell.source)
            assert result.success, (cell.id, result.error_before_exec or result.error_in_exec)
            found[cell.id] = result.result
            if cell.id == "parameters":
                shell.user_ns.update({"profile": "smoke", **SIZES, **parameters})
    return found


def test_the_page_runs_without_ray_and_computes_nothing_that_was_not_prepared(shell, trained, without_ray):
    measurements.prepare(SMOKE, **SIZES)
    folder = trained / "runs" / "tables"
    prepared = {path.name: path.stat().st_mtime_ns for path in folder.glob("swarm*.csv")}
    found = shown(shell)
    assert {path.name: path.stat().st_mtime_ns for path in folder.glob("swarm*.csv")} == prepared and prepared

    space = shell.user_ns
    assert 'the simulation alone: There is no Ray: pip install "lsnotebook[cluster]".' in found["real-found"].data
    assert found["verdict"].data == findings.verdict(space["by_case"])
    assert found["deadline-found"].data.startswith(findings.leads(space["by_deadline"], "a deadline (hops) of"))
    assert isinstance(found["player"], HTML) and found["player"].data.count('"request": ') > 10
    for row in tables.served(space["by_way"])["top-1, %"]:
        assert row.split(" ")[0] in found["ways-table"].data
    said = " ".join(one.data for one in found.values() if isinstance(one, Markdown))
    assert "nan" not in said and "inf " not in said


def test_an_impossible_swarm_is_told_in_one_sentence(shell, without_ray):
    cells = {cell.id: cell.source for cell in nbformat.read(PAGE, 4).cells}
    for name in ("parameters", "imports", "setting"):
        shell.run_cell(cells["check"] if name == "setting" else cells[name])
        if name == "parameters":
            shell.user_ns.update({"profile": "smoke", "nodes": 3, "kill": 4})
    shell.run_cell(cells["setting"])
    error = shell.run_cell(cells["yours"]).error_in_exec
    assert str(error) == "4 nodes are to die and 1 to be slow, but there are 3; take at most 3 together."
