"""Read the pages, and so run their notebooks, side by side: one process a core. Jupyter Book has no option for it."""

import os

from joblib import cpu_count
from sphinx.application import Sphinx


def allow(app: Sphinx) -> None:
    """Jupyter Book's own extensions that do not say whether they are safe for that are: none keeps state of a page."""
    for extension in app.extensions.values():
        if extension.parallel_read_safe is None:
            extension.parallel_read_safe = True


def setup(app: Sphinx) -> dict:
    app.parallel = cpu_count()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # kernels with a thread for every core would wait for one another
    app.connect("builder-inited", allow)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
