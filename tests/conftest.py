"""What the tests share: toy models of the real classes, and a run store of their own."""

import os

import pytest

os.environ["OMP_NUM_THREADS"] = "1"  # toy models are slower on several threads, above all with several workers


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """Every test has an empty data folder of its own."""
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """One data folder for all tests, in whichever of pytest's processes they run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def trained(shared, store, monkeypatch):
    """The shared data folder: a network of `smoke` is trained once, whoever asks first."""
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
