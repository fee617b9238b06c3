"""`lsnotebook sortednet extract` writes a sub-model that the stock class reads."""

import json

import torch
from click.testing import CliRunner
from transformers import ViTForImageClassification

from lsnotebook.cli import main
from lsnotebook.engine import runs
from lsnotebook.engine.run import Run
from lsnotebook.sortednet.approaches import BOTH
from lsnotebook.sortednet.profiles import SMOKE


def extract(*words):
    return CliRunner().invoke(main, ["sortednet", "extract", "sorted-smoke", "sortednet-both", *map(str, words)])


def test_a_sub_model_of_a_trained_network_is_written_whole_or_not_at_all(tmp_path, images):
    folder = tmp_path / "small"
    found = extract(folder, "--layers", 2, "--heads", 3)
    assert found.exit_code == 0, found.output
    network = runs.load(Run(SMOKE, BOTH, 0))
    small = ViTForImageClassification.from_pretrained(folder).eval()
    assert torch.equal(small(images).logits, network(images, order=(2, 3)).logits)
    made = json.loads((folder / "extracted.json").read_text())
    assert (made["run"], made["layers"], made["heads"]) == ("sorted-smoke sortednet-both seed 0", 2, 3)

    again = extract(folder)
    assert again.exit_code == 1 and "exists and is not an empty folder" in again.output
    impossible = extract(tmp_path / "other", "--heads", 5)
    assert impossible.exit_code == 1 and "cut to 1 to 4 of its layers and to 1, 2, 3, 4" in impossible.output
    assert not (tmp_path / "other").exists()
