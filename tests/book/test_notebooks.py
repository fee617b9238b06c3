"""The chapters as a reader uses them: run by papermill from `book/`, with other parameters and with bad ones."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from papermill import inspect_notebook

from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.core.profile_files import as_toml
from lsnotebook.core.statistics import over_networks
from lsnotebook.engine.run import study
from lsnotebook.layershuffle import claims, collapse_tables, measurements, tables
from lsnotebook.layershuffle.approaches import BASELINE, LAYERDROP, LAYERSHUFFLE, TABLE_1
from lsnotebook.layershuffle.profiles import PROFILES, SMOKE, profile_of
from lsnotebook.pages import scoreboard

BOOK = Path(__file__).parents[2] / "book"
CHAPTERS = sorted(BOOK.glob("*[a-z].ipynb"))


def in_a_terminal(name, out, *words):
    command = [sys.executable, "-m", "papermill", f"{name}.ipynb", str(out), "--no-progress-bar", *words]
    return subprocess.run(command, cwd=BOOK, capture_output=True, text=True)


pytestmark = pytest.mark.usefixtures("trained")


@pytest.mark.slow
def test_execution_order_shows_the_numbers_that_the_library_computes(papermill, seeds=2, orders=4):
    out = papermill("02_execution_order", "profile=smoke", f"seeds={seeds}", f"orders={orders}")

    models = study(SMOKE, TABLE_1, seeds)
    html = page(out)
    for sampler in (sequential, arbitrary):
        expected = over_networks(measurements.accuracies(models, sampler, orders), chance=1 / 10)
        assert (expected["networks"] == seeds).all()
        for row in expected.itertuples():
            interval = "" if pd.isna(row.low) else f"<br><small>[{100 * row.low:.1f},\u00a0{100 * row.high:.1f}]"
            assert f"{100 * row.mean:.2f}\u00a0±\u00a0{100 * row.std:.2f}{interval}" in html
    for text in tables.paired(measurements.accuracies(models, (sequential, arbitrary), orders)).to_numpy().ravel():
        assert text.replace(" [", "<br><small>[") in html
    assert f"-p profile smoke -p seeds {seeds} -p orders {orders}" in html


@pytest.mark.slow
def test_collapse_shows_the_numbers_that_the_library_computes(papermill, orders=3, images=60):
    out = papermill("02b_collapse", "profile=smoke", f"orders={orders}", f"images={images}")

    measured = measurements.collapses(study(SMOKE, [BASELINE, LAYERSHUFFLE, LAYERDROP], 2), orders, images)
    found = collapse_tables.summary(measured, 1 / 10)
    cells = collapse_tables.anchored(found).to_numpy().ravel()
    assert all(text.replace(" [", "<br><small>[") in page(out) for text in cells)
    for sentence in (
        collapse_tables.few_in_place(found, 1 / 10),
        collapse_tables.first_or_last(measured["anchored"], 4),
        collapse_tables.one_in_place(measured["anchored"], 1 / 10),
        collapse_tables.exchanged(measured["swaps"]),
        collapse_tables.answer_forms(found, 1 / 10),
        collapse_tables.verdict(measured["anchored"], 1 / 10, 4),
    ):
        assert sentence in sentences(out)


def sentences(out):
    """All that the cells of a run show as Markdown: it reads in the run itself, without a built book."""
    return "".join(o["data"]["text/markdown"] for c in nbformat.read(out, 4).cells for o in c.get("outputs", [])
                   if "text/markdown" in o.get("data", {}))  # fmt: skip


@pytest.mark.slow
def test_method_demonstrates_equality_and_the_reverse_backward_pass(tmp_path, order="[3, 1, 1]"):
    out = tmp_path / "out.ipynb"
    run = in_a_terminal("01_method", out, "-p", "profile", "smoke", "-p", "order", order)
    assert run.returncode == 0, run.stderr
    shown = [o for cell in nbformat.read(out, 4).cells for o in cell.get("outputs", [])]
    assert "True" in [o.data.get("text/plain") for o in shown if o.output_type == "execute_result"]
    printed = "".join(o.text for o in shown if o.output_type == "stream" and o.name == "stdout")
    order = ast.literal_eval(order)
    assert f"forward  {order}\nbackward {order[::-1]}" in printed


def page(out):
    """All that the cells of a run show as HTML."""
    return "".join(o["data"]["text/html"] for c in nbformat.read(out, 4).cells for o in c.get("outputs", [])
                   if "text/html" in o.get("data", {}))  # fmt: skip


def told(out):
    """All that the cells of a run say as Markdown."""
    return [o["data"]["text/markdown"] for c in nbformat.read(out, 4).cells for o in c.get("outputs", [])
            if "text/markdown" in o.get("data", {})]  # fmt: skip


@pytest.mark.slow
def test_pruning_shows_the_numbers_that_the_library_computes(papermill, layers=2, keep="even"):
    parameters = ("profile=smoke", f"layers={layers}", f"keep={keep}", "orders=3")
    out = papermill("03_pruning", *parameters)

    models = study(SMOKE, [LAYERSHUFFLE, LAYERDROP, BASELINE], 2)
    shown = tables.depths(measurements.pruned_accuracies(models, [layers], keep, 3))
    assert all(f"<td>{value:.1f}</td>" in page(out) for value in shown.to_numpy().ravel())
    changed, *sentences = told(out)
    assert "`profile`: digits → **smoke**" in changed and "`seeds`" not in changed
    assert f"- `layers`: 1, 2, 3, 4 → **{layers}**; look at [Paper, Figures 1b and 1c" in changed
    assert any(f"LayerShuffle {shown.loc[('LayerShuffle', 'arbitrary'), layers]:.1f}" in one for one in sentences)


# The real one compiles for longer than all else here takes; the test of the discussion runs it.
UMAP = """
import numpy as np

class UMAP:
    def __init__(self, neighbours, random_state, n_jobs):
        self.neighbours = neighbours

    def fit_transform(self, vectors):
        assert len(vectors) > self.neighbours and np.isfinite(vectors).all()
        return vectors[:, :2]
"""


@pytest.mark.slow
def test_representations_show_the_numbers_that_the_library_computes(
    papermill, tmp_path, monkeypatch, layer=3, images=100
):
    (tmp_path / "umap.py").write_text(UMAP)
    monkeypatch.syspath_prepend(tmp_path)
    parameters = ("profile=smoke", f"layer={layer}", f"images={images}", "seeds=2")
    out = papermill("04_representations", *parameters)

    models = study(SMOKE, [LAYERSHUFFLE, BASELINE], 2)
    html = page(out)
    for _, group in measurements.readability(models, layer, images).groupby("approach"):
        for column in ("output", "norm", "direction"):
            assert f"<td>{100 * (group[column] == group['position']).mean():.1f}<" in html
    shown = tables.dependence(measurements.norms(models, images))
    assert all(text.replace(" [", "<br><small>[") in html for text in shown.to_numpy().ravel())


@pytest.mark.slow
def test_merging_shows_the_numbers_that_the_library_computes(papermill, sources=SMOKE.sources, merged=10):
    parameters = ("profile=smoke", f"merged={merged}", "orders=3")
    out = papermill("05_merging", *parameters)

    for approach, sampler in ((BASELINE, sequential), (LAYERSHUFFLE, arbitrary)):
        models = study(SMOKE, [approach], sources)
        top1 = 100 * measurements.merged_accuracies(models, sampler, merged)["top1"]
        assert len(top1) == merged and f"{top1.mean():.2f}\u00a0±\u00a0{top1.std():.2f}" in page(out)


@pytest.mark.slow
def test_discussion_shows_the_numbers_that_the_library_computes(papermill, images=80, shown=3):
    out = papermill("06_discussion", "profile=smoke", f"images={images}", f"shown={shown}")

    off = tables.switched_off(measurements.norms(study(SMOKE, [LAYERSHUFFLE, BASELINE], 2), images))
    assert all(f"<td>{value:.1f}</td>" in page(out) for value in off.iloc[:, 1])
    found = measurements.joint_readability(study(SMOKE, [LAYERSHUFFLE, BASELINE], 2), min(images, 300))
    cells = tables.joint_readability(found, SMOKE.backbone.layers).to_numpy().ravel()
    assert all(text.replace(" [", "<br><small>[") in page(out) for text in cells)


def tags(cell):
    return cell.metadata.get("tags", ())


@pytest.mark.slow
def test_the_solutions_of_the_exercises_run(papermill):
    out = papermill("exercises", "profile=smoke")

    solutions = [cell for cell in nbformat.read(out, 4).cells if "solution" in tags(cell)]
    shown = ["".join(o.data["text/html"] for o in cell.outputs if "data" in o) for cell in solutions]
    assert len(shown) == 6 and all("<td>" in html for html in shown)
    for approach in (BASELINE, LAYERSHUFFLE):
        top1 = measurements.accuracies(study(SMOKE, [approach], 1), sequential)["top1"].item()
        assert all(f"<td>{100 * top1:.1f}</td>" in html for html in shown[:2]), "in sequence, as in Table 1"


@pytest.mark.slow
def test_the_scoreboard_has_every_claim(papermill):
    out = papermill("scoreboard", "profile=smoke")

    shown = page(out).replace("’", "'")
    for claim in scoreboard.records(claims.check(SMOKE)):
        assert claim["claim"] in shown and scoreboard.marked(claim["verdict"]) in shown
        number = scoreboard.signed(f"{claim['build']:z.1f}{scoreboard.measured(claim)[2]}<br><small>")
        assert number in shown and f"<small>{claim['over']}</small>" in shown
        for statement in claim["statements"]:
            assert scoreboard.signed(statement["otherwise"]) in shown and statement["bound"] in shown


@pytest.mark.parametrize(
    ("name", "parameter", "sentence"),
    [
        ("02_execution_order", "profle='smoke'", "There is no parameter 'profle'"),
        ("02_execution_order", "seeds=0", "'seeds' is 0, but it takes a whole number from 2 to 100."),
        ("03_pruning", "seeds=1", "'seeds' is 1, but it takes a whole number from 2 to 100."),
        ("02_execution_order", "profile='digit'", "did you mean 'digits'?"),
        ("03_pruning", "layers=0", "'layers' is 0, but it takes a whole number from 1 to 12, or a list"),
        ("03_pruning", "layers=13", "'layers' is 13, but it takes a whole number from 1 to 12"),
        ("03_pruning", "layers='x'", "'layers' is 'x', but it takes a whole number from 1 to 12"),
        ("03_pruning", "keep='fist'", "did you mean 'first'?"),
        ("04_representations", "layer=12", "'layer' is 12, but it takes a whole number from 0 to 11."),
        ("05_merging", "merged=0", "'merged' is 0, but it takes a whole number from 2 to 10000."),
        ("05_merging", "sources=11", "'sources' is 11, but it takes a whole number from 12 to 100."),
        ("06_discussion", "shown=21", "'shown' is 21, but it takes a whole number from 1 to 20."),
        ("12_sorted_language", "drafts=6", "'drafts' is 6, but it takes a whole number from 1 to 5, or a list"),
        ("12_sorted_language", "profile='small'", "There is no profile 'small': take one of language, language-smoke"),
        ("scoreboard", "profile='ImageNet'", "did you mean 'imagenet'?"),
        ("scoreboard", "profile=['digits']", "There is no profile ['digits']: take one of smoke, digits"),
        ("02_execution_order", "profile={'a': 1}", "There is no profile {'a': 1}: take one of smoke, digits"),
        ("06_discussion", "profile='./mine.toml'", "The profile mine.toml cannot be read (No such file"),
        ("03_pruning", "keep=['even']", "'keep' is ['even'], but it takes one of random, even, first"),
        ("01_method", "order='[0, 12]'", "'order' is '[0, 12]', but it takes a whole number from 0 to 11"),
    ],
)
def test_a_bad_parameter_is_told_in_one_sentence(shell, parameters_of, name, parameter, sentence):
    error = taken(shell, parameters_of, name, parameter).error_in_exec
    assert type(error).__name__ == "ParameterError" and sentence in str(error)


def taken(shell, parameters_of, name, parameter):
    """What the check of a page makes of a parameter."""
    given, check = parameters_of(BOOK / f"{name}.ipynb")
    for source in (given.source, f"# Parameters\n{parameter}"):  # as papermill writes them
        assert shell.run_cell(source, store_history=True).success
    return shell.run_cell(check.source, store_history=True)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_page_takes_every_profile_by_itself(shell, parameters_of, path, profile):
    known = inspect_notebook(path)
    takes = known.get("profile", {"default": ""})["default"].strip('"') in PROFILES  # another part has its own
    assert taken(shell, parameters_of, path.stem, f"profile='{profile}'" if takes else "").success
    assert all(shell.user_ns[name] is not None for name in known)


def test_the_check_returns_what_it_set(shell, parameters_of):
    assert taken(shell, parameters_of, "03_pruning", "profile='smoke'").success
    expected = {"profile": "smoke", "layers": [1, 2, 3, 4], "keep": "random", "seeds": 2, "orders": 10}
    assert shell.user_ns["given"] == expected and {name: shell.user_ns[name] for name in expected} == expected


def test_a_parameter_without_a_value_is_told_in_one_sentence(shell, parameters_of):
    _, check = parameters_of(BOOK / "02_execution_order.ipynb")
    error = shell.run_cell(check.source).error_in_exec
    assert str(error) == "The parameter 'profile' has no value: run the cell of the parameters first."


@pytest.mark.slow
def test_a_page_takes_a_profile_from_a_file(papermill, tmp_path, trained):
    (tmp_path / "mine.toml").write_text(as_toml(SMOKE))
    own = trained / "runs" / "mine.toml"
    own.symlink_to("smoke")  # the same networks: a name is no part of a recipe
    file = os.path.relpath(tmp_path / "mine.toml", BOOK)  # papermill runs there
    try:
        out = papermill("02_execution_order", f"profile={file}", "orders=3")
    finally:
        own.unlink()
    assert "<th>this build, mine.toml</th>" in page(out) and f"-p profile {file} -p seeds 2 -p orders 3" in page(out)


@pytest.mark.slow
def test_own_network_shows_the_numbers_that_the_library_computes(papermill, tmp_path, monkeypatch, seeds=2, orders=4):
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # the page writes its pictures and its profile there
    before = set(BOOK.glob("[!_]*"))
    out = papermill("own_network", f"seeds={seeds}", f"orders={orders}")
    assert set(BOOK.glob("[!_]*")) == before

    (file,) = tmp_path.glob("*/own.toml")
    scale = profile_of(str(file))
    assert scale.images.classes == 10
    measured = measurements.accuracies(study(scale, [BASELINE, LAYERSHUFFLE], seeds), (sequential, arbitrary), orders)
    shown = tables.table_1({"own": over_networks(measured, chance=1 / 10)})["own"]
    assert all(text.replace(" [", "<br><small>[") in page(out) for text in shown)
    printed = "".join(o.text for c in nbformat.read(out, 4).cells for o in c.get("outputs", []) if "text" in o)
    assert re.search(r"order \[3, 1, 0, 2\]: a \d is classified as \d", printed)


@pytest.mark.slow
def test_a_bad_parameter_ends_papermill_with_this_sentence(tmp_path):
    run = in_a_terminal("02_execution_order", tmp_path / "out.ipynb", "-p", "profle", "smoke")
    assert run.returncode == 1
    assert run.stderr.strip().splitlines()[-1].startswith("ParameterError: There is no parameter 'profle'")
