"""The explorer: what its script computes, and what a reader does with it, in a real browser."""

import json
import shutil

import numpy as np
import pytest
import torch
import traitlets

from lsnotebook.core.draws import inversions
from lsnotebook.core.orders import OrderError
from lsnotebook.engine import runs
from lsnotebook.engine.run import Run, study
from lsnotebook.layershuffle import explorer
from lsnotebook.layershuffle.approaches import BASELINE, LAYERSHUFFLE
from lsnotebook.layershuffle.explorer import ExplorerError, LayerExplorer
from lsnotebook.layershuffle.profiles import SMOKE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
RUNS = [Run(SMOKE, BASELINE, 0), *study(SMOKE, [LAYERSHUFFLE], 3)]

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


@pytest.fixture
def show(browser, tmp_path):
    """Opens the explorer from a file, as from a USB stick: no server, and no request to anyone."""
    contexts, wrong = [], []

    def open_(html=None, **options):
        path = tmp_path / "page.html"
        body = html or LayerExplorer(runs=RUNS, images=100).html()
        path.write_text(f'<!doctype html><html lang="en"><title>Explorer</title><meta charset="utf-8"><body>{body}')
        context = browser.new_context(**{"viewport": {"width": 1000, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda r: r.url.startswith(("file:", "data:", "blob:")) or wrong.append(r.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
        page.goto(path.as_uri())
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
  const last = [...document.querySelectorAll('.lx-history circle')].at(-1);
  return last?.textContent.endsWith(document.querySelector('.lx-order').value) && !document.getAnimations().length;
}"""


def settled(page):
    """Wait until the accuracies of the newest order are there and no tile moves; the number of orders tried."""
    page.wait_for_function(SETTLED)
    return page.locator(".lx-history circle").count() // 2


def test_javascript_and_pytorch_agree(browser, toy):
    sizes = {"hidden_size": 64, "num_hidden_layers": 12, "intermediate_size": 128, "initializer_range": 0.15}
    model = explorer.halved(toy(**sizes, layer_norm_eps=1e-12))
    images = torch.rand(50, 1, 8, 8, generator=torch.Generator().manual_seed(1)).mul(2).sub(1).half().float()
    rng = np.random.default_rng(0)
    orders = [tuple(rng.permutation(12).tolist()) for _ in range(40)]
    orders += [tuple(rng.permutation(12)[: rng.integers(1, 12)].tolist()) for _ in range(30)]
    orders += [tuple(rng.integers(0, 12, rng.integers(1, 20)).tolist()) for _ in range(30)]
    with torch.inference_mode():
        expected = torch.stack([model(images, order=order).logits for order in orders]).numpy()
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
        return given.orders.map(order => Array.from(V.run(net, net, pixels, 50, order).logits)); }""",
        given,
    )
    page.close()
    got = np.array(got).reshape(expected.shape)
    assert np.abs(got - expected).max() <= 1e-4
    assert (got.argmax(-1) == expected.argmax(-1)).all()


def test_the_page_says_what_the_models_say(show):
    page = show()
    settled(page)
    page.fill(".lx-order", "[2, 0, 0, 3]")
    page.keyboard.press("Enter")
    settled(page)
    split = runs.splits_of(RUNS[0]).validation
    images, labels = torch.stack([split[k][0] for k in range(100)]), torch.tensor([split[k][1] for k in range(100)])
    for which, run in enumerate(RUNS[:2]):
        logits = explorer.halved(runs.load(run))(images, order=[2, 0, 0, 3]).logits
        share = (logits.argmax(-1) == labels).float().mean().item()
        assert page.locator(".lx-total strong").nth(which).inner_text() == f"{100 * share:.1f} %"
        shown = page.locator(f".lx-table tbody td:nth-child({which + 2}) .lx-share").all_inner_texts()
        assert [int(text) for text in shown] == pytest.approx((100 * logits[0].softmax(-1)).tolist(), abs=0.51)


@pytest.mark.parametrize("width", [1000, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(show, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    page = show(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.add_style_tag(content=":root { color-scheme: light dark } body { background: Canvas; color: CanvasText }")
    settled(page)
    page.click(".lx-do-merge")
    page.fill(".lx-order", "forwards")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.lx-problem').textContent && !document.getAnimations().length")
    found = Axe().run(page, context=".lx").response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_the_tab_key_walks_in_the_order_of_reading(show):
    page = show()
    settled(page)
    seen = []
    for _ in range(20):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.className.split(' ')[0]"))
    walk = [name for name, before in zip(seen, [None, *seen], strict=False) if name != before]
    assert walk[:7] == ["lx-button", "lx-seed-value", "lx-tile", "lx-spare", "lx-order", "lx-button", "lx-image"]


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
    assert tiles(page) == [1, 0, 3]
    page.click(".lx-spare >> text=2")
    assert tiles(page) == [1, 0, 2, 3]
    page.click(".lx-spare >> text=0")
    assert tiles(page) == [1, 0, 2, 3, 0]
    assert settled(page) >= 1
    last = page.locator(".lx-history circle").last
    assert "[1, 0, 2, 3, 0]" in last.text_content()
    axis = [float(text) for text in page.locator(".lx-history text").all_text_contents() if text.isdigit()]
    left, right = 44, 320 - 8
    assert float(last.get_attribute("cx")) == pytest.approx(
        left + inversions([1, 0, 2, 3, 0]) / max(axis) * (right - left)
    )


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
    page.keyboard.press("r")
    assert tiles(page) == [1, 1, 2, 0]
    assert "runs once more" in page.inner_text(".lx-said")


def test_touch_on_a_phone_in_the_dark(show):
    page = show(viewport={"width": 390, "height": 844}, has_touch=True, color_scheme="dark", reduced_motion="reduce")
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".lx-tile").nth(3).tap()
    assert tiles(page) == [0, 1, 2]
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


def test_a_copied_order_can_be_pasted(show):
    page = show(permissions=["clipboard-read", "clipboard-write"])
    settled(page)
    page.click(".lx-do-reverse")
    page.click(".lx-copy")
    page.wait_for_function("document.querySelector('.lx-said').textContent == 'Copied [3, 2, 1, 0].'")
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
    models = [runs.load(run) for run in RUNS]
    split = runs.splits_of(RUNS[0]).validation
    images, labels = torch.stack([split[k][0] for k in range(30)]), [int(split[k][1]) for k in range(30)]
    vit, shuffled = explorer.answer(models, [2, 0, 2], [0, 0, 0], (images, labels))
    for share, model in ((vit, models[0]), (shuffled, models[1])):
        correct = model(images, order=[2, 0, 2]).logits.argmax(-1) == torch.tensor(labels)
        assert share == pytest.approx(correct.float().mean().item())
    one = explorer.answer(models, [2, 0, 2], [0, 1, 0], (images[:1], None))
    assert len(one["adds"]) == 3 and np.allclose(np.sum(one["probabilities"], axis=1), 1, atol=1e-5)
