"""Each page describes itself to search engines and link previews: by its first paragraph, without citations."""

import html
import re
import textwrap

from docutils import nodes
from sphinx.application import Sphinx

CITATION = re.compile(r"\s*\[[^]]*\d{4}\w?\]")


def describe(app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    first = doctree and next(doctree.findall(nodes.paragraph), None)
    if first:
        text = textwrap.shorten(CITATION.sub("", first.astext()), 300, placeholder=" …")
        context["metatags"] += f'\n<meta name="description" content="{html.escape(text)}">'


def setup(app: Sphinx) -> dict:
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
