"""The built book in a real browser: every page, desktop and phone, light and dark, with no other host to reach."""

import functools
import http.server
import re
import threading
from pathlib import Path

import pytest
import yaml
from chromium import chromium

CHROMIUM = chromium()

BOOK = Path(__file__).parents[2] / "book"
HTML = BOOK / "_build" / "html"
TOC = yaml.safe_load((BOOK / "_toc.yml").read_text())
CHAPTERS = [page for chapter in TOC["chapters"] for page in (chapter, *chapter.get("sections", ()))]
PAGES = [TOC["root"], *(page["file"] for page in CHAPTERS)]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (HTML / "index.html").exists(), reason="the book is not built: make book"),
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine"),
]

# What reaches out of the article, with its own width; what lies in a box that scrolls by itself may.
TOO_WIDE = """() => {
  const scrolls = (e) => e && (/auto|scroll|hidden/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  return [...document.querySelectorAll('article.bd-article *')]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e.parentElement))
    .map(e => `${e.tagName}.${e.getAttribute('class')}: ${Math.round(e.getBoundingClientRect().right)}`);
}"""

# Text of a figure that is cut off at its left or right edge, such as the last entry of a legend.
CUT = """() => [...document.querySelectorAll('svg.themed')].flatMap(figure => {
  const frame = figure.getBoundingClientRect();
  return [...figure.querySelectorAll('text')].filter(text => !text.closest('[clip-path]')).filter(text => {
    const box = text.getBoundingClientRect();
    return box.width && (box.left < frame.left - 3 || box.right > frame.right + 3);
  }).map(text => `${text.textContent.trim()} of: ${figure.getAttribute('aria-label')}`);
})"""

# The contrast (WCAG) of the text of captions, tables and figures against what is really behind it.
FAINT = """() => {
  const parse = (c) => (c.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, w, i) => {
    const v = c[i] / 255; return sum + w * (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); }, 0);
  const behind = (e) => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0.5) return c; }
    return [255, 255, 255]; };
  return [...document.querySelectorAll('figcaption, .caption-text, table.dataframe :is(td, th), svg.themed, .made')]
    .filter(e => e.getClientRects().length)
    .map(e => { const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
                return [(a + 0.05) / (b + 0.05), e]; })
    .filter(([ratio]) => ratio < 4.5)
    .map(([ratio, e]) => `${e.tagName}.${e.getAttribute('class')}: ${ratio.toFixed(1)}`);
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=HTML)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def violations(page):
    """What axe-core finds serious in an article. The list of references is docutils' own."""
    from axe_playwright_python.sync_playwright import Axe

    context = {"include": ["article.bd-article"], "exclude": [".citation-list"]}
    found = Axe().run(page, context=context, options={"preload": False})  # it would fetch the style sheets again
    serious = [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in serious]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_page_opens_cleanly(site, browser, name, width, theme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    page, wrong = context.new_page(), []

    def local(url):
        return url.startswith((site, "data:", "blob:"))

    page.on("request", lambda request: local(request.url) or wrong.append(f"asked of another host: {request.url}"))
    page.on("requestfailed", lambda request: wrong.append(f"failed: {request.url}"))
    page.on("response", lambda answer: answer.status >= 400 and wrong.append(f"{answer.status}: {answer.url}"))
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("console", lambda message: message.type == "error" and wrong.append(f"console: {message.text}"))
    page.goto(f"{site}/{name}.html")
    page.wait_for_load_state("load")

    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.evaluate(TOO_WIDE)
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate(FAINT) == []
    assert page.evaluate(CUT) == []
    if width == 1280:
        assert violations(page) == []
    assert wrong == []
    context.close()


def test_the_explorer_runs_from_a_file(browser):
    """The published book opens from a USB stick."""
    page, wrong = browser.new_page(), []
    page.on("request", lambda request: request.url.startswith(("file:", "data:", "blob:")) or wrong.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto((HTML / "07_explorer.html").as_uri())
    page.wait_for_selector(".lx-total strong")
    page.click(".lx-do-reverse")
    page.wait_for_function("document.querySelectorAll('.lx-mean').length == 4")
    vit, shuffled = (float(text[:-2]) for text in page.locator(".lx-total strong").all_inner_texts())
    assert vit < shuffled, "reversed, LayerShuffle is the better one"
    assert wrong == []
    page.close()


def test_the_first_page_begins_with_the_result(browser):
    """Result, price, reason, figure, explorer, counts and table in this order; the first four on one screen."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((HTML / "intro.html").as_uri())
    page.wait_for_selector(".lx-total strong")
    sentences = [f"p.themed:has-text('{word}.')" for word in ("Result", "Price", "Reason")]
    parts = [*sentences, "svg.themed", ".lx-page", "p.themed:has-text('claims')", "svg.bar"]
    boxes = [page.locator(f"article.bd-article {part}").first.bounding_box() for part in parts]
    tops = [box["y"] for box in boxes]
    assert tops == sorted(tops) and tops[3] + boxes[3]["height"] < 900
    vit, shuffled = (float(text[:-2]) for text in page.locator(".lx-total strong").all_inner_texts())
    assert vit < shuffled, "it opens in an order that shows the result"
    link = page.locator("article.bd-article table:has(svg.bar) a").first.get_attribute("href")
    assert link == "02_execution_order.html#figure-table-1"
    page.goto((HTML / link.partition("#")[0]).as_uri())
    assert page.locator(f"#{link.partition('#')[2]}").count() == 1
    page.close()


def test_formulas_need_no_script(browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((HTML / "01_method.html").as_uri())
    assert page.locator("math[display=block]").count() >= 3
    assert "&" not in "".join(page.locator("math").all_text_contents()), "an environment was not understood"
    assert page.locator("math mo", has_text="′").count() and not page.locator("msup", has_text="′").count()
    context.close()


def test_formulas_are_set_in_the_books_own_font(browser):
    """It has the mathematics that the fonts of a machine may lack."""
    page = browser.new_page()
    page.goto((HTML / "01_method.html").as_uri())
    page.evaluate("document.fonts.ready")
    tools = page.context.new_cdp_session(page)
    for name in ("DOM", "CSS"):
        tools.send(f"{name}.enable")
    root = tools.send("DOM.getDocument")["root"]["nodeId"]
    symbols = tools.send("DOM.querySelectorAll", {"nodeId": root, "selector": "math :is(mi, mo, mn)"})["nodeIds"]
    used = [tools.send("CSS.getPlatformFontsForNode", {"nodeId": symbol})["fonts"] for symbol in symbols]
    assert {(font["familyName"], font["isCustomFont"]) for fonts in used for font in fonts} == {("STIX Two Math", True)}
    page.close()


@pytest.fixture(scope="module")
def without_scripts(browser):
    """A page as it is without JavaScript, at desktop width; pages are opened in it one after another."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def test_every_page_describes_itself_in_its_own_words(without_scripts):
    said = []
    for name in PAGES:
        without_scripts.goto((HTML / f"{name}.html").as_uri())
        described = without_scripts.locator("head meta[name=description]")
        assert described.count() == 1, name
        said.append(described.get_attribute("content"))
        assert 20 < len(said[-1]) <= 300 and "et al., 20" not in said[-1], said[-1]
    assert len(set(said)) == len(said)
    assert said[0].startswith("This book rebuilds the paper"), "not the caption of its first figure"


@pytest.mark.parametrize("name", PAGES)
def test_page_is_set_with_care(without_scripts, name):
    """What is folded says what it is; chance is named; data are called after their figure; code shows whole lines."""
    page = without_scripts
    page.goto((HTML / f"{name}.html").as_uri())
    folded = page.locator("div.cell details.hide > summary")
    assert {text.strip() for text in folded.all_inner_texts()} <= {
        "Parameters", "Figure code", "Table code", "Output", "Solution",
    }  # fmt: skip
    for figure in page.locator("svg.themed", has_text="top-1 accuracy").all():
        assert "chance" in figure.text_content(), figure.get_attribute("aria-label")
    for figure in page.locator("figure:has(.caption-number):has(a[download$='.csv'])").all():
        kind, number = figure.locator(".caption-number").first.text_content().split()
        called = figure.locator("a[download$='.csv']").first.get_attribute("download")
        assert called.startswith(f"{kind.strip('.').lower()}{number.zfill(2)}-")
    called = [link.get_attribute("download") for link in page.locator("a[download$='.csv']").all()]
    assert len(set(called)) == len(called) and "data.csv" not in called
    for label in page.locator(".citation > .label").all_inner_texts():
        assert re.fullmatch(r"\[.+, \d{4}\w?\]", label)
    cells = page.locator("table.dataframe td").all_text_contents()
    assert not [text for text in cells if re.search(r"(^|[\s[])-\d", text)], "a hyphen is no minus sign"
    prose = page.locator("article.bd-article :is(p, li, figcaption, td, th)").all_text_contents()
    assert not [text for text in prose if re.search(r"\d%", text)]


@pytest.mark.parametrize("name", PAGES)
def test_what_is_wider_than_its_box_shows_it(browser, name):
    """Code goes on in a line of its own; beside a table that goes on lies a shadow, which its cells do not hide."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((HTML / f"{name}.html").as_uri())
    page.evaluate("document.querySelectorAll('div.cell details').forEach(one => { one.open = true; })")
    assert (
        page.evaluate("""() => [...document.querySelectorAll('article.bd-article div.highlight pre')]
        .filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent.slice(0, 80))""")
        == []
    )
    page.set_viewport_size({"width": 390, "height": 900})
    assert (
        page.evaluate("""() => [...document.querySelectorAll('article.bd-article table')]
        .filter(table => table.getClientRects().length).map(table => [table, table.parentElement])
        .filter(([_, box]) => box.scrollWidth > box.clientWidth)
        .filter(([table, box]) => !getComputedStyle(box).backgroundImage.includes('gradient')
            || [...table.querySelectorAll('tr, th, td')]
                .some(e => getComputedStyle(e).backgroundColor !== 'rgba(0, 0, 0, 0)'))
        .map(([table]) => table.textContent.trim().slice(0, 80))""")
        == []
    )
    page.close()


def test_how_a_figure_was_made_is_folded_below_it(without_scripts):
    without_scripts.goto((HTML / "03_pruning.html").as_uri())
    made = without_scripts.locator(".made details").first
    assert "papermill 03_pruning.ipynb" in made.text_content() and "papermill" not in made.inner_text()
    made.locator("summary").click()
    assert "papermill 03_pruning.ipynb" in made.inner_text()


def test_a_button_on_every_page_leads_to_entries_that_can_be_copied(site, browser):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{site}/exercises.html")
    page.click(".btn-cite-button")
    page.wait_for_url("**/cite.html")
    assert [entry.count("@") for entry in page.locator("div.highlight pre").all_inner_texts()] == [1, 1]
    for place, begins in enumerate(("@article{freiberger2024layershuffle,", "@software{lsnotebook,")):
        page.locator("div.highlight").nth(place).hover()
        page.locator("button.copybtn").nth(place).click()
        page.wait_for_function("begins => navigator.clipboard.readText().then(t => t.startsWith(begins))", arg=begins)
    context.close()


@pytest.mark.skipif(not (HTML / "lsnotebook.pdf").exists(), reason="the PDF is not made: make pdf")
def test_the_pdf_is_offered_where_it_was_made(site, browser):
    page = browser.new_page()
    page.goto(f"{site}/exercises.html")
    page.click(".dropdown-download-buttons button")
    with page.expect_download() as download:
        page.click("text=The whole book")
    assert Path(download.value.path()).read_bytes() == (HTML / "lsnotebook.pdf").read_bytes()
    page.close()
