"""The fingerprint of files: their names and contents, not their times; each file is read once."""

import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsnotebook.data import fingerprint as module
from lsnotebook.data.fingerprint import fingerprint
from lsnotebook.data.splits import DataError


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


def test_damaged_files_links_to_nowhere_and_pipes_are_named_and_count(folder):
    (folder / "gone.png").symlink_to("nowhere.png")
    os.mkfifo(folder / "pipe.png")
    found = fingerprint(folder, (".png",), lambda content: content.startswith(b"a/1"), "code")
    assert found.files == ("a/0.png", "a/1.PNG", "b/c/2.png", "gone.png", "pipe.png")
    assert found.damaged == {"gone.png", "pipe.png", "a/1.PNG"}
    again = fingerprint(folder, (".png",), lambda content: False, "other code")
    assert again.damaged == {"gone.png", "pipe.png"}
    assert again.digest != found.digest, "other images are left out"


def test_a_file_that_could_not_be_read_is_read_when_it_may_be(folder, monkeypatch):
    read_bytes, path = Path.read_bytes, folder / "a" / "0.png"

    def forbidden(one):
        if one == path and not path.stat().st_mode & 0o400:
            raise PermissionError(13, "Permission denied")
        return read_bytes(one)

    before = taken(folder)
    monkeypatch.setattr(Path, "read_bytes", forbidden)
    path.chmod(0)
    assert fingerprint(folder, (".png",)).damaged == {"a/0.png"}
    path.chmod(0o600)
    assert fingerprint(folder, (".png",)).damaged == set() and taken(folder) == before


def test_names_in_any_encoding_and_with_line_breaks(folder):
    names = [os.fsdecode(b"caf\xe9.png"), "line\nbreak.png", 'a,"b".png']
    before = taken(folder)
    for name in names:
        (folder / name).write_bytes(b"damaged")
    found = fingerprint(folder, (".png",), lambda content: content == b"damaged")
    assert found.damaged == set(names) and found.digest != before


def test_hidden_and_system_files_are_none_and_other_endings_are_counted(folder):
    before = taken(folder)
    left = ("@eaDir/0.png/SYNOPHOTO_THUMB_M.png", ".ipynb_checkpoints/0-checkpoint.png", "._0.png", ".hidden.png")
    for name in (*left, "__MACOSX/a/0.png", "Thumbs.db", "DESKTOP.INI"):
        for place in (folder / name, folder / "a" / name):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(b"")
    for name in ("a/1.HEIC", "a/2.heic", "LICENSE"):
        (folder / name).touch()
    found = fingerprint(folder, (".png",))
    assert found.digest == before and found.others == {".heic": 2, ".txt": 1, "": 1}


def test_a_link_to_a_folder_above_ends(folder):
    before = taken(folder)
    (folder / "a" / "again").symlink_to(folder)
    assert taken(folder) == before
    (folder / "d").symlink_to(folder / "b")
    assert fingerprint(folder, (".png",)).files[-1] == "d/c/2.png", "other links to folders are followed"


def test_a_folder_that_cannot_be_read_is_named(folder, monkeypatch):
    scandir = os.scandir

    def forbidden(path):
        if Path(path) == folder / "b":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbidden)
    with pytest.raises(DataError, match=r"The folder '.*b.*' cannot be read \(Permission denied\); mend that\."):
        taken(folder)


def test_a_digest_of_decimal_digits_is_no_number(folder, monkeypatch):
    class Digits:
        def __init__(self, content=b""):
            pass

        def update(self, content):
            pass

        def digest(self):
            return b""

        def hexdigest(self):
            return "0123456789" * 7

    monkeypatch.setattr(module.hashlib, "sha256", Digits)
    found = module.read_once(folder, ("a/0.png",), lambda content: False)
    monkeypatch.undo()
    path = folder / "table.csv"
    found.to_csv(path, index=False)
    assert pd.read_csv(path)["digest"].item() == "sha256:0123456789012345"


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
