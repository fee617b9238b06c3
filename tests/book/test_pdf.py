"""The PDF of a small book: its pages in order, a cover, contents that tell the right pages, links that stay inside."""

import hashlib
import importlib
import json
import shutil
from pathlib import Path

import pytest
import yaml
from chromium import chromium

CHROMIUM = chromium()

ROOT = Path(__file__).parents[2]
pytest.importorskip("pypdf")
SECTIONS = "".join(f'<section id="s{k}"><h2>Section {k} of NAME</h2>{"<p>Text.</p>" * 40}</section>' for k in range(3))
PAGES = {
    "welcome.md": '<a href="last.html">on</a> <a href="first.html#s2">there</a> <a href="genindex.html">index</a>',
    "last.ipynb": SECTIONS.replace("NAME", "the last"),
    "first.ipynb": """
<div class="tag_hide-input"><details class="above-input"><summary><p>Show</p></summary>folded code</details></div>
<div class="tag_solution"><details><summary><p>Show</p></summary>folded solution</details></div>
<div class="drawn">the static picture</div><script>document.querySelector(".drawn").remove()</script>
<table><tr>WIDE</tr></table>""".replace("WIDE", "<td>wwwwwwwwww</td>" * 30)
    + SECTIONS.replace("NAME", "the first"),
}


@pytest.fixture(scope="module")
def make_pdf():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "book")
        yield importlib.import_module("make_pdf")


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A book as if built."""
    book = tmp_path_factory.mktemp("project") / "book"
    html, made_from = book / "_build" / "html", {}
    shutil.copytree(ROOT / "book" / "_static", html / "_static")
    for path in ("book/_config.yml", "book/favicon.svg", "CITATION.cff"):
        shutil.copy(ROOT / path, book.parent / path)
    chapters = [{"file": Path(name).stem} for name in PAGES]
    toc = {"format": "jb-book", "root": chapters[0]["file"], "chapters": chapters[1:]}
    (book / "_toc.yml").write_text(yaml.safe_dump(toc))
    head = '<html data-theme="auto"><link rel="stylesheet" href="_static/print.css"><nav>Beside the page</nav>'
    for name, text in PAGES.items():
        (book / name).write_text(name)
        stem = Path(name).stem
        made_from[stem] = hashlib.sha256(name.encode()).hexdigest()
        title = f'<h1>The page {stem}<a class="headerlink" href="#top">#</a></h1>'
        page = f'{head}<article class="bd-article"><section id="top">{title}{text}</section></article>'
        (html / f"{stem}.html").write_text(page)
    (html / ".made_from.json").write_text(json.dumps({"pages": made_from}))
    return book


@pytest.fixture(scope="module")
def reader(make_pdf, book):
    if not CHROMIUM:
        pytest.skip("there is no Chromium on this machine")
    assert make_pdf.main(book) is None
    return importlib.import_module("pypdf").PdfReader(book / "_build" / "html" / make_pdf.NAME)


@pytest.fixture(scope="module")
def texts(reader):
    return [page.extract_text() for page in reader.pages]


def test_it_begins_with_a_cover_and_its_pages_are_in_order(texts):
    configuration = yaml.safe_load((ROOT / "book" / "_config.yml").read_text())
    assert configuration["title"].split()[-1] in texts[0] and "2407.04513" in texts[0]
    starts = [next(k for k, text in enumerate(texts) if f"The page {Path(name).stem}\n" in text[:40]) for name in PAGES]
    assert starts == sorted(starts) and starts[0] == 2
    assert not any("Beside the page" in text for text in texts)


def test_contents_and_bookmarks_tell_the_pages(reader, texts):
    lines = [line.rsplit(" ", 1) for line in texts[1].splitlines() if line[0] in "TS"]
    assert [title for title, _ in lines] == [
        f"The page {Path(name).stem}" if k < 0 else f"Section {k} of the {Path(name).stem}"
        for name in PAGES
        for k in range(-1, 3 if name.endswith(".ipynb") else 0)
    ]
    assert len({number for _, number in lines}) > 4
    for title, number in lines:
        assert title in texts[int(number) - 1] and texts[int(number) - 1].split()[0] == number, "as on the page itself"
    marks = [mark for entry in reader.outline for mark in (entry if isinstance(entry, list) else [entry])]
    assert [(mark.title, reader.get_destination_page_number(mark) + 1) for mark in marks] == [
        (title, int(number)) for title, number in lines
    ]


def test_links_between_pages_lead_to_pages_of_paper(reader, texts):
    links = [link.get_object() for link in reader.pages[2]["/Annots"]]
    assert [link.get("/Dest") for link in links] == ["/last", "/first--s2"]
    place = reader.get_destination_page_number(reader.named_destinations["/first--s2"])
    assert "Section 2 of the first" in texts[place]


def test_what_is_folded_and_what_runs_on_the_screen(texts):
    whole = "\n".join(texts)
    assert "folded code" not in whole and "Show" not in whole
    assert "folded solution" in whole and "Solution" in whole and "the static picture" in whole


def test_a_wide_table_fits_the_page_and_leaves_the_text_its_size(reader, texts):
    """Chromium makes the whole book smaller where one table is too wide."""
    sizes = set()
    (page,) = [page for page, text in zip(reader.pages, texts, strict=True) if "wwwww" in text]
    page.extract_text(visitor_text=lambda text, user, at, _, size: "Text" in text and sizes.add(user[0] * at[0] * size))
    assert max(sizes) == pytest.approx(12.5 * 0.75, rel=0.01)  # print.css has pixels, a PDF points


def test_the_built_pages_offer_it(book, reader, make_pdf):
    assert f'pdf = "{make_pdf.NAME}"' in (book / "_build" / "html" / "_static" / "whole_book.js").read_text()
    assert 'pdf = ""' in (ROOT / "book" / "_static" / "whole_book.js").read_text()


def test_what_is_missing_is_said_in_a_sentence(make_pdf, book, tmp_path, monkeypatch):
    shutil.copytree(book, tmp_path / "book")
    (tmp_path / "book" / "_build" / "html" / "first.html").unlink()
    monkeypatch.setattr(make_pdf.shutil, "which", lambda name: "/a/chromium")
    assert make_pdf.main(tmp_path / "book") == "The page first was not built: book/_build/html/first.html is missing."
    monkeypatch.setattr(make_pdf.shutil, "which", lambda name: None)
    assert make_pdf.main(book).startswith("The PDF is printed by Chromium, which this machine lacks")
