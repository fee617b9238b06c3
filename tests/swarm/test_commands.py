"""`lsnotebook swarm` as a user types it: what cannot be is one sentence, and Ctrl-C leaves nothing behind."""

import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from waiting import hear_ctrl_c, wait_until

from lsnotebook.cli import main
from lsnotebook.engine import runs
from lsnotebook.engine.run import Run
from lsnotebook.layershuffle.approaches import LAYERSHUFFLE
from lsnotebook.layershuffle.profiles import SMOKE


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("layershuffle --nodes 3 --kill 4", "4 nodes are to die and 0 to be slow, but there are 3; take at most 3"),
        ("layershuffle --deadline 0", "The deadline is 0.0 hops, but should be more than 0."),
        ("layershuffle --patience nan", "The patience is nan hops"),
        ("layershuffle --nodes 0", "0 is not in the range x>=1"),
        ("layershuffle --nodes 1000000", "1000000 nodes take 400000 GB of memory, which this machine does not have"),
        ("layershuffle-position", "know the positions of one network alone"),
        ("layershuffle-predict-sum", "know the positions of one network alone"),
        ("baseline --rule pipeline --kill 1", "A pipeline waits for"),
        ("layershuffle --rule fastest", "'fastest' is not one of 'nearly', 'any', 'in-order', 'pipeline', 'similar'"),
        ("layershuffle --address 127.0.0.1:1", "There is no Ray cluster at '127.0.0.1:1'"),
        ("layershuffle --address=", "There is no Ray cluster at '' (an address is a host and a port"),
        ("layershuffle", "A cluster needs Ray"),
    ],
)
def test_a_swarm_that_cannot_be_is_one_sentence(monkeypatch, words, sentence):
    monkeypatch.setattr(runs, "ensure", lambda wanted: pytest.fail("nothing is trained for a swarm that cannot be"))
    if sentence == "A cluster needs Ray":
        monkeypatch.setitem(sys.modules, "ray", None)
    result = CliRunner().invoke(main, ["swarm", "smoke", *words.split()])
    assert result.exit_code in (1, 2) and sentence in result.output, result.output
    assert "Traceback" not in result.output and result.output.splitlines()[-1].startswith("Error: ")


def test_something_else_at_the_address_of_a_cluster_is_told_at_once():
    """Ray itself would try for minutes."""
    pytest.importorskip("ray", reason="the extra `cluster` is not installed")
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        words = f"swarm smoke layershuffle --address 127.0.0.1:{server.server_port}"
        result = CliRunner().invoke(main, words.split())
        server.shutdown()
    assert (
        result.exit_code == 1 and "(what listens there is something else): start one with `ray start`" in result.output
    )


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_ctrl_c_ends_all_processes_and_leaves_nothing_behind(store, tmp_path):
    pytest.importorskip("ray", reason="the extra `cluster` is not installed")
    runs.ensure([Run(SMOKE, LAYERSHUFFLE, 0)], workers=1)
    mark = f"SWARM_OF={tmp_path}"
    shared = set(os.listdir("/dev/shm"))
    command = [sys.executable, "-m", "lsnotebook", "swarm", *"smoke layershuffle --nodes 2 --kill 1".split()]
    user = {name: value for name, value in os.environ.items() if name != "RAY_AUTH_MODE"}
    parent = subprocess.Popen(
        [*command, "--requests", "5000"],
        env={**user, "HOME": str(tmp_path), "SWARM_OF": str(tmp_path)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        preexec_fn=hear_ctrl_c,
        start_new_session=True,  # as in a terminal, all of its processes get the signal
    )
    told = []
    reader = threading.Thread(target=lambda: told.extend(iter(lambda: parent.stderr.read(1), "")))
    reader.start()
    try:
        wait_until(lambda: "answering 5000 requests" in "".join(told) or parent.poll() is not None, 120)
        assert parent.poll() is None, "".join(told)
        assert len(marked(mark)) > 3, "Ray and its workers"
        os.killpg(parent.pid, signal.SIGINT)
        assert parent.wait(60) == 1
        wait_until(lambda: not marked(mark), 10)
    finally:
        for process in marked(mark):
            os.kill(process, signal.SIGKILL)
        reader.join(10)
        parent.stderr.close()
    assert set(os.listdir("/dev/shm")) <= shared
    bars, _, last = "".join(told).rpartition("\n\n")
    assert last.strip() == "Aborted!" and "Traceback" not in bars
    lines = [line for line in bars.replace("\r", "\n").splitlines() if line.strip()]
    assert all("starting nodes" in line or "answering 5000 requests" in line for line in lines)


def marked(mark):
    """The processes whose environment has this entry: those that a process has started, and their own."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and f"{mark}\0".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:  # it has ended, or is another user's
            pass
    return found
