"""The fingerprint of files: their names and contents, not their times; each file is read once."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsnotebook.data import fingerprint as module
from lsnotebook.data.fingerprint import fingerprint


@pytest.fixture
def folder(tmp_path):
    """A folder of small files, with one that has another ending."""
    for name in ("a/0.png", "a/1.PNG", "b/c/2.png", "notes.txt"):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / name).write_bytes(name.encode())
    return tmp_path / "images"


def taken(folder):
    return fingerprint(folder, (".png",)).digest


def rewrite(path, content):
    """Write a file at a later time, whatever the file system's clock can tell apart."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_bytes(content)
    os.utime(path, ns=(before + 1, before + 1))


def flip(path):
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    rewrite(path, bytes(content))


CHANGES = {
    "one bit": lambda folder: flip(folder / "a" / "0.png"),
    "one bit, ending in capitals": lambda folder: flip(folder / "a" / "1.PNG"),
    "one bit, deeper": lambda folder: flip(folder / "b" / "c" / "2.png"),
    "longer": lambda folder: rewrite(folder / "a" / "0.png", b"longer than before"),
    "renamed": lambda folder: (folder / "a" / "0.png").rename(folder / "a" / "9.png"),
    "moved": lambda folder: (folder / "a" / "0.png").rename(folder / "b" / "0.png"),
    "removed": lambda folder: (folder / "a" / "0.png").unlink(),
    "one more": lambda folder: (folder / "b" / "3.png").write_bytes(b""),
    "contents exchanged": lambda folder: [
        rewrite(folder / "a" / one, other.encode()) for one, other in (("0.png", "a/1.PNG"), ("1.PNG", "a/0.png"))
    ],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_names_and_contents_count(folder, change):
    before = taken(folder)
    change(folder)
    assert taken(folder) != before


def test_times_other_files_and_the_place_do_not_count(folder):
    before = taken(folder)
    os.utime(folder / "a" / "0.png", (1, 1))
    (folder / "notes.txt").write_text("other")
    (folder / "empty").mkdir()
    assert taken(folder) == before
    assert taken(folder.rename(folder.with_name("elsewhere"))) == before


def test_without_files_it_is_absent(folder, tmp_path):
    assert taken(tmp_path / "nowhere") == "absent" and fingerprint(folder, (".jpeg",)).digest == "absent"
    assert taken(folder / "notes.txt") == "absent", "a file is no folder"


def test_a_file_is_read_once_until_its_time_or_size_changes(folder, monkeypatch):
    read, read_bytes = [], Path.read_bytes

    def counted(path):
        read.append(path.name)
        return read_bytes(path)

    before = taken(folder)
    monkeypatch.setattr(Path, "read_bytes", counted)
    assert taken(folder) == before and not read
    os.utime(folder / "a" / "0.png", (1, 1))
    assert taken(folder) == before and sorted(read) == ["0.png", "1.PNG", "2.png"]


def test_between_two_looks_it_is_taken_as_it_was(folder, monkeypatch):
    monkeypatch.setattr(module, "RENEWED", 1e9)
    before = taken(folder)
    flip(folder / "a" / "0.png")
    assert taken(folder) == before
    monkeypatch.setattr(module, "_last", {})
    assert taken(folder) != before


def test_damaged_files_and_links_to_nowhere_are_named(folder):
    (folder / "gone.png").symlink_to("nowhere.png")
    found = fingerprint(folder, (".png",), lambda content: content.startswith(b"a/1"), "code")
    assert found.damaged == {str(folder / "gone.png"), str(folder / "a" / "1.PNG")}
    assert found.digest not in ("absent", taken(folder / "a"))
    again = fingerprint(folder, (".png",), lambda content: False, "other code")
    assert again.damaged == {str(folder / "gone.png")} and again.digest == found.digest


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(st.text("ab./ \n", min_size=1, max_size=4).filter(lambda name: "/" not in name), st.binary()))
def test_other_contents_have_other_fingerprints(tmp_path_factory, files):
    """Whatever the names are, also where a name looks like a line of the digest."""
    folder, other = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("other")
    for name, content in files.items():
        (folder / f"{name}.png").write_bytes(content)
        (other / f"{name}.png").write_bytes(content)
    assert taken(folder) == taken(other)
    (other / "one more.png").write_bytes(b"")
    assert taken(folder) != taken(other)
