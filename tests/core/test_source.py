"""Which changes of the code count as changes: what it computes, not how it is worded."""

import importlib
import sys

import pytest

from lsnotebook.core.source import code_version, imported_modules

SOURCES = {
    "loop": '''"""Trains."""

import logging
from typing import TYPE_CHECKING

from coded.rates import rate

if TYPE_CHECKING:
    from coded.pages import Page

log = logging.getLogger(__name__)


def fit(steps, page=None):
    """Old."""
    if steps < 1:
        raise ValueError(f"{steps} is too few.")
    log.info("%d steps", steps)
    return [rate(step) for step in range(steps)]
''',
    "rates": '''"""Rates."""

from . import constants


class Rate:
    """What a step takes."""

    warmup: float = 0.1


def rate(step):
    return constants.PEAK * step + 1
''',
    "constants": "PEAK = 3\n",
    "pages": "class Page: ...\n",
}


@pytest.fixture
def version(tmp_path, monkeypatch):
    """Writes the package with some words replaced in one of its modules, and gives its version."""
    folder = tmp_path / "coded"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "coded"]:
        monkeypatch.delitem(sys.modules, name)  # of another test

    def write(module="loop", old="", new=""):
        assert old in SOURCES[module]
        for name, source in SOURCES.items():
            (folder / f"{name}.py").write_text(source.replace(old, new) if name == module and old else source)
        importlib.invalidate_caches()
        return code_version.__wrapped__("coded.loop")

    return write


WORDING = {
    "a docstring": ("loop", '"""Old."""', '"""New."""'),
    "no docstring": ("loop", '    """Old."""\n', ""),
    "the docstring of the module": ("rates", '"""Rates."""', '"""Rates, and more."""'),
    "a comment": ("loop", '"""Old."""', '"""Old."""\n\n    # why'),
    "layout": ("rates", "constants.PEAK * step + 1", "(\n        (constants.PEAK * step) + 1\n    )"),
    "an import": ("loop", "import logging\n", "import json\nimport logging\n"),
    "imports in another order": (
        "loop",
        "import logging\nfrom typing import TYPE_CHECKING\n\nfrom coded.rates import rate\n",
        "from coded.rates import rate\nfrom typing import TYPE_CHECKING\nimport logging\n",
    ),
    "a relative import": ("loop", "from coded.rates import rate", "from .rates import rate"),
    "an import in a function": ("loop", '    """Old."""\n', '    """Old."""\n    import json\n'),
    "annotations": ("loop", "fit(steps, page=None):", 'fit(steps: int, page: "Page | None" = None) -> list[float]:'),
    "another annotation": ("rates", "warmup: float", "warmup: int | float"),
    "the message of an error": ("loop", 'f"{steps} is too few."', '"Take more steps than {}.".format(steps)'),
    "the cause of an error": ("loop", 'is too few.")', 'is too few.") from None'),
    "a line for the log": ("loop", '"%d steps", steps', '"fitting"'),
    "no line for the log": ("loop", '    log.info("%d steps", steps)\n', ""),
    "a level of the log": ("loop", "log.info(", "log.warning("),
    "nothing for type checking": ("loop", "if TYPE_CHECKING:\n    from coded.pages import Page\n", ""),
    "more for type checking": ("loop", "import Page\n", "import Page\n    from coded.absent import Nothing\n"),
    "a module imported for type checking": ("pages", "class Page: ...", "class Page:\n    size = 3"),
}


@pytest.mark.parametrize("change", WORDING.values(), ids=WORDING)
def test_wording_is_no_change_of_code(version, change):
    assert version(*change) == version()


CHANGES = {
    "a constant": ("loop", "steps < 1", "steps < 2"),
    "an operator": ("loop", "steps < 1", "steps <= 1"),
    "a default": ("loop", "page=None", "page=0"),
    "a statement more": ("loop", "    return [", "    steps += 1\n    return ["),
    "a statement less": ("loop", '    if steps < 1:\n        raise ValueError(f"{steps} is too few.")\n', ""),
    "the kind of an error": ("loop", "raise ValueError(", "raise TypeError("),
    "an expression that is called": ("loop", '    log.info("%d steps", steps)\n', "    print(steps)\n"),
    "in an imported module": ("rates", "step + 1", "step + 2"),
    "a field's default in an imported module": ("rates", "warmup: float = 0.1", "warmup: float = 0.2"),
    "a decorator": ("rates", "def rate", "@staticmethod\ndef rate"),
    "in a module that is imported indirectly": ("constants", "PEAK = 3", "PEAK = 4"),
    "a module more": ("constants", "PEAK = 3", "import coded.pages\n\nPEAK = 3"),
    "a module more, in a function": ("rates", "    return ", "    from coded import pages\n\n    return "),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_computed_is_code(version, change):
    assert version(*change) != version()
    assert version() == version()


def test_imports_are_followed_within_the_package_but_not_those_for_type_checking(version):
    version()
    assert set(imported_modules("coded.loop")) == {"coded.loop", "coded.rates", "coded.constants"}
    assert set(imported_modules("coded.constants", "coded.pages")) == {"coded.constants", "coded.pages"}


def test_a_process_keeps_to_the_code_that_it_began_with():
    assert code_version("lsnotebook.core.orders") is code_version("lsnotebook.core.orders")
    assert code_version("lsnotebook.core.orders") != code_version("lsnotebook.core.draws")
