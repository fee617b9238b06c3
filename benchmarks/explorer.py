"""How fast the explorer's forward pass is in the browser, one core, against PyTorch on one thread.

    python benchmarks/explorer.py

Prints milliseconds of one image and of all images through one model, and the ratio to PyTorch in the same run.
"""

import shutil
import statistics
import time

import click
import torch
from playwright.sync_api import sync_playwright

from lsnotebook.engine import runs
from lsnotebook.engine.run import Run
from lsnotebook.layershuffle import explorer
from lsnotebook.layershuffle.approaches import LAYERSHUFFLE
from lsnotebook.layershuffle.profiles import PROFILES

SCRIPT = """given => { const V = vision(), decode = (one) => V.decode(one.text, one.checksum);
const net = V.network(decode(given.weights), given.shape), pixels = decode(given.pixels), times = [];
for (let round = 0; round < given.rounds + 5; round++) {
  const start = performance.now(); V.run(net, net, pixels, given.images, given.order);
  times.push(performance.now() - start);
} return times.slice(5).sort((a, b) => a - b)[given.rounds >> 1]; }"""


@click.command()
@click.option("--scale", default="digits", type=click.Choice(list(PROFILES)))
@click.option("--rounds", default=21)
@click.option("--images", default=200)
def main(scale: str, rounds: int, images: int) -> None:
    run = Run(PROFILES[scale], LAYERSHUFFLE, 0)
    model, split = runs.load(run), runs.splits_of(run).validation
    order = list(range(run.layers))[::-1]
    torch.set_num_threads(1)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.add_script_tag(content=(explorer.FOLDER / "forward.js").read_text())
        for count in (1, images):
            pixels = torch.stack([split[k][0] for k in range(count)])
            given = {
                "shape": explorer.shape(model),
                "weights": explorer.packed(explorer.weights(model)),
                "order": order,
            }
            given |= {"pixels": explorer.packed([pixels]), "images": count, "rounds": rounds}
            there, here = page.evaluate(SCRIPT, given), []
            with torch.inference_mode():
                for _ in range(rounds):
                    start = time.perf_counter()
                    model(pixels, order=order)
                    here.append(1000 * (time.perf_counter() - start))
            torch_ms = statistics.median(here)
            print(
                f"{count:4} images: browser {there:7.2f} ms, PyTorch {torch_ms:7.2f} ms, ratio {there / torch_ms:.2f}"
            )
        browser.close()


if __name__ == "__main__":
    main()
