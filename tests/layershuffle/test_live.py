"""The explorer in a live JupyterLab, in a real browser: from Python to the page and from the page to Python."""

import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from chromium import chromium

from lsnotebook.engine import runs
from lsnotebook.engine.run import Run
from lsnotebook.layershuffle.approaches import BASELINE, LAYERSHUFFLE
from lsnotebook.layershuffle.profiles import SMOKE

CHROMIUM = chromium()

pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine"),
]

NOTEBOOK = Path(__file__).parents[1] / "programs" / "live.ipynb"


@pytest.fixture
def lab(tmp_path, trained):
    """The address of a JupyterLab whose folder holds live.ipynb."""
    runs.ensure([Run(SMOKE, BASELINE, 0), Run(SMOKE, LAYERSHUFFLE, 0)])
    folder = tmp_path / "notebooks"
    folder.mkdir()
    shutil.copy(NOTEBOOK, folder)
    home = {name: str(tmp_path / name) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    environment = {name: value for name, value in os.environ.items() if name != "LSNOTEBOOK_PAGE"} | home
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--port=0",
        f"--notebook-dir={folder}",
    ]
    quiet = ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with subprocess.Popen([*command, *quiet], env=environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            yield address(server).replace("/lab?", "/lab/tree/live.ipynb?")
        finally:
            server.terminate()


def address(server):
    """The address that a starting server writes; what it writes later is read as well, so that it is never blocked."""
    log = []
    for line in server.stderr:
        log.append(line)
        if found := re.search(r"http://127\S+/lab\?token=\w+", line):
            threading.Thread(target=server.stderr.read, daemon=True).start()
            return found[0]
    raise RuntimeError("".join(log))


def test_the_explorer_in_jupyterlab(lab):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1400})
        page.goto(lab)

        def run(cell):
            page.locator(".jp-CodeCell .cm-content").nth(cell).click()
            page.keyboard.press("Control+Enter")

        page.get_by_text("| Idle").wait_for(timeout=120_000)  # the kernel is there, and listens
        run(0)
        page.wait_for_selector(".lx-total strong", timeout=120_000)
        tiles = page.locator(".lx-index")
        assert tiles.all_inner_texts() == ["0", "1", "2", "3"]

        run(1)
        page.wait_for_function("document.querySelectorAll('.lx-index').length == 3", timeout=60_000)
        assert tiles.all_inner_texts() == ["3", "1", "2"]

        page.click(".lx-do-reverse")
        page.wait_for_function("document.querySelectorAll('.lx-mean').length == 6")
        run(3)
        page.get_by_text("heard [2, 1, 3] 2 2").wait_for(timeout=60_000)

        run(2)  # too large for the browser: the kernel computes
        kernel = page.locator(".lx").nth(1)
        kernel.locator(".lx-total strong").first.wait_for(timeout=60_000)
        kernel.locator(".lx-do-drop").click()
        page.wait_for_function("document.querySelectorAll('.lx')[1].querySelectorAll('.lx-mean').length == 4")
        assert kernel.locator(".lx-problem").inner_text() == ""
        browser.close()
