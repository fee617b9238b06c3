"""What the tests share: toy models of the real classes, and a run store of their own."""

import os
import random

import pytest

os.environ["OMP_NUM_THREADS"] = "1"  # toy models are slower on several threads, above all with several workers


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """Every test has an empty data folder of its own."""
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """One data folder for all tests, in whichever of pytest's processes they run, with all networks of `smoke`."""
    from lsnotebook import runs
    from lsnotebook.profiles import PROFILES

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    networks = runs.book(PROFILES["smoke"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LSNOTEBOOK_DATA", str(folder))
        for run in random.sample(networks, len(networks)):  # pytest's processes share them out by the store's locks
            runs.ensure([run], workers=1)
    return folder


@pytest.fixture
def trained(shared, store, monkeypatch):
    """The shared data folder in place of the test's own."""
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(shared))
    return shared


@pytest.fixture
def toy():
    """Makes a toy model of the real class: `toy(encode_position=True)`; weights large enough for layers to matter."""
    from lsnotebook.model import ShuffleViT, ShuffleViTConfig
    from lsnotebook.randomness import seeded

    def make(seed=0, **options):
        sizes = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 48}
        images = {"image_size": 8, "patch_size": 4, "num_channels": 1, "num_labels": 10}
        config = ShuffleViTConfig(**{**sizes, **images, "initializer_range": 0.2, **options})
        with seeded(seed, "toy"):
            return ShuffleViT(config).eval()

    return make


@pytest.fixture
def images():
    """Six random images (6, 1, 8, 8)."""
    import torch

    return torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
