"""Jobs side by side: all done, all heard, the first failure raised."""

import multiprocessing
import os
import time
from pathlib import Path

import pytest

from lsnotebook.progress import Progress
from lsnotebook.workers import side_by_side


def write(path, advance):
    path.write_text("done")
    advance(2)


def fail(path, advance):
    raise ValueError(f"no {path.name}")


def test_every_job_is_done_and_every_step_heard(tmp_path):
    heard = []
    jobs = [tmp_path / str(k) for k in range(5)]
    side_by_side(write, jobs, 2, heard.append)
    assert all(job.read_text() == "done" for job in jobs)
    assert sum(heard) == 10


def test_a_failure_is_raised_here(tmp_path):
    with pytest.raises(ValueError, match="no 0"):
        side_by_side(fail, [tmp_path / "0"], 2, lambda steps: None)


def tell_and_wait(path, advance):
    path.write_text(str(os.getpid()))
    time.sleep(60)


def run_until_killed(paths):
    side_by_side(tell_and_wait, paths, 2, lambda steps: None)


def test_workers_end_when_their_parent_is_killed(tmp_path):
    told = [tmp_path / "0", tmp_path / "1"]
    parent = multiprocessing.get_context("spawn").Process(target=run_until_killed, args=(told,))
    parent.start()
    wait_until(lambda: all(path.exists() and path.read_text() for path in told))
    parent.kill()
    for path in told:
        wait_until(lambda path=path: not is_running(int(path.read_text())))


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_progress_ends_in_one_plain_line():
    with Progress(4, "training <b>") as progress:
        progress.advance(1)
        assert repr(progress).startswith("training <b>: 1 of 4, about ")
        assert "<progress value=1 max=4>" in progress._repr_html_()
        progress.advance(3)
    assert "done in 0 s" in repr(progress)
    assert "<progress" not in progress._repr_html_() and "&lt;b&gt;" in progress._repr_html_()
