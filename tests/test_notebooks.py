"""The chapters as a reader uses them: run by papermill from `book/`, with other parameters and with bad ones."""

import ast
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest

BOOK = Path(__file__).parent.parent / "book"
CHAPTERS = sorted(BOOK.glob("[0-9]*.ipynb"))


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def chapter(request):
    return nbformat.read(request.param, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_cells_are_short_and_define_nothing(chapter):
    for cell in code(chapter):
        assert len(cell.source.splitlines()) <= 13, cell.source
        tree = ast.parse(cell.source)
        assert not [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.While)]


def test_no_outputs_are_committed(chapter):
    assert not [cell.id for cell in code(chapter) if cell.outputs or cell.execution_count]


def test_second_cell_holds_annotated_parameters_and_the_third_checks_them_all(chapter):
    assert chapter.cells[1].metadata.tags[0] == "parameters"
    lines = ast.parse(chapter.cells[1].source).body
    assert all(isinstance(line, ast.AnnAssign) for line in lines)
    assert all("  # " in line for line in chapter.cells[1].source.splitlines()), "each says what it is"
    calls = [n for n in ast.walk(ast.parse(chapter.cells[2].source)) if isinstance(n, ast.Call)]
    checked = {keyword.arg for call in calls for keyword in call.keywords if call.func.id == "check"}
    assert checked == {line.target.id for line in lines}


def papermill(name, tmp_path, *parameters):
    out = tmp_path / "out.ipynb"
    words = [word for name_value in parameters for word in ("-p", *name_value.split("="))]
    command = [sys.executable, "-m", "papermill", f"{name}.ipynb", str(out), "--no-progress-bar", *words]
    return subprocess.run(command, cwd=BOOK, capture_output=True, text=True), out


def outputs(path, cell_id):
    return [o for cell in nbformat.read(path, 4).cells if cell.get("id") == cell_id for o in cell.outputs]


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory):
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(autouse=True)
def one_store(shared_store, monkeypatch, store):
    """The networks of `smoke` are trained once for all of these tests."""
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(shared_store))


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "orders"), [(2, 4), (3, 6)])
def test_execution_order_shows_the_numbers_that_the_library_computes(tmp_path, seeds, orders):
    run, out = papermill("02_execution_order", tmp_path, "profile=smoke", f"seeds={seeds}", f"orders={orders}")
    assert run.returncode == 0, run.stderr

    from lsnotebook import evaluation, runs
    from lsnotebook.profiles import PROFILES

    models = runs.study(PROFILES["smoke"], seeds=seeds)
    html = "".join(o["data"]["text/html"] for c in nbformat.read(out, 4).cells for o in c.get("outputs", [])
                   if "text/html" in o.get("data", {}))  # fmt: skip
    for policy in ("sequential", "arbitrary"):
        expected = evaluation.over_seeds(evaluation.accuracies(models, policy, orders))
        assert (expected["seeds"] == seeds).all()
        for row in expected.itertuples():
            assert f"{100 * row.mean:.2f} ± {100 * row.std:.2f}" in html
    assert f"-p profile smoke -p seeds {seeds} -p orders {orders}" in html


@pytest.mark.slow
@pytest.mark.parametrize("order", ["[3, 1, 0, 2]", "[2]"])
def test_method_demonstrates_equality_and_the_reverse_backward_pass(tmp_path, order):
    run, out = papermill("01_method", tmp_path, "profile=smoke", f"order={order}")
    assert run.returncode == 0, run.stderr
    shown = [o for cell in nbformat.read(out, 4).cells for o in cell.get("outputs", [])]
    assert "True" in [o.data.get("text/plain") for o in shown if o.output_type == "execute_result"]
    printed = "".join(o.text for o in shown if o.output_type == "stream" and o.name == "stdout")
    order = ast.literal_eval(order)
    assert f"forward  {order}\nbackward {order[::-1]}" in printed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "parameter", "sentence"),
    [
        ("02_execution_order", "profle=smoke", "There is no parameter 'profle'"),
        ("02_execution_order", "seeds=0", "'seeds' is 0, but it takes a whole number from 1 to 100."),
        ("02_execution_order", "profile=digit", "did you mean 'digits'?"),
        ("01_method", "order=[0, 12]", "'order' is '[0, 12]', but it takes a whole number from 0 to 11"),
    ],
)
def test_a_bad_parameter_ends_the_run_with_one_sentence(tmp_path, name, parameter, sentence):
    run, _ = papermill(name, tmp_path, parameter)
    assert run.returncode == 1
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith("ParameterError: ")
    assert sentence in last


def test_published_numbers_are_read_as_fractions():
    from lsnotebook import paper

    table = paper.table1()
    assert table["mean"].between(0, 1).all() and table["std"].between(0, 0.02).all()
    assert pd.Series(table["approach"].unique()).isin(["baseline"]).sum() == 1
