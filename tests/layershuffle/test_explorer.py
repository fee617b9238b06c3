"""The explorer: what its script computes, and what a reader does with it, in a real browser."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
import torch
import traitlets
from chromium import chromium

from lsnotebook.core.draws import inversions
from lsnotebook.core.orders import OrderError
from lsnotebook.data.subsets import spread
from lsnotebook.engine import runs
from lsnotebook.engine.run import study
from lsnotebook.layershuffle import explorer
from lsnotebook.layershuffle.approaches import BASELINE, LAYERSHUFFLE
from lsnotebook.layershuffle.explorer import ExplorerError, LayerExplorer
from lsnotebook.layershuffle.explorer.answers import inside
from lsnotebook.layershuffle.profiles import SMOKE

CHROMIUM = chromium()

RUNS = [*study(SMOKE, [BASELINE], 2), *study(SMOKE, [LAYERSHUFFLE], 3)]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine"),
]


@pytest.fixture(autouse=True)
def on_a_page(trained, monkeypatch):
    monkeypatch.setenv("LSNOTEBOOK_PAGE", "1")


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def explorer_html(shared):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LSNOTEBOOK_DATA", str(shared))
        patch.setenv("LSNOTEBOOK_PAGE", "1")
        return LayerExplorer(runs=RUNS, images=100).html()


def halved(model):
    """The same model, its weights rounded to float16 as the page has them."""
    for weight in explorer.weights(model):
        weight.data = weight.data.half().to(weight.dtype)
    return model


HEAD = '<!doctype html><html lang="en"><title>Explorer</title><meta charset="utf-8"><body>'


@pytest.fixture
def show(browser, explorer_html, tmp_path):
    """Opens the explorer from a file, as from a USB stick: no server, and no request to anyone."""
    contexts, wrong = [], []

    def open_(html=None, address="", **options):
        path = tmp_path / "page.html"
        body = html or explorer_html
        path.write_text(f'{HEAD}{body}<p style="height: 100rem">The text goes on.</p>')
        context = browser.new_context(**{"viewport": {"width": 1000, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda r: r.url.startswith(("file:", "data:", "blob:")) or wrong.append(r.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
        page.goto(path.as_uri() + address)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert wrong == []


def order(page):
    return json.loads(page.input_value(".lx-order"))


def tiles(page):
    return [int(text) for text in page.locator(".lx-index").all_inner_texts()]


SETTLED = """() => {
  const last = [...document.querySelectorAll('.lx-mean')].at(-1);
  return last?.textContent.endsWith(document.querySelector('.lx-order').value) && !document.getAnimations().length
    && !document.querySelector('.lx-busy') && document.querySelectorAll('.lx-line').length;
}"""


def settled(page):
    """Wait until the accuracies of the newest order are there and no tile moves; the number of orders tried."""
    page.wait_for_function(SETTLED)
    return page.locator(".lx-mean").count() // 2


def test_javascript_and_pytorch_agree(browser, toy):
    sizes = {"hidden_size": 64, "num_hidden_layers": 12, "intermediate_size": 128, "initializer_range": 0.15}
    model = halved(toy(**sizes, layer_norm_eps=1e-12))
    images = torch.rand(50, 1, 8, 8, generator=torch.Generator().manual_seed(1)).mul(2).sub(1).half().float()
    rng = np.random.default_rng(0)
    orders = [tuple(rng.permutation(12).tolist()) for _ in range(40)]
    orders += [tuple(rng.permutation(12)[: rng.integers(1, 12)].tolist()) for _ in range(30)]
    orders += [tuple(rng.integers(0, 12, rng.integers(1, 20)).tolist()) for _ in range(30)]
    with torch.inference_mode():
        expected = torch.stack([model(images, order=order).logits for order in orders]).numpy()
    traced = [inside(model, images[:1], order) for order in orders]
    given = {
        "shape": explorer.shape(model),
        "weights": explorer.packed(explorer.weights(model)),
        "pixels": explorer.packed([images]),
        "orders": orders,
    }
    page = browser.new_page()
    page.add_script_tag(content=(explorer.FOLDER / "forward.js").read_text())
    got = page.evaluate(
        """given => { const V = vision(), decode = (one) => V.decode(one.text, one.checksum);
        const net = V.network(decode(given.weights), given.shape), pixels = decode(given.pixels);
        return given.orders.map(order => {
          const { logits, adds, lens } = V.run(net, net, pixels, 50, order);
          return { logits: Array.from(logits), adds, lens };
        }); }""",
        given,
    )
    page.close()
    logits = np.array([one["logits"] for one in got]).reshape(expected.shape)
    assert np.abs(logits - expected).max() <= 1e-4
    assert (logits.argmax(-1) == expected.argmax(-1)).all()
    for ours, theirs in zip(got, traced, strict=True):
        assert np.abs(np.array(ours["lens"]) - theirs["lens"]).max() <= 1e-4
        assert np.abs(np.array(ours["adds"]) - theirs["adds"]).max() <= 1e-4


def test_the_page_says_what_the_models_say(show):
    page = show()
    settled(page)
    page.fill(".lx-order", "[2, 0, 0, 3]")
    page.keyboard.press("Enter")
    settled(page)
    images, labels = zip(*spread(runs.splits_of(RUNS[0]).validation, 100), strict=True)
    images, labels = torch.stack(images), torch.tensor(labels)
    for which, group in enumerate((RUNS[:2], RUNS[2:])):
        logits = [halved(runs.load(run))(images, order=[2, 0, 0, 3]).logits for run in group]
        shares = [(each.argmax(-1) == labels).float().mean().item() for each in logits]
        total = page.locator(".lx-total").nth(which)
        assert total.locator("strong").inner_text() == f"{100 * np.mean(shares):.1f} %"
        told = ", ".join(f"{100 * share:.1f} %" for share in shares)
        assert total.locator(".lx-lane").get_attribute("aria-label") == f"each network, from 0 to 100 %: {told}"
        left = total.locator(".lx-dot").evaluate_all("dots => dots.map((dot) => parseFloat(dot.style.left))")
        assert left == pytest.approx([100 * share for share in shares], abs=1e-3)
        shown = page.locator(f".lx-bars tbody td:nth-child({which + 2}) .lx-share").all_inner_texts()
        assert [int(text) for text in shown] == pytest.approx((100 * logits[0][0].softmax(-1)).tolist(), abs=0.51)
    assert page.inner_text(".lx-status .lx-note") == (
        "Of 100 images spread over the validation images; profile smoke, networks of seeds 0, 1: the mean, and a "
        "dot for each."
    )


def test_how_the_answer_forms(show):
    """After every layer, the answer and the share of the right class; the same in the figure and in its table."""
    page = show(address="#order=2-0-0-3&image=3")
    settled(page)
    image, label = spread(runs.splits_of(RUNS[0]).validation, 100)[3]
    page.click(".lx details summary")
    for which, run in enumerate((RUNS[0], RUNS[2])):
        lens = np.array(inside(halved(runs.load(run)), image[None], (2, 0, 0, 3))["lens"])
        told = page.locator(f".lx-lens-table tbody td:nth-child({which + 2})").all_inner_texts()
        answers, shares = zip(*(re.fullmatch(r"(\d) \((\d+)\)", text).groups() for text in told), strict=True)
        assert [int(answer) for answer in answers] == lens.argmax(-1).tolist()
        assert [int(share) for share in shares] == pytest.approx((100 * lens[:, label]).tolist(), abs=0.51)
        points = page.locator(".lx-first").nth(which).get_attribute("points").split()
        heights = [float(point.split(",")[1]) for point in points]
        assert heights == pytest.approx([8 + (1 - share) * 148 for share in lens[:, label]], abs=0.2)
    assert page.locator(".lx-line").count() == len(RUNS)
    rows = page.locator(".lx-lens-table tbody th").all_inner_texts()
    assert rows == ["none", "layer 2", "layer 0", "layer 0", "layer 3"]


@pytest.mark.parametrize("width", [1000, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(show, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    page = show(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.add_style_tag(content=":root { color-scheme: light dark } body { background: Canvas; color: CanvasText }")
    settled(page)
    page.click(".lx-start")
    page.click(".lx-do-merge")
    page.locator(".lx-tile").nth(1).click()
    settled(page)
    page.click(".lx details summary")
    page.fill(".lx-order", "forwards")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.lx-problem').textContent && !document.getAnimations().length")
    found = Axe().run(page, context=".lx").response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_the_tab_key_walks_in_the_order_of_reading(show):
    page = show()
    settled(page)
    seen = []
    for _ in range(24):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.className.split(' ')[0] || document.activeElement.tagName"))
    walk = [name for name, before in zip(seen, [None, *seen], strict=False) if name != before]
    assert walk[:5] == ["lx-button", "lx-seed-value", "lx-tile", "lx-button", "lx-spare"]
    assert walk[5:9] == ["lx-order", "lx-button", "lx-image", "SUMMARY"]


def test_every_button(show):
    page = show()
    settled(page)
    assert tiles(page) == order(page) == [0, 1, 2, 3]
    page.click(".lx-do-reverse")
    assert tiles(page) == [3, 2, 1, 0] and settled(page) == 2
    page.click(".lx-do-shuffle")
    shuffled = tiles(page)
    assert settled(page) == 3
    assert sorted(shuffled) == [0, 1, 2, 3]
    page.click(".lx-do-undo")
    assert tiles(page) == [3, 2, 1, 0]
    page.click(".lx-do-original")
    page.click(".lx-do-drop")
    assert len(tiles(page)) == 1 and page.locator(".lx-missing").count() == 3
    page.click(".lx-do-drop")
    assert "Fewer than four layers" in page.inner_text(".lx-problem")
    page.click(".lx-do-original")
    page.click(".lx-do-merge")
    assert page.get_attribute(".lx-do-merge", "aria-pressed") == "true"
    assert set(page.locator(".lx-source").all_inner_texts()) <= set("ABC")
    page.click(".lx-do-merge")
    assert page.locator(".lx-source").count() == 0
    assert settled(page) >= 3
    page.fill(".lx-seed-value", "0")
    page.click(".lx-do-original")
    page.click(".lx-do-shuffle")
    first = tiles(page)
    page.fill(".lx-seed-value", "1")
    page.fill(".lx-seed-value", "0")
    page.click(".lx-do-original")
    page.click(".lx-do-shuffle")
    assert tiles(page) == first, "the same seed, the same draw"


def centre(page, place):
    box = page.locator(".lx-tile").nth(place).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_drag_click_and_repeat(show):
    page = show()
    settled(page)
    page.mouse.move(*centre(page, 0))
    page.mouse.down()
    page.mouse.move(*centre(page, 1), steps=5)
    page.mouse.move(*centre(page, 2), steps=5)
    page.mouse.up()
    assert tiles(page) == [1, 2, 0, 3]
    page.locator(".lx-tile").nth(1).click()
    assert page.inner_text(".lx-which") == "Layer 2, at position 1:"
    page.click(".lx-act-drop")
    assert tiles(page) == [1, 0, 3]
    page.click(".lx-act-drop", force=True)
    assert tiles(page) == [1, 0, 3], "nothing is selected any more"
    page.click(".lx-spare >> text=2")
    assert tiles(page) == [1, 0, 2, 3]
    page.click(".lx-spare >> text=0")
    assert tiles(page) == [1, 0, 2, 3, 0]
    assert settled(page) >= 1
    last = page.locator(".lx-mean").last
    assert "[1, 0, 2, 3, 0]" in last.text_content()
    axis = [float(text) for text in page.locator(".lx-history text").all_text_contents() if text.isdigit()]
    left, right = 44, 320 - 8
    assert float(re.search(r"translate\((\S+)", last.get_attribute("transform"))[1]) == pytest.approx(
        left + inversions([1, 0, 2, 3, 0]) / max(axis) * (right - left)
    )


def test_pruned_repeated_and_merged_orders_have_marks_of_their_own(show):
    page = show()
    marks, axis = [], []
    for address in ("", "#order=1-0-2", "#order=0-0-1-2-3", "#order=0-1-2-3&from=ABCA"):
        page.evaluate("address => { location.hash = address }", address)
        page.wait_for_function(SETTLED)
        marks.append(page.locator(".lx-mean").last.get_attribute("d"))
        axis.append(page.locator(".lx-axis").text_content() if page.locator(".lx-axis").count() else "")
    assert len(set(marks)) == 4
    assert page.locator(".lx-legend span").all_inner_texts() == [
        "every layer once", "layers left out", "a layer repeated", "merged",
    ]  # fmt: skip
    assert axis[:2] == ["", "On the axis, a layer left out counts in no pair."]
    assert "repeated layer counts by itself" in axis[2] and "where it would without merging" in axis[3]


def test_an_order_is_a_link(show):
    page = show(address="#order=3-1-1&from=ACB&image=4", permissions=["clipboard-read", "clipboard-write"])
    assert settled(page) == 1 and tiles(page) == [3, 1, 1], "what was linked is all that ran"
    assert page.locator(".lx-source").all_inner_texts() == ["A", "C", "B"]
    page.click(".lx-do-reverse")
    settled(page)
    assert page.evaluate("location.hash") == "#order=1-1-3&from=BCA&image=4"
    page.click(".lx-link")
    page.wait_for_function("document.querySelector('.lx-said').textContent.includes('Copied')")
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    page.go_back()
    page.wait_for_function("document.querySelector('.lx-order').value === '[3, 1, 1]'")
    assert page.locator(".lx-source").all_inner_texts() == ["A", "C", "B"]
    page.go_forward()
    page.wait_for_function("document.querySelector('.lx-order').value === '[1, 1, 3]'")
    for named, meant in (("reversed", [3, 2, 1, 0]), ("first-2", [0, 1, 3, 2])):
        page.evaluate("to => { scrollTo(0, 1e6); location.hash = `order=${to}` }", named)
        page.wait_for_function("to => document.querySelector('.lx-order').value === to", arg=json.dumps(meant))
        assert page.locator(".lx-track").bounding_box()["y"] >= 0, "the tiles are in view"
    assert page.evaluate("location.hash") == "#order=first-2"


def test_it_opens_in_the_order_that_it_is_given_and_returns_to_it(show):
    page = show(LayerExplorer(runs=RUNS[:3], images=20, order=[2, 0, 3, 1]).html())
    settled(page)
    assert order(page) == [2, 0, 3, 1]
    page.click(".lx-do-original")
    settled(page)
    page.go_back()
    page.wait_for_function("document.querySelector('.lx-order').value == '[2, 0, 3, 1]'")


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("#order=0-12", "the order names layer 12, but the layers are 0 to 3; take another index."),
        ("#order=forwards", "“forwards” is no layer; write indices from 0 to 3, such as [0, 2, 1]."),
        ("#order=%", "“%” is no layer; write indices from 0 to 3, such as [0, 2, 1]."),
        ("#order=" + "-".join("0" * 17), "the order has 17 layers; take at most 16."),
        ("#order=0-1&from=AD", "“from” names one network for each layer, with letters from A to C."),
        ("#order=0-1&from=A", "“from” names one network for each layer, with letters from A to C."),
        ("#order=0-1&image=100", "the images are 0 to 99."),
        ("#walk=6", "the walk has steps 1 to 5."),
    ],
)
def test_a_bad_link_gets_a_sentence_and_is_ignored(show, address, sentence):
    page = show()
    page.click(".lx-do-reverse")
    page.evaluate("address => { location.hash = address }", address)
    page.wait_for_selector(".lx-problem:not(:empty)")
    assert page.inner_text(".lx-problem") == f"This link is ignored: {sentence}"
    assert tiles(page) == [3, 2, 1, 0]
    page.evaluate("location.hash = '#what-to-try'")  # a heading of the page
    assert tiles(page) == [3, 2, 1, 0]


def test_the_guided_walk(show):
    page = show(address="#walk=2")
    settled(page)
    seen = [(page.inner_text(".lx-step"), tiles(page))]
    page.locator(".lx-next").focus()
    for _ in range(3):
        page.keyboard.press("Enter")
        settled(page)
        seen.append((page.inner_text(".lx-step"), tiles(page)))
        assert page.evaluate("document.activeElement.className") == "lx-button lx-next", "the focus stays"
    (shuffled, drawn), (fixed, anchored), (dropped, fewer), (merged, all_) = seen
    assert shuffled == "2 of 5: Shuffled" and sorted(drawn) == [0, 1, 2, 3] and drawn != [0, 1, 2, 3]
    assert fixed == "3 of 5: First 1 fixed" and anchored == [0, *(layer for layer in drawn if layer)]
    assert dropped == "4 of 5: One dropped" and fewer == [0, 1, 3]
    assert merged == "5 of 5: Merged" and all_ == [0, 1, 2, 3]
    assert page.locator(".lx-source").all_inner_texts() == ["A", "B", "C", "A"]
    rows = page.locator(".lx-walk tbody tr").all_inner_texts()
    assert [row.split()[0] for row in rows] == ["2", "3", "4", "5"] and "…" not in "".join(rows)
    assert rows[-1].split("\t")[1:] == page.locator(".lx-total strong").all_inner_texts()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.className") == "lx-button lx-start"
    page.keyboard.press("Enter")
    assert page.inner_text(".lx-step") == "1 of 5: In sequence" and tiles(page) == [0, 1, 2, 3]
    page.click(".lx-back", force=True)
    assert page.inner_text(".lx-step") == "1 of 5: In sequence"
    page.keyboard.press("Escape")
    assert page.locator(".lx-step").count() == 0


def test_the_buttons_of_the_walk_stay_when_accuracies_arrive(show):
    """Or a click that is half done is lost."""
    page = show(address="#walk=1")
    settled(page)
    pending, stays = page.evaluate("""async () => {
        document.querySelector(".lx-next").click();
        const button = document.querySelector(".lx-next");
        const pending = () => document.querySelector(".lx-walk tbody").innerText.includes("…");
        const before = pending();
        while (pending()) await new Promise(requestAnimationFrame);
        return [before, button.isConnected];
    }""")
    assert pending and stays


def test_a_page_that_is_still_loading_says_so(browser):
    """Over a slow line: the tiles are there and say which network is awaited, then all of it."""
    html = (HEAD + LayerExplorer(runs=RUNS, images=100).html()).encode()
    cut, rest = html.index(b'data-network="baseline seed 1"') + 100, threading.Event()

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html[:cut])
            self.wfile.flush()
            rest.wait(30)
            self.wfile.write(html[cut:])

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        page = browser.new_page()
        try:
            page.goto(f"http://127.0.0.1:{server.server_port}/", wait_until="commit")
            page.get_by_text("Loading network 3 of 5").wait_for()
            assert tiles(page) == [0, 1, 2, 3] and page.locator(".lx-progress").is_visible()
            page.wait_for_selector(".lx-verdict")
            assert page.locator(".lx-total").count() == 0, "the first of each answer; there is no accuracy yet"
            rest.set()
            settled(page)
        finally:
            rest.set()
            page.close()


def test_the_keyboard_does_all_of_it(show):
    page = show()
    settled(page)
    page.locator(".lx-tile").first.focus()
    page.keyboard.press("Shift+ArrowRight")
    assert tiles(page) == [1, 0, 2, 3]
    page.keyboard.press("Shift+ArrowRight")
    assert tiles(page) == [1, 2, 0, 3], "the focus goes with the tile"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Delete")
    assert tiles(page) == [1, 2, 0]
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    assert page.locator(".lx-tile[aria-pressed=true]").all_inner_texts() == ["1"]
    page.keyboard.press("r")
    assert tiles(page) == [1, 1, 2, 0]
    assert "runs once more" in page.inner_text(".lx-said")
    page.locator(".lx-spare").nth(3).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert tiles(page) == [1, 1, 2, 0, 3, 3], "the focus stays"


def test_touch_on_a_phone_in_the_dark(show):
    page = show(viewport={"width": 390, "height": 844}, has_touch=True, color_scheme="dark", reduced_motion="reduce")
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".lx-tile").nth(3).tap()
    assert tiles(page) == [0, 1, 2, 3], "a tap selects"
    page.locator(".lx-act-earlier").tap()
    page.locator(".lx-act-earlier").tap()
    assert tiles(page) == [0, 3, 1, 2]
    page.locator(".lx-act-drop").tap()
    assert tiles(page) == [0, 1, 2]
    for reading in (".lx-track", ".lx-bars", ".lx-history"):
        page.locator(reading).evaluate("element => element.scrollIntoView({ block: 'center' })")
        box = page.locator(".lx-totals").bounding_box()
        assert 0 <= box["y"] and box["y"] + box["height"] <= 844.5, "the accuracy stays in view"
    page.locator(".lx-image").nth(4).tap()
    assert page.locator(".lx-image").nth(4).get_attribute("aria-checked") == "true"
    assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The order is empty; name at least one layer from 0 to 3."),
        ("[]", "The order is empty; name at least one layer from 0 to 3."),
        ("[0, 12]", "The order names layer 12, but the layers are 0 to 3; take another index."),
        ("forwards", "“forwards” is no layer; write indices from 0 to 3, such as [0, 2, 1]."),
        ("[0, -1]", "“-1” is no layer; write indices from 0 to 3, such as [0, 2, 1]."),
    ],
)
def test_what_is_no_order_gets_a_sentence_and_changes_nothing(show, text, sentence):
    page = show()
    settled(page)
    page.fill(".lx-order", text)
    page.keyboard.press("Enter")
    assert page.inner_text(".lx-problem") == sentence
    assert tiles(page) == [0, 1, 2, 3]
    dim = "dots => dots.every((dot) => getComputedStyle(dot).opacity < 0.5)"
    assert page.locator(".lx-bar, .lx-dot, .lx-mean").evaluate_all(dim), "what is shown is of the order before"
    page.click(".lx-do-original")
    assert not page.locator(".lx-bar, .lx-dot, .lx-mean").evaluate_all(dim)


def test_a_copied_order_can_be_pasted(show):
    page = show(permissions=["clipboard-read", "clipboard-write"])
    settled(page)
    page.click(".lx-do-reverse")
    page.click(".lx-copy")
    page.wait_for_function("document.querySelector('.lx-said').textContent.includes('Copied [3, 2, 1, 0].')")
    assert page.evaluate("navigator.clipboard.readText()") == "[3, 2, 1, 0]"
    page.click(".lx-do-original")
    page.fill(".lx-order", "order=[3, 2, 1, 0]")
    page.keyboard.press("Enter")
    assert tiles(page) == [3, 2, 1, 0]


def test_damaged_weights_are_named_and_show_no_numbers(show):
    html = LayerExplorer(runs=RUNS, images=100).html()
    start = html.index('data-network="layershuffle seed 0">') + len('data-network="layershuffle seed 0">')
    damaged = html[: start + 100] + ("A" if html[start + 100] != "A" else "B") + html[start + 101 :]
    page = show(damaged)
    page.wait_for_selector(".lx-problem:not(:empty)")
    assert "The network “layershuffle seed 0” is damaged" in page.inner_text(".lx-problem")
    assert page.locator(".lx-total").count() == 0 and page.locator(".lx-bar").count() == 0


def test_without_a_script_there_is_a_picture_and_a_table(show):
    page = show(java_script_enabled=False)
    assert "original order" in page.inner_text("table.dataframe") and page.locator("svg.themed").count() == 1


def test_python_hears_and_is_heard(monkeypatch):
    widget = LayerExplorer(runs=RUNS, images=20)
    heard = []
    widget.observe(lambda change: heard.append(change["new"]), "order")
    widget.order = [3, 1, 2]
    assert heard == [[3, 1, 2]]
    with pytest.raises(OrderError, match="names layer 12"):
        widget.order = [12]
    with pytest.raises(ExplorerError, match="take one from 0 to 19"):
        widget.image = 20
    with pytest.raises(traitlets.TraitError):
        widget.order = "forwards"
    assert widget.order == [3, 1, 2]
    with pytest.raises(ExplorerError, match="name a baseline and at least one"):
        LayerExplorer(runs=RUNS[:1])


def test_the_kernel_answers_as_the_model_does():
    groups = [[runs.load(run) for run in group] for group in (RUNS[:2], RUNS[2:])]
    split = runs.splits_of(RUNS[0]).validation
    images, labels = torch.stack([split[k][0] for k in range(30)]), torch.tensor([int(split[k][1]) for k in range(30)])
    for shares, models in zip(explorer.accuracies(groups, [2, 0, 2], [0, 0, 0], images, labels), groups, strict=True):
        correct = [(model(images, order=[2, 0, 2]).logits.argmax(-1) == labels).float() for model in models]
        assert shares == pytest.approx([each.mean().item() for each in correct])
    ones = explorer.one_image(groups, [2, 0, 2], [0, 1, 0], images[:1])
    assert [len(group) for group in ones] == [2, 1], "merged, there is one LayerShuffle network"
    for model, one in zip(groups[0], ones[0], strict=True):
        assert one["lens"][-1] == pytest.approx(
            model(images[:1], order=[2, 0, 2]).logits[0].softmax(-1).tolist(), abs=1e-5
        )
        assert len(one["adds"]) == 3 and len(one["lens"]) == 4
