"""Tell the notebooks that they are run for a page: the explorer then computes in the reader's browser."""

import os

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict:
    os.environ["LSNOTEBOOK_PAGE"] = "yes"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
