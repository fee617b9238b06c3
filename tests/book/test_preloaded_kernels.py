"""Kernels of a build are forked from a server: they are those that a program would be, and leave nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import wait_until

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes as Linux lists them")
PROGRAM = [sys.executable, str(Path(__file__).parents[1] / "programs" / "forked_kernel.py")]


def test_a_kernel_has_the_imports_the_folder_and_the_environment_of_a_reader(tmp_path):
    cell = "import os, sys\nprint('imaplib' in sys.modules, os.getcwd(), os.environ['SAID'])"
    run = subprocess.run(
        [*PROGRAM, str(tmp_path), cell], capture_output=True, text=True, env={**os.environ, "SAID": "so"}
    )
    assert run.stdout.strip() == f"True {tmp_path} so", run.stderr


def test_a_kernel_ends_with_the_build_that_is_killed(tmp_path):
    cell = f"import os, pathlib, time\npathlib.Path('{tmp_path}/pid').write_text(str(os.getpid()))\ntime.sleep(300)"
    with subprocess.Popen([*PROGRAM, str(tmp_path), cell], stderr=subprocess.DEVNULL) as build:
        wait_until(lambda: (tmp_path / "pid").is_file() and (tmp_path / "pid").read_text(), 60)
        build.kill()
    wait_until(lambda: has_ended(int((tmp_path / "pid").read_text())))


def has_ended(process: int) -> bool:
    try:
        return (Path("/proc") / str(process) / "stat").read_text().split()[2] == "Z"  # until somebody looks
    except FileNotFoundError:
        return True
