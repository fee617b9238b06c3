"""The modules of the library as a reader meets them."""

from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[1] / "lsnotebook"
LONGEST = 250
"""Lines: more than one idea needs."""


@pytest.mark.parametrize("module", sorted(LIBRARY.rglob("*.py")), ids=lambda path: str(path.relative_to(LIBRARY)))
def test_a_module_is_short_and_says_what_is_in_it(module):
    lines = module.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LONGEST
    assert not lines or lines[0].startswith('"""') or module.name == "__main__.py"
