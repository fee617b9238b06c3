"""What the tests of pages share."""

import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.provisioning import KernelProvisionerFactory
from papermill.cli import papermill as command
from traitlets.config import Config

BOOK = Path(__file__).parents[2] / "book"


@pytest.fixture(scope="module")
def ipython():
    main = sys.modules["__main__"]
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    sys.modules["__main__"] = main  # which multiprocessing asks for its name
    yield shell
    InteractiveShell.clear_instance()


@pytest.fixture
def shell(ipython):
    """IPython, as a notebook's kernel has it, in this process."""
    ipython.reset()
    return ipython


@pytest.fixture(scope="session")
def parameters_of():
    """The cell of a page's parameters, and the one after it, which checks them."""

    def cells(path):
        cells = nbformat.read(path, 4).cells
        (place,) = (k for k, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", ()))
        return cells[place], cells[place + 1]

    return cells


@pytest.fixture
def papermill(tmp_path, monkeypatch):
    """Papermill's command, in this process: `papermill("01_method", "profile=smoke")` gives the notebook that was run.

    Kernels are forked as those of the book's builds are, from a server that has done the slow imports.
    """
    monkeypatch.chdir(BOOK)
    monkeypatch.syspath_prepend(BOOK / "_ext")
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")  # until the test ends
    import preloaded_kernels

    factory = KernelProvisionerFactory.instance()
    monkeypatch.setattr(factory, "default_provisioner_name", factory.default_provisioner_name)
    preloaded_kernels.setup(SimpleNamespace())

    def run(name, *parameters):
        out = tmp_path / "out.ipynb"
        words = [word for name_value in parameters for word in ("-p", *name_value.split("="))]
        command.main([f"{name}.ipynb", str(out), "--no-progress-bar", *words], standalone_mode=False)
        return out

    return run
