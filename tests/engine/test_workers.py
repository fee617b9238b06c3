"""Jobs side by side: all done, all progress reported, the first failure raised."""

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from jobs import fail, kill, run_until_killed, write
from threadpoolctl import threadpool_info, threadpool_limits
from waiting import hear_ctrl_c, wait_until

from lsnotebook.engine import workers
from lsnotebook.engine.workers import WorkerError, side_by_side

PROGRAMS = Path(__file__).parents[1] / "programs"


def test_every_job_is_done_and_every_step_reported(tmp_path):
    heard = []
    jobs = [tmp_path / str(k) for k in range(5)]
    side_by_side(write, jobs, 2, heard.append)
    assert all(job.read_text() == "done" for job in jobs)
    assert sum(heard) == 10


def test_a_failure_is_raised_here(tmp_path):
    with pytest.raises(ValueError, match="no 0"):
        side_by_side(fail, [tmp_path / "0"], 2, lambda steps: None)


def test_a_worker_that_is_killed_is_one_sentence_that_names_its_job(tmp_path):
    job = tmp_path / "the job"
    with pytest.raises(WorkerError, match=rf"^A worker process was killed, [^\n]* in the midst of {job}: what is fin"):
        side_by_side(kill, [job, job.with_name("another")], 1, lambda steps: None)


@pytest.mark.parametrize(
    ("error", "mend"),
    [
        (BlockingIOError(11, "Resource temporarily unavailable"), "free memory"),
        (EOFError(), "free memory"),
        (RuntimeError("can't start new thread"), "free memory"),
        (OSError("AF_UNIX path too long"), "name a shorter folder for temporary files in TMPDIR"),
    ],
    ids=repr,
)
def test_a_worker_that_cannot_be_started_is_one_sentence(monkeypatch, tmp_path, error, mend):
    def submit(*_):
        raise error

    monkeypatch.setattr(workers.ProcessPoolExecutor, "submit", submit)
    with pytest.raises(WorkerError, match=rf"^Worker processes could not be started \([^)]+\): {mend}[^\n]*again\.$"):
        side_by_side(write, [tmp_path / "0"], 2, lambda steps: None)


def test_ctrl_c_ends_the_workers_without_a_word(tmp_path):
    """As in a terminal, where all processes of the group get it, those that are being started too."""
    written = [tmp_path / "0", tmp_path / "1"]
    program = [sys.executable, PROGRAMS / "interrupted.py", *written]
    parent = subprocess.Popen(
        program, start_new_session=True, preexec_fn=hear_ctrl_c, stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: all(path.exists() and path.read_text() for path in written))
    os.killpg(parent.pid, signal.SIGINT)
    try:
        assert parent.communicate(timeout=120)[1].splitlines() == ["interrupted"]
    finally:
        parent.kill()
    assert not any(is_running(int(path.read_text())) for path in written)


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


def test_a_worker_takes_one_thread_of_every_library_beneath(monkeypatch):
    for name in workers.THREADS:
        monkeypatch.delenv(name, raising=False)
    with threadpool_limits(2):  # what it changes is put back at the end
        assert any(library["num_threads"] == 2 for library in threadpool_info())
        workers.take_one_thread()
        assert {library["num_threads"] for library in threadpool_info()} == {1}
        assert all(os.environ[name] == "1" for name in workers.THREADS)
    torch.set_num_threads(1)
