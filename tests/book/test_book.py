"""The build as a gate, on a throwaway book with our own configuration and extensions."""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parents[1] / "programs"


LIGHT = {"local_math": "CHARACTERS = [ord('x')]", "preloaded_kernels": "IMPORTS = IMPORTS[:1]"}
"""What an extension does for a whole book, and takes seconds for: these pages have no formulas and no networks."""


@pytest.fixture
def book(tmp_path):
    """A book of an introduction and one notebook, in a project with one library file."""
    book = tmp_path / "project" / "book"
    book.mkdir(parents=True)
    for name in ("_config.yml", "favicon.svg", "references.bib", "check_pages.py"):
        shutil.copy(ROOT / "book" / name, book)
    shutil.copytree(ROOT / "book" / "_ext", book / "_ext", ignore=shutil.ignore_patterns("__pycache__"))
    for name, light in LIGHT.items():
        with (book / "_ext" / f"{name}.py").open("a") as extension:
            extension.write(f"\n{light}\n")
    shutil.copytree(ROOT / "book" / "_static", book / "_static")
    (book / "_toc.yml").write_text("format: jb-book\nroot: intro\nchapters:\n- file: page\n")
    (book / "intro.md").write_text("# Introduction\n\nSee {doc}`page`.\n")
    write(book / "page.ipynb", "made_at.py")
    library = book.parent / "lsnotebook"
    library.mkdir()
    (library / "answer.py").write_text("ANSWER = 41\n")
    return book


def write(path: Path, program: str) -> None:
    """A notebook with a program as its only code cell."""
    code = (PROGRAMS / program).read_text()
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=[new_markdown_cell("# A page"), new_code_cell(code)], metadata=kernel), path)


def build(book: Path, builder: str = "html", **environment: str) -> subprocess.CompletedProcess:
    """As `make book` does."""
    command = [Path(sys.executable).with_name("jupyter-book"), "build", "book/", "-W", "--keep-going", "-n"]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    return subprocess.run(
        [*command, "--builder", builder],
        cwd=book.parent,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def made_at(book: Path) -> str:
    return re.search(r"made at (\d+)", (book / "_build/html/page.html").read_text())[1]


def check(book: Path) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "book/check_pages.py"], cwd=book.parent, capture_output=True, text=True)


@pytest.mark.slow
def test_page_is_made_anew_when_the_library_changed_and_only_then(book):
    first = build(book)
    assert first.returncode == 0, first.stdout + first.stderr
    assert check(book).returncode == 0
    made = made_at(book)

    assert build(book).returncode == 0
    assert made_at(book) == made

    (book.parent / "lsnotebook" / "answer.py").write_text("ANSWER = 42\n")
    assert build(book).returncode == 0
    assert made_at(book) != made


@pytest.mark.slow
def test_page_is_made_anew_when_a_result_was_recorded_wherever_the_data_are(book, store):
    assert build(book).returncode == 0
    made = made_at(book)
    result = store / "results" / "smoke" / "table1.json"
    result.parent.mkdir(parents=True)
    for content in ("{}", "{ }"):
        result.write_text(content)
        assert build(book).returncode == 0
        made, before = made_at(book), made
        assert made != before
    assert build(book).returncode == 0
    assert made_at(book) == made


@pytest.mark.slow
def test_page_is_made_anew_after_a_build_that_was_killed(book):
    """Killed after reading and before writing, when Sphinx has noted every page as read."""
    shutil.copy(PROGRAMS / "dying.py", book / "_ext")
    config = (book / "_config.yml").read_text()
    (book / "_config.yml").write_text(config.replace("    freshness: _ext\n", "    freshness: _ext\n    dying: _ext\n"))
    assert build(book).returncode == 0
    made = made_at(book)

    (book.parent / "lsnotebook" / "answer.py").write_text("ANSWER = 42\n")
    (book / "die").touch()
    assert build(book).returncode == 9
    assert made_at(book) == made

    (book / "die").unlink()
    assert build(book).returncode == 0
    assert made_at(book) != made


@pytest.mark.slow
@pytest.mark.parametrize("page, program", [("page.ipynb", "failing.py"), ("intro.md", None)])
def test_build_fails_every_time(book, page, program):
    """At a failing notebook as at a broken reference, from nothing and after a build that went well."""
    if program:
        assert build(book).returncode == 0
        write(book / page, program)
    else:
        (book / page).write_text("# Introduction\n\nSee {doc}`nowhere`.\n")
    for _ in range(2):
        failed = build(book)
        assert failed.returncode != 0
        assert "the notebook failed" in failed.stderr + failed.stdout if program else "nowhere" in failed.stderr


@pytest.mark.slow
def test_page_is_made_anew_when_its_text_changed_and_the_clock_went_back(book):
    assert build(book).returncode == 0
    made = made_at(book)
    os.utime(book / "page.ipynb", (2e9, 2e9))  # as by a clock that was ahead
    assert check(book).returncode == 0

    write(book / "page.ipynb", "linking.py")
    os.utime(book / "page.ipynb", (1e9, 1e9))
    assert "page page was made from another source" in check(book).stderr
    assert build(book).returncode == 0
    assert made not in (book / "_build/html/page.html").read_text()
    assert check(book).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("builder", ["html", "dirhtml"])
def test_links_lead_to_pages_that_are_there(book, builder):
    """Those of the theme and of Sphinx, and those in what notebooks show, on their own page and glued to another."""
    write(book / "page.ipynb", "linking.py")
    (book / "intro.md").write_text("# Introduction\n\n{doc}`page`\n\n```{glue:any} link\n:doc: page.ipynb\n```\n")
    built = build(book, builder)
    assert built.returncode == 0, built.stdout + built.stderr
    html = book / "_build" / builder
    page, found = html / ("page.html" if builder == "html" else "page/index.html"), 0
    for path in html.rglob("*.html"):
        for link, text in re.findall(r'<a\b[^>]*href="(?!\w+:)([^"#?]*)[^"]*"[^>]*>([^<]*)', path.read_text()):
            target = (path.parent / link).resolve() if link else path
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{path}: {link}"
            assert text != "a page" or target == page.resolve()
            found += text == "a page"
    assert found == 2


@pytest.mark.slow
def test_a_first_build_without_a_home_passes_and_a_warning_is_not_overlooked(book, tmp_path):
    """The lists of matplotlib, IPython and Jupyter have no place yet, or none at all; one line says so."""
    for name in LIGHT:  # all that a build imports and writes is to pass
        shutil.copy(ROOT / "book" / "_ext" / f"{name}.py", book / "_ext")
    write(book / "page.ipynb", "stderr.py")
    (tmp_path / "file").touch()
    for machine in ({"MPLCONFIGDIR": str(tmp_path / "fonts")}, {"HOME": str(tmp_path / "file" / "home")}):
        first = build(book, **machine)
        assert first.returncode == 0, first.stdout + first.stderr
        shutil.rmtree(book / "_build")
    (book / "warn").touch()
    warned = build(book)
    assert warned.returncode != 0 and "stderr was found" in warned.stderr


def pages(book: Path) -> None:
    """Pages as if built."""
    html = book / "_build" / "html"
    html.mkdir(parents=True)
    made_from = {}
    for name in ("intro.md", "page.ipynb"):
        made_from[name.partition(".")[0]] = hashlib.sha256((book / name).read_bytes()).hexdigest()
        (html / name).with_suffix(".html").write_text("<p>all is well</p>")
    (html / ".made_from.json").write_text(json.dumps({"pages": made_from}))


def test_built_pages_pass(book):
    pages(book)
    assert check(book).returncode == 0


@pytest.mark.parametrize(
    "harm, sentence",
    [
        (lambda book: shutil.rmtree(book / "_build"), "The page intro was not built"),
        (lambda book: (book / "_build/html/page.html").unlink(), "The page page was not built"),
        (lambda book: (book / "_build/html/page.html").write_text('<div class="output traceback">'), "a traceback"),
        (lambda book: (book / "page.ipynb").write_text("{}"), "The page page was made from another source"),
        (lambda book: (book / "_build/html/.made_from.json").unlink(), "The last build did not end well"),
        (lambda book: (book / "page.ipynb").unlink(), "there is no page.md or page.ipynb"),
        (lambda book: (book / "_toc.yml").write_text("format: jb-book\n"), "names no page"),
    ],
)
def test_missing_stale_or_failed_page_is_said_in_a_sentence(book, harm, sentence):
    pages(book)
    harm(book)
    found = check(book)
    assert found.returncode == 1
    assert sentence in found.stderr
    assert len(found.stderr.splitlines()) == 1


def module(path: str):
    """A module of the book, which is no package."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / "book" / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MACHINE = [
    "Matplotlib is building the font cache; this may take a moment.\n",
    "mkdir -p failed for path /home/me/.config/matplotlib: [Errno 30] Read-only file system\n",
    "/home/me/.config/matplotlib is not a writable directory\n",
    "Matplotlib created a temporary cache directory at /tmp/matplotlib-1 because there was an issue\n",
    "/x/IPython/paths.py:67: UserWarning: IPython parent '/a b' is not a writable location, using a temp directory.\n"
    "  warn(\"IPython parent '{}' is not a writable location,\"\n",
    "/x/numba/np/ufunc/parallel.py:371: NumbaWarning: The TBB threading layer requires TBB version 2021 update 6. "
    "The TBB threading layer is disabled.\n  warnings.warn(problem)\n",
    "/x/torch/cuda/__init__.py:1: UserWarning: Can't initialize NVML\n  raw_cnt = _raw_device_count_nvml()\n",
    "[W1125 12:00:00.1 NNPACK.cpp:57] Could not initialize NNPACK! Reason: Unsupported hardware.\n",
    "Runs, results and images are kept in /home/me/data; LSNOTEBOOK_DATA can name another place.\n",
]
WARNINGS = ["/x/a.py:1: UserWarning: this is wrong\n  warn(wrong)\n", "something else\n", "Matplotlib: no such font\n"]


@pytest.mark.parametrize("machine", ["", *MACHINE, "".join(MACHINE)])
@pytest.mark.parametrize("warning", ["", *WARNINGS])
def test_harmless_lines_of_the_machine_are_left_out_and_warnings_are_judged(monkeypatch, machine, warning):
    ours = module("_ext/machine.py")
    monkeypatch.setattr(ours, "judge", lambda renderer, output, *where: [output["text"]])
    for text in (machine + warning, warning + machine):
        assert ours.render_stderr(None, {"text": text}, {}, 0, 0) == ([warning] if warning else [])


@pytest.mark.parametrize("source, said", [("page.ipynb", "7 minutes to read"), ("page.md", None)])
def test_the_time_to_read_stands_below_the_opening_of_a_notebook(source, said):
    from docutils import nodes

    opening = nodes.paragraph("", "What this is.")
    section = nodes.section("", nodes.title("", "A page"), opening, nodes.paragraph("", "More."))
    metadata = {"page": {"wordcount": {"minutes": 7}}}
    app = SimpleNamespace(env=SimpleNamespace(doc2path=lambda page: source, metadata=metadata))
    module("_ext/reading_time.py").add(app, section, "page")
    below = section[section.index(opening) + 1].astext()
    assert below == (said or "More.")


def test_no_line_ends_between_a_number_and_its_unit_spread_or_interval():
    from docutils import nodes, utils

    text = "A 95 % interval\nof 88.26 ± 2.36 [85.0,\n90.9] after 0.5\ns and 12 sheep"
    document = utils.new_document("page")
    document += nodes.paragraph("", text, nodes.literal("", "sleep 5 s"), nodes.emphasis("", "30 ms"))
    module("_ext/unbroken.py").Unbroken(document).run()
    shown = "A 95~% interval of 88.26~±~2.36 [85.0,~90.9] after 0.5~s and 12 sheepsleep 5 s30~ms".replace("~", "\u00a0")
    assert document.astext().replace("\n", " ") == shown


def test_pages_are_found_at_any_depth():
    toc = {
        "root": "intro",
        "parts": [{"caption": "One", "chapters": [{"file": "a", "sections": [{"file": "b"}]}, {"url": "elsewhere"}]}],
    }
    assert module("check_pages.py").pages(toc) == ["intro", "a", "b"]
