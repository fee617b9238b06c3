"""A sub-model of a trained network as a folder by itself, for `from_pretrained` of Hugging Face's own class."""

import json
from pathlib import Path

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.core.new_folder import unused, written
from lsnotebook.engine import runs
from lsnotebook.engine.run import Run
from lsnotebook.sortednet.networks import stock
from lsnotebook.sortednet.submodels import Size, checked, extract


class ExtractionError(LsnotebookError, RuntimeError):
    """A folder that a sub-model cannot be written to."""


def write(run: Run, size: Size, folder: Path) -> Path:
    """Write the sub-model of a run to a new or empty folder, which appears whole or not at all.

    Trains the run where it is not in the store. Raises `ExtractionError`, and `SizeError` for an impossible size.
    """
    folder = unused(folder, ExtractionError)
    network = runs.load(run)
    width = network.config.width
    size = checked(size, network.config, width)
    small = extract(stock(network), size, width)
    made = {"run": str(run), "recipe": run.key, "layers": size.layers, "heads": size.heads, "width": width}
    with written(folder, ExtractionError) as inside:
        small.save_pretrained(inside)
        (inside / "extracted.json").write_text(json.dumps(made, indent=1) + "\n")
    return folder
