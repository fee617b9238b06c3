"""A command on several processes at once, as `accelerate launch` starts them."""

import multiprocessing
import os
import runpy
import socket
import subprocess
import sys
from multiprocessing.connection import wait

FORKED = multiprocessing.get_context("forkserver")  # its processes need not import torch, each for itself


def launched(store, *words, processes=2):
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        f"--nproc-per-node={processes}",
        f"--master-port={port()}",
    ]
    return subprocess.run([*command, *words], env=environment(store), capture_output=True, text=True, timeout=300)


def forked(store, shown, *words, processes=2):
    """The same without the launcher, and what the processes print in the file `shown`: the first exit code but 0.

    As under the launcher, when one fails the others are ended.
    """
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port()), "WORLD_SIZE": str(processes)}
    ranks = [{"RANK": str(k), "LOCAL_RANK": str(k), "LOCAL_WORLD_SIZE": str(processes)} for k in range(processes)]
    started = [FORKED.Process(target=be, args=(environment(store) | address | rank, shown, words)) for rank in ranks]
    for process in started:
        process.start()
    running, code = list(started), 0
    while running and not code:
        done = wait([process.sentinel for process in running], timeout=300)
        assert done, "they wait for each other"
        ended = [process for process in running if process.sentinel in done]
        running = [process for process in running if process not in ended]
        code = next((process.exitcode for process in ended if process.exitcode), 0)
    for process in running:
        process.kill()
        process.join()
    return code


def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def environment(store):
    return {**os.environ, "LSNOTEBOOK_DATA": str(store), "ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "3"}


def be(environment, shown, words):
    """In a forked process: be the command."""
    os.environ.clear()
    os.environ.update(environment)
    with shown.open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    if words[0] == "-m":
        sys.argv = list(words[1:])
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(words)
        runpy.run_path(words[0], run_name="__main__")
