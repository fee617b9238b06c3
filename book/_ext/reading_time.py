"""How long a notebook's page takes to read, below its opening paragraph: by MyST's count of its words."""

from docutils import nodes
from sphinx.application import Sphinx


def add(app: Sphinx, doctree: nodes.document, page: str) -> None:
    opening = next(doctree.findall(nodes.paragraph), None)
    if opening is None or not app.env.doc2path(page).endswith(".ipynb"):
        return
    minutes = max(1, app.env.metadata[page]["wordcount"]["minutes"])
    said = f"{minutes} {'minute' if minutes == 1 else 'minutes'} to read"
    opening.parent.insert(opening.parent.index(opening) + 1, nodes.paragraph("", said, classes=["reading-time"]))


def setup(app: Sphinx) -> dict:
    app.connect("doctree-resolved", add)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
