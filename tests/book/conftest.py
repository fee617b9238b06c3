"""What the tests of pages share."""

import sys

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


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
