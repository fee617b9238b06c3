"""The whole book as one PDF: Chromium prints the built pages in the order of _toc.yml, after a cover and the contents.

Run after a build, by `make pdf`. The pages are joined to one document, so that links between them lead to pages of
paper and the headings become bookmarks. They are read without JavaScript: then the explorer is its static picture. How
they look on paper is said in _static/print.css.
"""

import html
import logging
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml
from check_pages import complaint, pages
from chromium import chromium
from playwright.sync_api import Browser, sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import Fit

NAME = "lsnotebook.pdf"
WIDTH = 658
"""Of the text on A4 between the margins of print.css, in CSS pixels."""
Entry = tuple[int, str, str]
"""Of the contents: its depth, what it links to, and its title."""

# An article as a part of a larger document: its ids begin with its page's name, and links to other pages stay inside.
TAKE_OUT = """([page, pages]) => {
  const article = document.querySelector("article.bd-article"), text = (e) => e.textContent.trim();
  article.querySelectorAll("script, .headerlink").forEach((e) => e.remove());
  for (const e of article.querySelectorAll("img[src]")) e.src = e.src;
  for (const e of article.querySelectorAll("*")) {
    for (const { name, value } of [...e.attributes]) {
      if (name === "id") e.id = `${page}--${value}`;
      else if (/href$/.test(name) && value.startsWith("#")) e.setAttribute(name, `#${page}--${value.slice(1)}`);
      else if (value.includes("url(#")) e.setAttribute(name, value.replaceAll("url(#", `url(#${page}--`));
    }
  }
  for (const e of article.querySelectorAll("a[href]:not([href^='#'])")) {
    const [, there, place] = e.getAttribute("href").match(/^(?:\\.\\/)?([^#:]*)\\.html(?:#(.*))?$/) || [];
    if (pages.includes(there)) e.setAttribute("href", place ? `#${there}--${place}` : `#${there}`);
    else if (!/^(https?|mailto):/.test(e.getAttribute("href"))) e.removeAttribute("href");
  }
  const sections = [...article.querySelectorAll("section > h2")].map((e) => [e.parentElement.id, text(e)]);
  const styles = [...document.querySelectorAll("link[rel=stylesheet]")].map((e) => e.href);
  return { title: text(article.querySelector("h1")), sections, styles, text: article.innerHTML };
}"""
# What is wider than the paper is made smaller.
FIT = """() => document.querySelectorAll(".page table, .page math[display=block]").forEach((e) => {
  const room = e.closest(".page").clientWidth;
  if (e.offsetWidth > room) e.style.zoom = room / e.offsetWidth;
})"""


def contents(entries: Iterable[Entry], numbers: Mapping[str, int]) -> str:
    lines = (
        f'<li class="depth-{depth}"><a href="#{html.escape(target)}"><span>{html.escape(title)}</span> '
        f"<span>{numbers.get(target, 0)}</span></a></li>"
        for depth, target, title in entries
    )
    return f'<nav class="book-contents"><h1>Contents</h1><ul>{"".join(lines)}</ul></nav>'


def cover(book: Path) -> str:
    """From the configuration of the book and CITATION.cff."""
    configuration = yaml.safe_load((book / "_config.yml").read_text(encoding="utf-8"))
    citation = yaml.safe_load((book.parent / "CITATION.cff").read_text(encoding="utf-8"))
    (paper,) = citation["references"]
    authors = ", ".join(f"{author['given-names']} {author['family-names']}" for author in paper["authors"])
    lines = (
        f"The reproducible companion of <em>{paper['title']}</em> by {authors} ({paper['year']}, {paper['url']})",
        configuration["author"],
        f"Version {citation['version']} · {citation['license']} licence · {citation['repository-code']}",
    )
    picture = (book / "favicon.svg").read_text(encoding="utf-8")
    text = "".join(f"<p>{line}</p>" for line in lines)
    return f'<header class="cover">{picture}<p class="title">{configuration["title"]}</p>{text}</header>'


def page_numbers(path: Path) -> dict[str, int]:
    """The page of paper of everything that something links to."""
    reader, places = PdfReader(path), {}
    for name, place in reader.named_destinations.items():
        places[name.removeprefix("/")] = reader.get_destination_page_number(place) + 1
    return places


def bookmark(path: Path, entries: Iterable[Entry], numbers: Mapping[str, int]) -> None:
    """Chromium's own bookmarks repeat a title that begins a page, and join the words around a break of its line."""
    writer, chapter = PdfWriter(clone_from=path), None
    for depth, target, title in entries:
        parent = chapter if depth > 1 else None
        item = writer.add_outline_item(title=title, page_number=numbers[target] - 1, parent=parent, fit=Fit.xyz())
        chapter = item if depth == 1 else chapter
    writer.write(path)


def print_book(book: Path, browser: Browser, path: Path) -> None:
    """Print the book to `path`, again until its contents tell the right pages."""
    built, names = book / "_build" / "html", pages(yaml.safe_load((book / "_toc.yml").read_text(encoding="utf-8")))
    paper = browser.new_context(java_script_enabled=False, viewport={"width": WIDTH, "height": 900}).new_page()
    paper.emulate_media(media="print", color_scheme="light")
    taken, entries = {}, []
    for name in names:
        paper.goto((built / f"{name}.html").as_uri())
        taken[name] = page = paper.evaluate(TAKE_OUT, [name, names])
        entries.append((1, name, page["title"]))
        if (book / f"{name}.ipynb").exists():  # a chapter
            entries += [(2, place, title) for place, title in page["sections"]]
    styles = "".join(f'<link rel="stylesheet" href="{style}">' for style in page["styles"])
    body = "".join(
        f'<article class="page bd-article bd-content" id="{name}">{one["text"]}</article>'
        for name, one in taken.items()
    )
    title = yaml.safe_load((book / "_config.yml").read_text(encoding="utf-8"))["title"]
    head = f'<!doctype html><html lang="en" data-theme="light"><meta charset="utf-8"><title>{title}</title>{styles}'
    source, numbers, before = path.with_suffix(".html"), {}, None
    while numbers != before:
        source.write_text(f"{head}<body>{cover(book)}{contents(entries, numbers)}{body}", encoding="utf-8")
        paper.goto(source.as_uri())
        paper.evaluate(FIT)
        paper.pdf(path=path, format="A4", print_background=True, tagged=True)
        numbers, before = page_numbers(path), numbers
    bookmark(path, entries, numbers)


def offer(built: Path) -> None:
    """Let the built pages offer the PDF; a later build that changes a page takes the offer back."""
    script = built / "_static" / "whole_book.js"
    script.write_text(re.sub(r'pdf = ".*"', f'pdf = "{NAME}"', script.read_text(encoding="utf-8")), encoding="utf-8")


def main(book: Path) -> str | None:
    """Make the PDF of a built book, or say what is missing."""
    if (path := chromium()) is None:
        return "The PDF is printed by Chromium, which this machine lacks: install it (Debian: apt install chromium)."
    if wrong := complaint(book):
        return wrong
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # Chromium counts the objects of a PDF otherwise than pypdf does
    folder, built = book / "_build" / "pdf", book / "_build" / "html"
    folder.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        print_book(book, browser, folder / NAME)
        browser.close()
    shutil.copy(folder / NAME, built)
    offer(built)
    print(f"The book as a PDF: {built / NAME}")
    return None


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent))
