"""The timeline: what is drawn of a run, and what a reader does with it in a real browser."""

import json
import re

import pandas as pd
import pytest
from chromium import chromium

from lsnotebook.swarm import figures, timeline
from lsnotebook.swarm.driver import Fault
from lsnotebook.swarm.hops import Block

CHROMIUM = chromium()
BLOCKS = (Block(0, 0), Block(0, 1), Block(0, 2))
ROWS = pd.DataFrame(
    [
        {"request": 0, "route": BLOCKS, "nodes": (0, 1, 2), "begun": (0, 1, 2), "ended": (1, 2, 3.5), "answered": 3.5},
        {"request": 1, "route": BLOCKS[:2], "nodes": (0, 1), "begun": (1, 3), "ended": (2, 40), "answered": 40.0},
    ]
)
FAULTS = [Fault(3.5, "kill", 2), Fault(0.0, "slow", 0, factor=10), Fault(99.0, "kill", 1)]


def test_hops_and_deaths_are_those_of_the_rows():
    assert timeline.hops(ROWS).to_numpy().tolist() == [
        [0, 0, 0, 1, 0], [1, 1, 1, 2, 0], [2, 2, 2, 3.5, 0], [0, 0, 1, 2, 1], [1, 1, 3, 40, 1],
    ]  # fmt: skip
    assert timeline.deaths(FAULTS, 40.0).to_numpy().tolist() == [[2, 3.5]], "who dies later is not of this run"


def test_the_picture_has_a_bar_for_each_hop_and_a_cross_for_each_death():
    figure = figures.timeline(ROWS, [0, 1, 2], FAULTS, 3, 40.0)
    (axes,) = figure.axes
    assert len(axes.patches) == 5 and [text.get_text() for text in axes.texts] == ["0", "0", "0", "1", "1"]
    assert [line.get_xydata().tolist() for line in axes.lines] == [[[3.5, 2]]]


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        pytest.skip("there is no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def show(browser, tmp_path):
    """Opens the player from a file: no server, and no request to anyone."""
    contexts, wrong = [], []

    def open_(**options):
        path = tmp_path / "page.html"
        body = timeline.player(ROWS, [0, 1, 2], FAULTS, 3, "made").data
        path.write_text(f'<!doctype html><html lang="en"><title>Run</title><meta charset="utf-8"><body>{body}')
        contexts.append(browser.new_context(**{"viewport": {"width": 900, "height": 700}, **options}))
        page = contexts[-1].new_page()
        page.on("request", lambda r: r.url.startswith(("file:", "data:")) or wrong.append(r.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
        page.goto(path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert wrong == []


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def now(page):
    return float(page.input_value(".sw-player input"))


@pytest.mark.slow
def test_a_reader_plays_pauses_and_steps(show):
    page = show()
    assert now(page) == 12 and "dead: 2" in page.inner_text(".sw-said"), "it begins with something to see"
    assert page.locator(".sw-picture rect").count() == 5 and page.locator(".sw-death").count() == 1
    button(page, "play").click()
    page.wait_for_function("document.querySelector('.sw-player input').value > 12.5")
    button(page, "pause").click()
    held = now(page)
    page.wait_for_timeout(200)
    assert now(page) == held and button(page, "play").count() == 1
    page.locator(".sw-player input").focus()
    page.keyboard.press("Home")
    for moment in (1, 2, 3, 3.5):
        page.keyboard.press("ArrowRight")
        assert now(page) == moment
    button(page, "step back").click()
    assert now(page) == 3
    said = page.inner_text(".sw-said")
    assert "node 1 runs layer 1 of request 1" in said and "dead: none" in said
    assert page.get_attribute(".sw-said", "aria-live") == "polite"
    assert page.get_attribute(".sw-player input", "aria-valuetext") == "3.0 hops"


@pytest.mark.slow
def test_who_asks_for_less_motion_sees_one_picture_a_hop(show):
    page = show(reduced_motion="reduce")
    button(page, "play").click()
    page.wait_for_function("document.querySelector('.sw-player input').value > 12")
    assert now(page) == int(now(page))


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"viewport": {"width": 360, "height": 700}, "color_scheme": "dark"}])
def test_it_fits_and_has_no_barriers(show, options):
    from axe_playwright_python.sync_playwright import Axe

    page = show(**options)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page, context={"include": [".themed"]}).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


@pytest.mark.slow
def test_on_a_phone_it_begins_at_the_beginning_and_cuts_no_bar_and_no_number(show):
    page = show(viewport={"width": 360, "height": 700})
    first = page.locator(".sw-picture rect").first
    at = float(first.get_attribute("x"))
    page.locator(".sw-player input").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert float(first.get_attribute("x")) == at, "the first hop was not yet pushed aside"
    page.keyboard.press("End")
    names = page.locator(".sw-picture > text").filter(has_text="node")
    edge = max(box["x"] + box["width"] for box in (name.bounding_box() for name in names.all()))
    bars = page.locator(".sw-picture rect")
    assert bars.count() and all(bar.bounding_box()["x"] > edge for bar in bars.all())


@pytest.mark.slow
def test_without_scripts_it_says_so(show):
    page = show(java_script_enabled=False)
    assert "takes JavaScript" in page.inner_text(".sw-player p")


def test_what_the_page_is_given_cannot_end_its_script():
    html = timeline.player(ROWS, ["</script>", 1, 2], FAULTS, 3).data
    (content,) = re.findall(r'<script type="application/json">(.*?)</script>', html)
    assert json.loads(content)["nodes"][0] == "</script>"
