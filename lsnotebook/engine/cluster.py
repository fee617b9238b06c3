"""The runs of a study on a Ray cluster: each run a Ray task, retried when its node dies, resumed from its last state.

The nodes share `data/` (a network file system, named by LSNOTEBOOK_DATA); the run store then is all that they have to
agree on. Needs the extra `cluster` (pip install "lsnotebook[cluster]").
"""

import contextlib
import logging
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import psutil

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.core.profile_files import on_command_line
from lsnotebook.core.progress import Progress
from lsnotebook.core.store import RunStoreError, data_root
from lsnotebook.engine import runs
from lsnotebook.engine.run import Run

log = logging.getLogger(__name__)
SETTINGS = b"\x04"
"""The type of the frame by which both ends of an HTTP/2 connection begin, and so of gRPC's, which Ray speaks."""
HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0" + SETTINGS + b"\0\0\0\0\0"
RETRIES = 5
"""Times that a run is resumed after its node died."""
STARTS = 3
"""Times that Ray is started before it is given up."""


class SweepError(LsnotebookError, RuntimeError):
    """Runs of a sweep that failed; the others are in the store."""


def sweep(wanted: Sequence[Run], address: str | None = None, gpus: int = 1) -> None:
    """Train the missing ones of `wanted` wherever the cluster at `address` has room; None: this machine.

    A run takes `gpus` GPUs, or one core where its profile trains on the CPU. Raises `SweepError` at the
    end, where some runs failed.
    """
    ray = connected(address)
    # A task for a run that is in the store already would take a GPU for nothing.
    missing = [run for run in wanted if not run.is_there]
    bases = [run.base for run in missing if run.base and not run.base.is_there]
    largest = max((node["Resources"].get("GPU", 0) for node in ray.nodes() if node["Alive"]), default=0)
    if largest < gpus and not all(run.schedule.cpu for run in missing):
        log.warning("No node has %d GPUs (the largest has %d); waiting for one to join.", gpus, largest)
    tasks: dict[str, object] = {}
    names: dict[object, Run] = {}
    for run in (*bases, *missing):
        if run.key not in tasks:  # a base comes before those that refine it, and they wait for its task
            needs = {"num_cpus": 1} if run.schedule.cpu else {"num_gpus": gpus}
            train = ray.remote(_train).options(name=str(run), max_retries=RETRIES, **needs)
            tasks[run.key] = train.remote(run, gpus, tasks.get(run.base.key) if run.base else None)
            names[tasks[run.key]] = run
    failed, waiting = [], list(names)
    with Progress(len(tasks), "training on the cluster") as progress:
        while waiting:
            done, waiting = ray.wait(waiting)
            for task in done:
                try:
                    ray.get(task)
                except ray.exceptions.RayError as error:
                    failed.append(f"{names[task]} ({str(getattr(error, 'cause', None) or error).splitlines()[-1]})")
                progress.advance()
    if failed:
        raise SweepError(
            f"{len(failed)} of {len(tasks)} runs failed, the others are in the store: {'; '.join(failed)}. "
            "Mend the reason and run the same command again: they go on from their last state."
        )


def connected(address: str | None = None):
    """Ray, connected to the cluster at `address`; its workers find the same store. Raises `SweepError`.

    None: a Ray of this machine's own, started here, whatever other clusters it is part of.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise SweepError('A cluster needs Ray: pip install "lsnotebook[cluster]", here and on the nodes.') from None
    inherited = {name: value for name, value in os.environ.items() if name.startswith(("LSNOTEBOOK_", "HF_"))}
    environment = {"env_vars": {**inherited, "LSNOTEBOOK_DATA": str(data_root().resolve())}}
    if not ray.is_initialized():
        try:
            if address is not None and address != "auto" and "://" not in address:
                knock(address)
            here = {"address": "local", "include_dashboard": False}
            there = here if address is None else {"address": address}
            started(ray, **there, runtime_env=environment, log_to_driver=False, logging_level="error")
        except Exception as error:  # Ray raises bare ones, too
            if "AF_UNIX" in str(error):
                folder = os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()
                raise SweepError(
                    f"The path of the folder for temporary files, {folder!r}, is too long for Ray's sockets: name a "
                    "shorter one in RAY_TMPDIR, such as /tmp."
                ) from error
            if address is None:
                raise SweepError(
                    f"Ray did not start here ({str(error).splitlines()[0]}); stop what else keeps this machine busy, "
                    "and run the same command again."
                ) from error
            if "Version mismatch" in str(error):
                raise SweepError(
                    f"The cluster at {address!r} runs other versions ({' '.join(str(error).split())}): take the same "
                    "here and there."
                ) from error
            raise SweepError(
                f"There is no Ray cluster at {address!r} ({str(error).splitlines()[0]}): start one with `ray start`, "
                "or leave out --address to use this machine."
            ) from error
    return ray


def knock(address: str) -> None:
    """Raise `ValueError` or `OSError` where no Ray can be: it tries a port for minutes, and then ends the process."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        raise ValueError("an address is a host and a port, such as 10.0.0.1:6379")
    with socket.create_connection((host, int(port)), timeout=10) as door:
        if os.environ.get("RAY_USE_TLS", "0") == "0":
            door.sendall(HELLO)
            if door.recv(9)[3:4] != SETTINGS:
                raise ValueError("what listens there is something else")


def is_connected() -> bool:
    """Whether this process is connected to a Ray already."""
    ray = sys.modules.get("ray")
    return ray is not None and ray.is_initialized()


def started(ray: ModuleType, **options: Any) -> None:
    """`ray.init`, and again where its processes took longer than it waits for, as on a busy machine.

    Ray leaves the processes of a failed start running until this one ends; here they end with it.
    """
    ours = psutil.Process()
    for attempt in range(1, STARTS + 1):
        before = set(ours.children(recursive=True))
        try:
            ray.init(**options)
            return
        except Exception as error:
            ray.shutdown()
            for left in set(ours.children(recursive=True)) - before:
                with contextlib.suppress(psutil.NoSuchProcess):
                    left.kill()
            if attempt == STARTS or "timed out during startup" not in str(error):
                raise


def _train(run: Run, gpus: int, base: object) -> None:
    """In a Ray task: train here, or with `accelerate launch` where the run takes several GPUs."""
    if run.schedule.cpu or gpus == 1:
        runs.train(run)
        return
    here = ["--num_machines=1", f"--num_processes={gpus}", "--main_process_port=0"]  # 0: a free one, for each launch
    command = [sys.executable, "-m", "accelerate.commands.launch", *here, "-m", "lsnotebook"]
    with on_command_line(run.profile) as profile:
        command += ["train", profile, run.approach.name, f"--seed={run.seed}"]
        ended = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if ended.returncode:
        lines = ended.stderr.strip().splitlines() or [f"the launch ended with {ended.returncode}"]
        raise RunStoreError(next((line for line in reversed(lines) if line.startswith("Error: ")), lines[-1]))
