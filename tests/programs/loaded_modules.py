"""Calls the command line with the words of this program's own, or imports the library where there are none, and then
prints the packages that were loaded."""

import contextlib
import io
import sys

import lsnotebook

if words := sys.argv[1:]:
    from lsnotebook.cli import main

    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        main(words, standalone_mode=False)
    assert shown.getvalue().startswith("Usage: "), shown.getvalue()
else:
    assert lsnotebook.__version__
print(*sorted({name.partition(".")[0] for name in sys.modules}), sep="\n")
