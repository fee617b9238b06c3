"""The pictures of the README, from the built book: `make pictures` writes them into `docs/`, light and dark.

The main figure is that of the first page, the explorer's picture one of the browser, so both show what was built.
"""

import io
import re
from pathlib import Path

from chromium import chromium

PROJECT = Path(__file__).resolve().parent.parent
PAGE = PROJECT / "book" / "_build" / "html" / "intro.html"
INKS = {"light": "#1f2328", "dark": "#f0f6fc"}
"""The colours of the text on GitHub."""

ACCURACY = "() => [...document.querySelectorAll('.lx-total strong')].map(e => e.textContent).join()"
"""What the explorer says of both models."""


def main_figure(page: str, ink: str) -> str:
    """The first figure of a page as an SVG file; what is drawn in the colour of the text, in `ink`."""
    figure = re.search(r'<svg class="themed".*?</svg>', page, re.DOTALL)
    return figure[0].replace("currentColor", ink) + "\n"


def explorer(theme: str) -> bytes:
    """What the explorer of the first page shows after some shuffles, as a PNG of 64 colours."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1600}, color_scheme=theme)
        page.set_default_timeout(120_000)
        page.goto(PAGE.as_uri())
        page.wait_for_selector(".lx-total strong")
        for button in [".lx-do-original", ".lx-do-reverse", *[".lx-do-shuffle"] * 3]:
            before = page.evaluate(ACCURACY)
            page.click(button)
            page.wait_for_function(f"before => ({ACCURACY})() !== before", arg=before)  # no old number by a new order
        shot = page.locator(".lx-page > .lx").first.screenshot()
        browser.close()
    small = io.BytesIO()
    Image.open(io.BytesIO(shot)).convert("RGB").quantize(64).save(small, "PNG", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    folder = PROJECT / "docs"
    folder.mkdir(exist_ok=True)
    for theme, ink in INKS.items():
        (folder / f"result-{theme}.svg").write_text(
            main_figure(PAGE.read_text(encoding="utf-8"), ink), encoding="utf-8"
        )
        (folder / f"explorer-{theme}.png").write_bytes(explorer(theme))
