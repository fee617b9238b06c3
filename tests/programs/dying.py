"""A Sphinx extension: the build dies when it begins to write pages, where a file `die` asks for it."""

import os
from pathlib import Path

from sphinx.application import Sphinx


def die(app: Sphinx, *_: object) -> None:
    if (Path(app.srcdir) / "die").exists():
        os._exit(9)


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", die)
