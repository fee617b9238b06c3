"""What is folded says what it is: "Parameters", "Figure code", rather than MyST-NB's "Show code cell source"."""

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

LABELS = {"parameters": "Parameters", "hide-output": "Output", "solution": "Solution"}
"""By the tag of a cell; any other cell that is folded shows a figure or a table."""


def label(app: Sphinx, doctree: nodes.document) -> None:
    for cell in doctree.findall(nodes.container):
        if cell.get("hide_mode"):
            tags, shown = cell["cell_metadata"].get("tags", ()), cell["cell_metadata"].get("mystnb", {})
            code = "Table code" if "table" in shown.get("figure", {}).get("classes", "") else "Figure code"
            cell["prompt_show"] = next((name for tag, name in LABELS.items() if tag in tags), code)


def open_fold(translator: HTML5Translator, node: HideCodeCellNode) -> None:
    """One label, open and closed, and no other one for screen readers."""
    translator.body.append(f'<details class="admonition hide {" ".join(node["classes"])}">\n')
    translator.body.append(f'<summary><p class="admonition-title">{node["prompt_show"]}</p></summary>\n')


def close_fold(translator: HTML5Translator, node: HideCodeCellNode) -> None:
    translator.body.append("</details>\n")


def setup(app: Sphinx) -> dict:
    app.add_node(HideCodeCellNode, override=True, html=(open_fold, close_fold))
    app.connect("doctree-read", label)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
