"""The commit that a result names is one of this project's own repository."""

import subprocess

import pytest

import lsnotebook
from lsnotebook.engine import provenance


def git(folder, *words):
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def repository(folder):
    """A git repository with one commit; its name."""
    folder.mkdir(exist_ok=True)
    git(folder, "init")
    (folder / "file").write_text("text")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "first")
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return head.stdout[:12]


@pytest.fixture
def around(tmp_path, monkeypatch):
    """A repository that is not ours, around the working directory and in git's own variable."""
    repository(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    return tmp_path


def test_a_checkout_has_its_own_commit(around, monkeypatch):
    project = around / "project"
    with monkeypatch.context() as patch:
        patch.delenv("GIT_DIR")
        head = repository(project)
    monkeypatch.setattr(provenance, "checkout", lambda: project)
    assert provenance.commit() == head
    (project / "file").write_text("another")
    assert provenance.commit() == f"{head}-dirty"


@pytest.mark.parametrize("project", [None, "unpacked"])
def test_without_one_the_version_is_named_and_not_the_repository_around_it(around, monkeypatch, project):
    """As for an installed package, and for sources that were unpacked in somebody's repository."""
    if project:
        (around / project).mkdir()
    monkeypatch.setattr(provenance, "checkout", lambda: around / project if project else None)
    assert provenance.commit() == f"unknown (version {lsnotebook.__version__})"
