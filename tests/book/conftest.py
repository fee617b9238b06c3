"""What the tests of pages share."""

import sys

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
