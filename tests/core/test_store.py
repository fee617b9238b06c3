"""Files of the store appear whole or not at all, and a table is computed once, and anew where its file is damaged."""

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.pandas import column, data_frames, range_indexes

from lsnotebook.core import store as store_module
from lsnotebook.core.store import (
    DamagedError,
    DataFolderError,
    RunStoreError,
    checkout,
    data_root,
    read_checked,
    recalled,
    remembered,
    table_path,
    write_checked,
    write_whole,
)

RECIPE, OTHER = {"code": "a", "seed": 1}, {"code": "a", "seed": 2}
TABLE = pd.DataFrame({"order": ["0 1", "1 0"], "top1": [0.1, 1 / 3]})


def kept(recipe=RECIPE, table=TABLE):
    """The file of a table that was remembered."""
    pd.testing.assert_frame_equal(remembered(recipe, "a table", lambda: table), table, check_exact=True)
    return table_path(recipe, "a table")[0]


def flipped(content, bit):
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def by_hand(content, *checksummed):
    """A table that someone typed, below the checksum of something."""
    return hashlib.sha256(b"".join(checksummed)).hexdigest().encode() + b"\n" + content


TYPED = b"order,top1\n0 1,0.9\n1 0,0.9\n"
DAMAGES = {
    "a bit of the checksum": lambda content: flipped(content, 3),
    "a digit": lambda content: content.replace(b"0.1", b"0.2"),
    "the line break after the checksum": lambda content: flipped(content, 8 * 64),
    "the last bit": lambda content: flipped(content, 8 * len(content) - 1),
    "cut in the middle": lambda content: content[: len(content) // 2],
    "cut after the checksum": lambda content: content[:65],
    "without the last row": lambda content: content[: content.rindex(b"\n", 0, -1) + 1],
    "empty": lambda content: b"",
    "without the checksum": lambda content: content.partition(b"\n")[2],
    "a row more": lambda content: content + b"1 1,0.5\n",
    "a line break more": lambda content: content + b"\n",
    "twice": lambda content: content * 2,
    "rows exchanged": lambda content: b"".join(content.splitlines(True)[k] for k in (0, 1, 3, 2)),
    "line breaks of Windows": lambda content: content.replace(b"\n", b"\r\n"),
    "zeros": lambda content: bytes(len(content)),
    "no text": lambda content: b"\xff\xfe" * 40,
    "by hand": lambda content: TYPED,
    "by hand below the old checksum": lambda content: content[:65] + TYPED,
    "by hand below its own checksum": lambda content: by_hand(TYPED, TYPED),
    "by hand below a checksum with another key": lambda content: by_hand(TYPED, b"key", TYPED),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_table_is_computed_anew_and_logged(damage, caplog):
    path = kept()
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert path.read_bytes() != whole and recalled(RECIPE, "a table") is None
    computed = []
    again = remembered(RECIPE, "a table", lambda: computed.append(0) or TABLE)
    pd.testing.assert_frame_equal(again, TABLE, check_exact=True)
    assert computed == [0] and path.read_bytes() == whole
    assert f"{path} is damaged, or a copy of another: its checksum" in caplog.text
    assert "It is computed anew." in caplog.text


def test_the_table_of_another_recipe_in_its_place_is_computed_anew():
    path, other = kept(), kept(OTHER, TABLE.assign(top1=[0.5, 0.6]))
    path.write_bytes(other.read_bytes())
    kept()
    kept(OTHER, TABLE.assign(top1=[0.5, 0.6]))


def test_no_flipped_bit_and_no_cut_gives_a_table():
    path = kept()
    whole = path.read_bytes()
    for bit in range(8 * len(whole)):
        path.write_bytes(flipped(whole, bit))
        assert recalled(RECIPE, "a table") is None
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert recalled(RECIPE, "a table") is None
    path.write_bytes(whole)
    pd.testing.assert_frame_equal(recalled(RECIPE, "a table"), TABLE, check_exact=True)


def test_a_removed_table_is_computed_anew():
    kept().unlink()
    assert recalled(RECIPE, "a table") is None
    kept()


def test_a_folder_in_the_place_of_a_table_is_named_and_left_alone():
    path = table_path(RECIPE, "a table")[0]
    path.mkdir(parents=True)
    (path / "mine.txt").write_text("mine")
    for _ in range(2):
        with pytest.raises(RunStoreError, match=r"^[^\n]*csv cannot be read \(Is a directory\)[^\n]*$") as caught:
            remembered(RECIPE, "a table", lambda: pytest.fail("computed"))
        assert str(path) in str(caught.value) and not isinstance(caught.value, DamagedError)
    assert (path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("reason", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_without_locks_nothing_is_computed_twice_nor_waited_for(monkeypatch, reason):
    def refuse(*_):
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(RunStoreError, match=rf"\.lock could not be written \({os.strerror(reason)}\)"):
        remembered(RECIPE, "a table", lambda: pytest.fail("computed"))


@pytest.mark.parametrize("reason", [errno.EROFS, errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("missing", [".lock", ".csv.part"])
def test_a_store_that_cannot_be_written_says_so_and_gives_what_it_has(monkeypatch, reason, missing):
    kept(OTHER)
    opened = {".lock": (os, "open"), ".csv.part": (store_module, "open")}[missing]
    real = getattr(*opened, open)

    def refuse(path, *arguments):
        if str(path).endswith(missing):
            raise OSError(reason, os.strerror(reason), str(path))
        return real(path, *arguments)

    monkeypatch.setattr(*opened, refuse, raising=False)
    with pytest.raises(RunStoreError, match=rf"^[^\n]* could not be written \({os.strerror(reason)}\)[^\n]*DATA\.$"):
        kept()
    kept(OTHER)


@pytest.mark.parametrize("place", ["a lock", "the folder of the tables"])
def test_what_stands_in_the_place_of_a_lock_or_a_folder_is_named(store, place):
    path = table_path(RECIPE, "a table")[0]
    if place == "a lock":
        path.with_suffix(".lock").mkdir(parents=True)
    else:
        path.parent.parent.mkdir(parents=True, exist_ok=True)
        path.parent.write_text("mine")
    with pytest.raises(RunStoreError, match=r"^[^\n]* \((Is|Not) a directory\)[^\n]*LSNOTEBOOK_DATA\.$"):
        remembered(RECIPE, "a table", lambda: pytest.fail("computed"))


@given(data_frames([column("a", dtype=float), column("b", dtype=int)], index=range_indexes(min_size=1, max_size=4)))
def test_a_remembered_table_has_the_bits_of_the_computed_one(table):
    recipe = {"a": table["a"].map(repr).tolist(), "b": table["b"].tolist()}
    found = remembered(recipe, "numbers", lambda: table)
    pd.testing.assert_frame_equal(found, table, check_exact=True)
    pd.testing.assert_frame_equal(remembered(recipe, "numbers", lambda: pytest.fail("again")), found, check_exact=True)


def test_of_several_that_ask_at_once_one_computes(monkeypatch):
    computed, asked = [], threading.Semaphore(0)

    def counted(*arguments):
        asked.release()
        return recalled(*arguments)

    def slow():
        computed.append(0)
        for _ in range(5):  # all four have looked, and this one twice
            assert asked.acquire(timeout=30)
        return pd.DataFrame({"top1": [0.5]})

    monkeypatch.setattr(store_module, "recalled", counted)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: remembered({"a": 1}, "table", slow), range(4)))
    assert len(computed) == 1 and all(table["top1"].item() == 0.5 for table in found)


@given(st.binary(max_size=30), st.binary(max_size=30))
def test_checked_content_is_read_as_it_was_written_and_under_its_key_alone(tmp_path_factory, first, second):
    path = tmp_path_factory.mktemp("checked") / "file"
    assert read_checked(path, "key") is None
    write_checked(path, "key", first, second)
    assert read_checked(path, "key") == first + second
    with pytest.raises(DamagedError, match="is damaged"):
        read_checked(path, "another key")


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    path = tmp_path / "file"
    write_whole(path, b"before")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunStoreError, match=r"could not be written \(No space left on device\); what was there before"):
        write_whole(path, b"after")
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """As if there were no checkout around the package; the user's data folder."""
    monkeypatch.setattr(store_module, "checkout", lambda: None)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))
    store_module.announce.cache_clear()
    return tmp_path / "user" / "lsnotebook"


def places(monkeypatch, tmp_path, variable):
    """Where the data are, as seen from two working directories."""
    monkeypatch.setenv("LSNOTEBOOK_DATA", variable)
    for folder in (Path(__file__).parent, tmp_path):
        monkeypatch.chdir(folder)
        yield data_root()


PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("variable", "folder"),
    [("", PROJECT / "data"), ("study", PROJECT / "study"), ("~", "home"), ("~/a b", "home/a b"), ("/srv/x", "/srv/x")],
)
def test_the_data_are_in_the_same_place_from_every_working_directory(monkeypatch, tmp_path, caplog, variable, folder):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert list(places(monkeypatch, tmp_path, variable)) == [tmp_path / folder] * 2
    assert not caplog.records


@pytest.mark.parametrize(("variable", "name"), [("", "data"), ("study/one", "study/one")])
def test_an_installed_package_keeps_them_in_the_users_folder_and_says_so_once(
    monkeypatch, tmp_path, caplog, installed, variable, name
):
    assert list(places(monkeypatch, tmp_path, variable)) == [installed / name] * 2
    (line,) = caplog.messages
    assert str(installed / name) in line and "LSNOTEBOOK_DATA" in line and "\n" not in line


def test_where_the_data_are_by_absolute_path_is_not_said(monkeypatch, tmp_path, caplog, installed):
    assert list(places(monkeypatch, tmp_path, str(tmp_path / "mine"))) == [tmp_path / "mine"] * 2
    assert not caplog.records


def test_an_unknown_home_is_told(monkeypatch):
    monkeypatch.setenv("LSNOTEBOOK_DATA", "~nobody-of-this-name/study")
    with pytest.raises(
        DataFolderError, match=r"^LSNOTEBOOK_DATA is '~nobody-of-this-name/study', but there is no such home"
    ):
        data_root()


@pytest.mark.parametrize("beside", [None, "", "[project]\nname = 'other'\n", "[tool.x]\n", "no TOML"])
def test_a_folder_around_the_package_is_no_checkout_of_another_project(tmp_path, beside):
    """What a `pyproject.toml` beside the package says decides, and not a repository that lies around it."""
    (tmp_path / ".git").mkdir()
    if beside is not None:
        (tmp_path / "pyproject.toml").write_text(beside)
    core = tmp_path / "lsnotebook" / "core"
    shutil.copytree(PROJECT / "lsnotebook" / "core", core)
    (core.parent / "__init__.py").touch()
    program = "from lsnotebook.core.store import checkout; print(checkout())"
    ended = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert ended.stdout.strip() == "None", ended.stderr
    assert checkout() == PROJECT


def test_waiting_for_the_table_of_another_process_is_told_once(monkeypatch, caplog):
    monkeypatch.setattr(store_module, "SOON", 0.1)
    path = table_path(RECIPE, "a table")[0]
    path.parent.mkdir(parents=True)
    lock = FileLock(path.with_suffix(".lock"))
    lock.acquire()
    with ThreadPoolExecutor() as pool:
        waits = pool.submit(kept)
        while not caplog.text:
            time.sleep(0.01)
        lock.release()
        waits.result()
    assert [record.message for record in caplog.records] == [
        "Another process is making the table of a table; waiting for it."
    ]


def test_a_file_in_the_place_of_the_data_folder_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(tmp_path / "file"))
    with pytest.raises(DataFolderError, match="file is a file, but should be the folder of runs"):
        data_root()
