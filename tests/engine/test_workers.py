"""Jobs side by side: all done, all progress reported, the first failure raised."""

import multiprocessing
from pathlib import Path

import pytest
from jobs import fail, run_until_killed, write
from waiting import wait_until

from lsnotebook.engine.workers import side_by_side


def test_every_job_is_done_and_every_step_reported(tmp_path):
    heard = []
    jobs = [tmp_path / str(k) for k in range(5)]
    side_by_side(write, jobs, 2, heard.append)
    assert all(job.read_text() == "done" for job in jobs)
    assert sum(heard) == 10


def test_a_failure_is_raised_here(tmp_path):
    with pytest.raises(ValueError, match="no 0"):
        side_by_side(fail, [tmp_path / "0"], 2, lambda steps: None)


def test_workers_end_when_their_parent_is_killed(tmp_path):
    written = [tmp_path / "0", tmp_path / "1"]
    parent = multiprocessing.get_context("spawn").Process(target=run_until_killed, args=(written,))
    parent.start()
    wait_until(lambda: all(path.exists() and path.read_text() for path in written))
    parent.kill()
    for path in written:
        wait_until(lambda path=path: not is_running(int(path.read_text())), 30)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False
