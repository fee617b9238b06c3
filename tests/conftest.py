"""What the tests share: toy models of the real classes, and a run store of their own."""

import pytest


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """Every test has an empty data folder of its own."""
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(tmp_path / "data"))
    return tmp_path / "data"
