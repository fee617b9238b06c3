"""pyproject.toml, requirements.lock and environment.yml say the same."""

import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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


def test_top_level_config_is_the_books():
    assert (ROOT / "_config.yml").resolve() == (ROOT / "book" / "_config.yml").resolve()


def test_scripts_and_style_sheets_of_the_library_are_packaged():
    packaged = CONFIGURATION["tool"]["setuptools"]["package-data"]
    files = [path for pattern in ("*.js", "*.css") for path in (ROOT / "lsnotebook").rglob(pattern)]
    assert files
    for path in files:
        package = ".".join(path.parent.relative_to(ROOT).parts)
        assert any(path.match(pattern) for pattern in packaged.get(package, [])), path
