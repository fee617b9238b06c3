"""The benchmarks run and print their tables; what the numbers are is no matter of a test."""

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

FOLDER = Path(__file__).parents[1] / "benchmarks"
SHARED = ("interleaved", "beside")
"""What the benchmarks import from their folder."""
needs_chromium = pytest.mark.skipif(not shutil.which("chromium"), reason="there is no Chromium on this machine")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words", "columns"),
    [
        (
            "training",
            "--scale smoke --rounds 1 --steps 1 --matrix 9 --without compiled",
            ("time, of stock", "'data': ", "'backward': "),
        ),
        (
            "evaluation",
            "--scale smoke --images 60 --orders 2 --rounds 1 --runs 2",
            ("time, of the plain loop", "share of the matrix products"),
        ),
        ("merging", "--scale smoke --models 3 --images 60 --rounds 1", ("of naive",)),
        ("reading", "--scale cifar100-small --images 12 --batch 4 --workers 1 --rounds 1", ("images/s",)),
        ("swarm", "--scale smoke --nodes 4 --requests 20 --rounds 1 --no-ray", ("router decisions/s",)),
        (
            "sorted",
            "--scale sorted-smoke --rounds 1 --steps 1 --images 2",
            ("time, of ordinary", "speed-up", "extract"),
        ),
        ("digits_search", "refine.steps=2 pretrain.steps=2 --orders 2", ("layershuffle arb",)),
        pytest.param("explorer", "--scale smoke --images 20 --rounds 3", ("ratio",), marks=needs_chromium),
    ],
)
def test_a_benchmark_prints_its_table(trained, store, monkeypatch, name, words, columns):
    from PIL import Image

    if name in ("reading", "digits_search"):
        monkeypatch.setenv("LSNOTEBOOK_DATA", str(store))
    if name == "reading":
        for part, count in (("train", 60), ("test", 1)):
            for label in range(100):
                folder = store / "cifar100" / part / f"{label:02}"
                folder.mkdir(parents=True)
                for k in range(count):
                    Image.new("RGB", (32, 32), (label, k, 0)).save(folder / f"{k}.png")
    monkeypatch.syspath_prepend(FOLDER)
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    threads = torch.get_num_threads()
    result = CliRunner().invoke(module.main, words.split(), catch_exceptions=False)
    torch.set_num_threads(threads)
    for helper in SHARED:
        sys.modules.pop(helper, None)
    assert result.exit_code == 0 and all(column in result.stdout for column in columns)
