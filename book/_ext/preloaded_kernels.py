"""Kernels that begin with the slow imports done.

Importing torch, transformers and statsmodels takes a kernel longer than most pages take to compute. So kernels are
forked from a server that has imported them and done nothing else: as `multiprocessing` starts processes, in the place
where Jupyter's client would start a program.
"""

import multiprocessing
import os
import signal
import sys
import threading
from importlib.metadata import EntryPoint
from multiprocessing.connection import wait
from typing import Any

from ipykernel.kernelapp import IPKernelApp
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner
from sphinx.application import Sphinx

IMPORTS = ["preloaded_kernels", "lsnotebook.layershuffle.measurements", "lsnotebook.layershuffle.tables"]


class Kernel(multiprocessing.get_context("forkserver").Process):
    """A kernel's process, with what `LocalProvisioner` asks of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, arguments: list[str], folder: str, environment: dict[str, str]):
        super().__init__(target=run, args=(arguments, folder, environment))

    def poll(self) -> int | None:
        return self.exitcode

    def wait(self) -> int | None:
        self.join()
        return self.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)


def run(arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    """In the forked process: be the kernel that `python -m ipykernel_launcher` is."""
    os.setsid()  # signals to the kernel reach what it started, and nothing else
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[:] = [place for place in sys.path if place != os.path.dirname(__file__)]  # no page imports an extension
    sys.argv = ["ipykernel_launcher", *arguments]
    threading.Thread(target=end_with_parent, daemon=True).start()
    IPKernelApp.launch_instance(argv=[*arguments, f"--IPKernelApp.parent_handle={os.getppid()}"])


def end_with_parent() -> None:
    """End when the build is killed: a kernel itself watches the server only, which lives as long as its kernels."""
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)


class Forked(LocalProvisioner):
    async def launch_kernel(self, cmd: list[str], **options: Any) -> dict:
        """Fork the kernel that `python -m ipykernel_launcher ...` would be."""
        arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
        self.process = Kernel(arguments, str(options.get("cwd") or os.getcwd()), options["env"])
        self.process.start()
        self.pid = self.process.pid
        return self.connection_info


def setup(app: Sphinx) -> dict:
    if "forkserver" in multiprocessing.get_all_start_methods():
        os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")  # as a kernel sets it itself
        multiprocessing.get_context("forkserver").set_forkserver_preload(IMPORTS)
        factory = KernelProvisionerFactory.instance()
        factory.provisioners["forked"] = EntryPoint("forked", f"{__name__}:Forked", factory.GROUP_NAME)
        factory.default_provisioner_name = "forked"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
