"""Number a notebook's output as a table where its cell's figure metadata has the class `table`.

MyST-NB wraps the output of a cell in a figure with a caption, whatever it shows; a table should be called one.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


class table_figure(nodes.figure):
    """A figure that holds a table, numbered with the tables."""


class NumberAsTable(SphinxTransform):
    default_priority = 400

    def apply(self) -> None:
        for figure in list(self.document.findall(nodes.figure)):
            if "table" in figure["classes"]:
                figure["classes"][figure["classes"].index("table")] = "table-figure"
                table = table_figure("", *figure.children, **figure.attributes)
                figure.replace_self(table)
                self.document.ids.update(dict.fromkeys(table["ids"], table))  # references look the node up here


def setup(app: Sphinx) -> dict:
    from sphinx.writers.html5 import HTML5Translator

    app.add_enumerable_node(table_figure, "table", html=(HTML5Translator.visit_figure, HTML5Translator.depart_figure))
    app.add_transform(NumberAsTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
