"""A button at the top of every page that leads to the BibTeX entries."""

from sphinx.application import Sphinx


def add(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    if "header_buttons" in context and "cite" in app.env.found_docs:
        address = context["pathto"]("cite")
        button = {"type": "javascript", "javascript": f"location.assign('{address}')", "label": "cite-button"}
        context["header_buttons"].append(
            {**button, "icon": "fas fa-quote-right", "tooltip": "Cite this book, or the paper"}
        )


def setup(app: Sphinx) -> dict:
    app.connect("html-page-context", add, priority=502)  # after the theme's own buttons
    return {"parallel_read_safe": True, "parallel_write_safe": True}
