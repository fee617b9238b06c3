"""Each page describes itself to search engines and link previews: by its first paragraph, without citations.

The caption of a figure that another page made is a paragraph too, in italics: it does not describe a page. Nor are
the italics that a chapter begins with, right below its title, a caption.
"""

import html
import re
import textwrap

from docutils import nodes
from sphinx.application import Sphinx

CITATION = re.compile(r"\s*\[[^]]*\d{4}\w?\]")


def caption(paragraph: nodes.paragraph) -> bool:
    """Whether a paragraph is all in italics, and stands elsewhere than below the title."""
    above = paragraph.parent[paragraph.parent.index(paragraph) - 1]
    return len(paragraph) == 1 and isinstance(paragraph[0], nodes.emphasis) and not isinstance(above, nodes.title)


def describe(app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    paragraphs = doctree.findall(nodes.paragraph) if doctree else ()
    first = next((paragraph for paragraph in paragraphs if not caption(paragraph)), None)
    if first:
        text = textwrap.shorten(CITATION.sub("", first.astext()), 300, placeholder=" …")
        context["metatags"] += f'\n<meta name="description" content="{html.escape(text)}">'


def setup(app: Sphinx) -> dict:
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
