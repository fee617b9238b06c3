"""pyproject.toml, requirements.lock and environment.yml say the same, and what they package works."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pybtex.database import parse_file

ROOT = Path(__file__).parents[1]
CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = CONFIGURATION["project"]
LOCK = (ROOT / "requirements.lock").read_text().splitlines()
PINS = [Requirement(line) for line in LOCK if not line.startswith("#")]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
WANTED = [Requirement(line) for line in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]]


def pinned(name: str) -> list[str]:
    """The versions that the lock pins for a package: one, or one for each of several Pythons or platforms."""
    return [next(iter(pin.specifier)).version for pin in PINS if canonicalize_name(pin.name) == canonicalize_name(name)]


@pytest.mark.parametrize("wanted", WANTED, ids=lambda wanted: wanted.name)
def test_lock_pins_every_dependency_within_its_range(wanted):
    assert pinned(wanted.name), f"{wanted.name} is not in the lock: make lock"
    assert all(wanted.specifier.contains(version, prereleases=True) for version in pinned(wanted.name))


def test_lock_is_exact_and_names_no_place():
    assert all(pin.url is None and [s.operator for s in pin.specifier] == ["=="] for pin in PINS)
    assert not [line for line in LOCK if "://" in line or line.startswith(("-", "/", "."))]


def test_torchvision_was_built_for_the_torch_beside_it():
    (torch,), (torchvision,) = pinned("torch"), pinned("torchvision")
    # Up to torch 2.14 the minor version is 15 less; the pair below was tried, and its operators load.
    assert (torch, torchvision) == ("2.15.0", "0.29.2")


def test_torchvision_has_its_operators():
    import torch
    from torchvision.ops import nms

    boxes, scores = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 2], [4, 4, 5, 5]]), torch.tensor([0.9, 0.8, 0.7])
    assert nms(boxes, scores, 0.5).tolist() == [0, 2]


def test_conda_users_get_the_same():
    (pip,) = [entry["pip"] for entry in CONDA if isinstance(entry, dict)]
    assert pip == ["-r requirements.lock", "-e ."]
    (python,) = [entry.split("=")[1] for entry in CONDA if isinstance(entry, str) and entry.startswith("python=")]
    assert PROJECT["requires-python"] == f">={python}"


def test_version_is_said_once_and_the_same():
    import lsnotebook

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert PROJECT["version"] == lsnotebook.__version__ == citation["version"]
    entries = parse_file(ROOT / "book" / "references.bib").entries
    book, paper = (entries[key].fields for key in ("lsnotebook", "freiberger2024layershuffle"))
    assert (book["version"], book["url"], book["license"]) == (
        citation["version"],
        citation["repository-code"],
        citation["license"],
    )
    titles = [re.sub(r"[{}]", "", fields["title"]).split() for fields in (book, paper)]
    assert titles == [citation["title"].split(), citation["references"][0]["title"].split()]


def test_top_level_config_is_the_books():
    assert (ROOT / "_config.yml").resolve() == (ROOT / "book" / "_config.yml").resolve()


packaged = pytest.mark.xdist_group("packaged")
"""One process of pytest builds the wheel and the environment, once."""


@packaged
def test_one_process_runs_a_group(request):
    """An xdist that overlooks groups says nothing; each process then starts a Ray and builds a wheel of its own."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("not run by `pytest -n 2 --dist loadgroup`")
    assert request.node.nodeid.endswith("@packaged")


def run(*command, cwd=None, **environment):
    """What a command prints, without the variables by which this checkout is found."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "LSNOTEBOOK_DATA")}
    ended = subprocess.run(command, cwd=cwd, env={**kept, **environment}, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel, built from the sdist, which is built from a copy of what the project packages."""
    project, sources = (tmp_path_factory.mktemp(name) for name in ("project", "sources"))
    for path in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / path, project)
    shutil.copytree(ROOT / "lsnotebook", project / "lsnotebook", ignore=shutil.ignore_patterns("__pycache__"))
    build = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"
    run(sys.executable, "-c", build, "build_sdist", sources, cwd=project)
    (sdist,) = sources.iterdir()
    shutil.unpack_archive(sdist, sources)
    run(sys.executable, "-c", build, "build_wheel", sources, cwd=sdist.with_name(sdist.name.removesuffix(".tar.gz")))
    return next(sources.glob("*.whl"))


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """The programs of a fresh environment that has everything but this package."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", folder)
    python = folder / "bin" / "python"
    (ours,) = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.split()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if "lsnotebook" not in path.name and path.suffix != ".pth" and not (Path(ours) / path.name).exists():
            (Path(ours) / path.name).symlink_to(path)
    return python.parent


@pytest.fixture(scope="session")
def installed(environment, wheel):
    run(environment / "python", "-m", "pip", "install", "--no-index", "--no-deps", wheel)
    return environment


@packaged
def test_every_file_of_the_library_is_packaged(wheel):
    files = [path for path in (ROOT / "lsnotebook").rglob("*.*") if path.is_file() and "__pycache__" not in path.parts]
    wanted = {path.relative_to(ROOT).as_posix() for path in files if path.suffix != ".md"}
    assert {Path(name).suffix for name in wanted} >= {".py", ".js", ".css", ".csv"}
    assert wanted <= set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.slow
@packaged
def test_an_installed_package_works_in_an_empty_folder(installed, tmp_path):
    empty, home = tmp_path / "empty", tmp_path / "home"
    empty.mkdir()
    run("git", "init", cwd=tmp_path)  # someone else's repository
    user = {"HOME": str(home), "XDG_DATA_HOME": ""}
    program = """
import lsnotebook, sys
from lsnotebook.engine.provenance import commit
from lsnotebook.layershuffle import explorer, paper
print(lsnotebook.__file__, commit(), len(paper.table1()), paper.statement("position_predicted"), len(explorer.module()))
"""
    told = run(installed / "python", "-c", program, cwd=empty, **user).stdout
    assert told.startswith(str(installed.parent)) and " unknown (version " in told
    assert "Usage" in run(installed / "lsnotebook", "--help", cwd=empty, **user).stdout
    trained = run(installed / "lsnotebook", "train", "smoke", "baseline", "--seed", "0", cwd=empty, **user)
    store = home / ".local" / "share" / "lsnotebook" / "data"
    assert trained.stdout == f"1 runs of smoke are in the store: {store / 'runs' / 'smoke'}\n"
    assert len([line for line in trained.stderr.splitlines() if f"kept in {store};" in line]) == 1
    assert list((store / "runs" / "smoke").glob("baseline-seed0-*/model.safetensors")) and not list(empty.iterdir())


@pytest.mark.slow
@packaged
def test_an_installed_package_checks_the_claims(installed, shared, tmp_path):
    told = run(installed / "lsnotebook", "claims", "smoke", cwd=tmp_path, LSNOTEBOOK_DATA=str(shared)).stdout
    assert "HOLD" in told and "; paper " in told


@pytest.mark.slow
@packaged
def test_a_page_installs_the_package_where_it_is_missing(environment, wheel, tmp_path):
    """The first cell of the pages and the one that imports the package, run where only an index of our own has it."""
    page = nbformat.read(ROOT / "book" / "scoreboard.ipynb", 4)
    page.cells = [cell for cell in page.cells if cell.cell_type == "code"][:3]
    page.cells.append(nbformat.v4.new_code_cell("import lsnotebook; print(lsnotebook.__file__)"))
    nbformat.write(page, tmp_path / "page.ipynb")
    run(environment / "python", "-m", "pip", "uninstall", "-y", "lsnotebook")
    index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheel.parent), "PIP_NO_DEPS": "1"}
    unreachable = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "url.file:///nowhere/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://",
    }
    papermill = (environment / "python", "-m", "papermill", "page.ipynb", "out.ipynb", "-p", "profile", "smoke")
    for installs in (True, False):  # the second time it is there
        run(*papermill, cwd=tmp_path, **index, **unreachable)
        first, *_, last = nbformat.read(tmp_path / "out.ipynb", 4).cells
        assert bool(first.outputs) == installs
        assert last.outputs[0].text.startswith(str(environment.parent))
