"""Links between pages in what a notebook shows: `<a href="05_merging.ipynb">` opens the notebook in Jupyter, and in the
book the page that was made from it, wherever the builder has put that (05_merging.html, ../05_merging/).
"""

import re

from docutils import nodes
from sphinx.application import Sphinx

LINK = re.compile(r'(?<=href=")([^":#]+)\.ipynb(?=["#])')


def resolve(app: Sphinx, doctree: nodes.document, page: str) -> None:
    def target(link: re.Match) -> str:
        known = link[1] in app.env.found_docs
        return app.builder.get_relative_uri(page, link[1]) if known else link[0]

    for node in doctree.findall(nodes.raw):
        if node["format"] == "html" and app.builder.format == "html":
            node.children = [nodes.Text(LINK.sub(target, node.astext()))]


def setup(app: Sphinx) -> dict:
    app.connect("doctree-resolved", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
