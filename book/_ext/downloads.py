"""The data of a figure are saved under its name: `fig08-pruning.csv`, `table08-pruning.csv`.

What has no number of its own (pictures on other pages than their own, several of one cell) is named after its page.
"""

from itertools import count

from docutils import nodes
from sphinx.application import Sphinx

NAMELESS = 'download="data.csv"'
KINDS = {"figure": "fig", "table": "table"}


def name(app: Sphinx, doctree: nodes.document, page: str) -> None:
    numbers = app.env.toc_fignumbers.get(page, {})
    names = {
        anchor: f"{short}{'-'.join(f'{part:02}' for part in numbers[kind][anchor])}-{anchor.removeprefix(f'{kind}-')}"
        for kind, short in KINDS.items()
        for anchor in numbers.get(kind, ())
    }
    others = (f"{page}-{number}" for number in count(1))
    for node in doctree.findall(nodes.raw):
        if NAMELESS in node.astext():
            figures = (anchor for anchor in anchors_around(node) if anchor in names)
            called = names.get(next(figures, ""), None) or next(others)
            node.children = [nodes.Text(node.astext().replace(NAMELESS, f'download="{called}.csv"'))]


def anchors_around(node: nodes.Node) -> list[str]:
    return [] if node.parent is None else [*node.parent.get("ids", ()), *anchors_around(node.parent)]


def setup(app: Sphinx) -> dict:
    app.connect("doctree-resolved", name)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
