"""Keep the pages free of scripts that they do not use.

Jupyter Book loads sphinx-thebe, whose script Sphinx writes into each page twice: an error in every reader's console.
"""

from sphinx.application import Sphinx


def leave_out_thebe(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    scripts = context.get("script_files", [])
    context["script_files"] = [
        script for script in scripts if "thebe" not in f"{script.filename} {script.attributes.get('body')}"
    ]


def setup(app: Sphinx) -> dict:
    app.connect("html-page-context", leave_out_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
