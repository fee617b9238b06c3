"""Check that the build made every page of _toc.yml. Run after it; exits 1 with a sentence where a page is missing.

Jupyter Book 2, for one, builds none of these pages and exits 0. What the pages were made from is in the record that a
build leaves which ended well (_ext/freshness.py).
"""

import hashlib
import json
import sys
from pathlib import Path

import yaml

RECORD = "_build/html/.made_from.json"
TRACEBACKS = ('class="output traceback', "Traceback (most recent call last)")


def pages(toc) -> list[str]:
    """The pages that a table of contents names, at any depth."""
    if isinstance(toc, list):
        return [page for entry in toc for page in pages(entry)]
    if not isinstance(toc, dict):
        return []
    here = [toc[key] for key in ("root", "file") if key in toc]
    return here + [page for value in toc.values() for page in pages(value)]


def complaint(book: Path) -> str | None:
    """What is wrong with the pages in `book/_build/html`, or nothing."""
    names, record = pages(yaml.safe_load((book / "_toc.yml").read_text(encoding="utf-8"))), book / RECORD
    made_from = json.loads(record.read_text())["pages"] if record.exists() else None
    for name in names:
        html = book / "_build" / "html" / f"{name}.html"
        sources = [path for path in (book / f"{name}.md", book / f"{name}.ipynb") if path.exists()]
        if not sources:
            return f"_toc.yml names the page {name}, but there is no {name}.md or {name}.ipynb in {book.name}/."
        if not html.exists():
            return f"The page {name} was not built: {html.relative_to(book.parent)} is missing."
        if made_from is None:
            return "The last build did not end well: it failed, or it warned of something. Mend that and build again."
        if made_from.get(name) not in [hashlib.sha256(path.read_bytes()).hexdigest() for path in sources]:
            return f"The page {name} was made from another source than {sources[0].name} as it is now: build again."
        if any(mark in html.read_text(encoding="utf-8") for mark in TRACEBACKS):
            return f"The page {name} holds a traceback: its notebook failed."
    return None if names else "_toc.yml names no page."


if __name__ == "__main__":
    sys.exit(complaint(Path(__file__).resolve().parent))
