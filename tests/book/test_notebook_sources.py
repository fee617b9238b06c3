"""The chapters as an engineer writes them: what their cells hold, before any is run."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
import yaml
from IPython.core.inputtransformer2 import TransformerManager
from papermill import inspect_notebook

from lsnotebook.layershuffle import claims

BOOK = Path(__file__).parents[2] / "book"
CHAPTERS = sorted(BOOK.glob("*[a-z].ipynb"))


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def chapter(request):
    return nbformat.read(request.param, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_cells_are_short_and_define_nothing(chapter):
    for cell in code(chapter):
        assert len(cell.source.splitlines()) <= 13, cell.source
        tree = ast.parse(TransformerManager().transform_cell(cell.source))
        assert not [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.While)]


def test_a_recorded_result_that_is_refused_is_said_below_the_tables(chapter):
    source = "\n".join(cell.source for cell in code(chapter))
    assert source.count("*refused]") == source.count("refused = results.") + source.count("refused) = ")
    assert "*refused]" in source or "results.recorded(" not in source


def test_sentences_with_results_are_rendered_by_code_and_stand_without_it(chapter):
    """As papermill's output, JupyterLab and GitHub show them: a role of the book would stand there raw."""
    assert not [cell.id for cell in chapter.cells if cell.cell_type == "markdown" and "{glue:" in cell.source]
    for cell in code(chapter):
        if "Markdown(" in cell.source and "```" not in cell.source and "display(" not in cell.source:
            assert cell.metadata.tags == ["remove-input"], cell.id


def test_the_places_of_a_changed_parameter_are_headings_of_the_page(chapter):
    (call,) = [
        n for n in ast.walk(ast.parse(chapter.cells[3].source)) if getattr(getattr(n, "func", 0), "id", 0) == "check"
    ]
    places = ast.literal_eval(call.args[0]) if call.args else {}
    text = "\n".join(cell.source for cell in chapter.cells if cell.cell_type == "markdown")
    assert set(places) <= set(re.findall(r"^#+ (.*)$", text, re.MULTILINE))
    assert {name for names in places.values() for name in names} <= {keyword.arg for keyword in call.keywords}


def test_every_claim_leads_to_a_figure_of_its_page():
    for page, there in claims.CLAIMS.items():
        cells = code(nbformat.read(BOOK / f"{page}.ipynb", as_version=4))
        names = {cell.metadata.get("mystnb", {}).get("figure", {}).get("name") for cell in cells}
        assert {claims.FIGURES[claim] for claim in there} <= names


def test_no_outputs_are_committed(chapter):
    assert not [cell.id for cell in code(chapter) if cell.outputs or cell.execution_count]


def test_first_cell_installs_the_package_where_it_is_missing(chapter):
    """As where the Colab button opens the page: the same cell in all, from the repository that the button names."""
    first = chapter.cells[0]
    assert first == nbformat.read(CHAPTERS[0], as_version=4).cells[0] and first.metadata.tags == ["remove-cell"]
    assert yaml.safe_load((BOOK / "_config.yml").read_text())["repository"]["url"] in first.source


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_papermill_finds_the_parameters_behind_it(path):
    found = inspect_notebook(str(path))
    assert found and found.get("profile", {"default": '"digits"'})["default"].endswith(('digits"', 'language"'))


def test_third_cell_holds_annotated_parameters_and_the_fourth_checks_them_all(chapter):
    assert chapter.cells[2].metadata.tags[0] == "parameters"
    lines = ast.parse(chapter.cells[2].source).body
    assert all(isinstance(line, ast.AnnAssign) for line in lines)
    assert all("  # " in line for line in chapter.cells[2].source.splitlines()), "each says what it is"
    calls = [n for n in ast.walk(ast.parse(chapter.cells[3].source)) if isinstance(n, ast.Call)]
    checked = {keyword.arg for call in calls for keyword in call.keywords if call.func.id == "check"}
    assert checked == {line.target.id for line in lines}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_papermill_knows_every_parameter_with_its_type_and_help(parameters_of, path):
    known = inspect_notebook(path)
    assert list(known) == [line.target.id for line in ast.parse(parameters_of(path)[0].source).body]
    for parameter in known.values():
        assert (
            parameter["inferred_type_name"] in ("str", "int", "list[int]", "list[list[float]]") and parameter["help"]
        ), parameter


def test_every_chapter_names_an_exercise_which_has_a_solution():
    cells = nbformat.read(BOOK / "exercises.ipynb", 4).cells
    labels = [re.match(r"\((exercise-[a-z]+)\)=", cell.source) for cell in cells]
    solution = ["solution" in cell.metadata.get("tags", ()) for cell in cells[1:]]
    solved = [label[1] for label, below in zip(labels, solution, strict=False) if label and below]
    chapters = [nbformat.read(path, 4) for path in CHAPTERS if re.match("0[1-6]_", path.name)]
    named = [re.findall(r"{ref}`(exercise-[a-z]+)`", "".join(c.source for c in chapter.cells)) for chapter in chapters]
    assert [[label] for label in solved] == named and len(solved) == 6
