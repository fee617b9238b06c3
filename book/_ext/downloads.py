"""The data of a figure are saved under its name: `fig08-pruning.csv`, `table06-pruning.csv`.

What has no number (one of several of a cell, what is shown again on another page) is named after its page.
"""

from itertools import count

from docutils import nodes
from sphinx.application import Sphinx

NAMELESS = 'download="data.csv"'
KINDS = {"figure": "fig", "table": "table"}


def name(app: Sphinx, doctree: nodes.document, page: str) -> None:
    others = (f"{page}-{number}" for number in count(1))
    for node in doctree.findall(nodes.raw):
        if NAMELESS in node.astext():
            called = name_around(node, app.env.toc_fignumbers.get(page, {})) or next(others)
            node.children = [nodes.Text(node.astext().replace(NAMELESS, f'download="{called}.csv"'))]


def name_around(node: nodes.Element | None, numbers: dict[str, dict[str, tuple[int, ...]]]) -> str:
    """Of the numbered figure that a node stands in, or nothing."""
    while node := node.parent:
        for kind, short in KINDS.items():
            for anchor in node["ids"]:
                if number := numbers.get(kind, {}).get(anchor):
                    title = next(iter(node["names"]), anchor).removeprefix(f"{kind}-")
                    return f"{short}{'-'.join(f'{part:02}' for part in number)}-{title}"
    return ""


def setup(app: Sphinx) -> dict:
    app.connect("doctree-resolved", name)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
