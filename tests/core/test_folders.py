"""What machines leave in a folder is neither a class nor an image."""

import pytest

from lsnotebook.core.folders import class_folders, is_system


@pytest.mark.parametrize("name", [".hidden", "@eaDir", "__MACOSX", "__pycache__", "Thumbs.db", "$RECYCLE.BIN"])
def test_what_machines_leave_is_told_by_its_name(name):
    assert is_system(name)


def test_other_folders_are_classes_whatever_they_begin_with(tmp_path):
    for name in ("b", "@home", "a", ".git", "@eaDir", "_c"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").write_text("")
    assert class_folders(tmp_path) == ["@home", "_c", "a", "b"]
