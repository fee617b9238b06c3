"""The explorer in a live JupyterLab, in a real browser: from Python to the page and from the page to Python."""

import os
import re
import shutil
import subprocess
import sys
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from lsnotebook import runs
from lsnotebook.profiles import PROFILES
from lsnotebook.runs import Run

pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine"),
]

CELLS = [
    """from lsnotebook.explorer import LayerExplorer
from lsnotebook.profiles import PROFILES
from lsnotebook.runs import Run
smoke = PROFILES["smoke"]
explorer = LayerExplorer([Run(smoke, "baseline", 0), Run(smoke, "layershuffle", 0)], images=50)
explorer""",
    "explorer.order = [3, 1, 2]",
    """import lsnotebook.explorer
lsnotebook.explorer.MOST = 0
LayerExplorer([Run(smoke, "baseline", 0), Run(smoke, "layershuffle", 0)], images=40)""",
    'print("heard", explorer.order, len(explorer.probabilities), len(explorer.accuracy))',
]


@pytest.fixture
def lab(tmp_path, trained):
    """The address of a JupyterLab whose folder holds live.ipynb."""
    runs.ensure([Run(PROFILES["smoke"], "baseline", 0), Run(PROFILES["smoke"], "layershuffle", 0)])
    folder = tmp_path / "notebooks"
    folder.mkdir()
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "live.ipynb")
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
    log = tmp_path / "server.log"
    with log.open("w") as said, subprocess.Popen([*command, *quiet], env=environment, stderr=said) as server:
        try:
            yield address(log).replace("/lab?", "/lab/tree/live.ipynb?")
        finally:
            server.terminate()


def address(log, seconds=60):
    for _ in range(10 * seconds):
        if found := re.search(r"http://127\S+/lab\?token=\w+", log.read_text()):
            return found[0]
        time.sleep(0.1)
    raise TimeoutError(log.read_text())


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
        page.wait_for_function("document.querySelectorAll('.lx-history circle').length == 6")
        run(3)
        page.get_by_text("heard [2, 1, 3] 2 2").wait_for(timeout=60_000)

        run(2)  # too large for the browser: the kernel computes
        kernel = page.locator(".lx").nth(1)
        kernel.locator(".lx-total strong").first.wait_for(timeout=60_000)
        kernel.locator(".lx-do-drop").click()
        page.wait_for_function("document.querySelectorAll('.lx')[1].querySelectorAll('.lx-history circle').length == 4")
        assert kernel.locator(".lx-problem").inner_text() == ""
        browser.close()
