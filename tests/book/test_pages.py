"""The built book in a real browser: every page, desktop and phone, light and dark, with no other host to reach."""

import functools
import http.server
import shutil
import threading
from pathlib import Path

import pytest
import yaml

BOOK = Path(__file__).parents[2] / "book"
HTML = BOOK / "_build" / "html"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
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
    page.wait_for_function("document.querySelectorAll('.lx-history circle').length == 4")
    vit, shuffled = (float(text[:-2]) for text in page.locator(".lx-total strong").all_inner_texts())
    assert vit < shuffled, "reversed, LayerShuffle is the better one"
    assert wrong == []
    page.close()


def test_the_first_page_begins_with_the_result(browser):
    """Sentence, figure, explorer, counts and table, in this order, and the first two on the first screen."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((HTML / "intro.html").as_uri())
    page.wait_for_selector(".lx-total strong")
    parts = ["p.themed:has-text('arbitrary order')", "svg.themed", ".lx-page", "p.themed:has-text('claims')", "svg.bar"]
    boxes = [page.locator(f"article.bd-article {part}").first.bounding_box() for part in parts]
    tops = [box["y"] for box in boxes]
    assert tops == sorted(tops) and tops[1] + boxes[1]["height"] < 900
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
    context.close()
