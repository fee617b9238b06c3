"""What the tests share: toy models of the real classes, and a run store of their own."""

import os
import random
import sys
from pathlib import Path

import pytest
from hypothesis import settings

os.environ["OMP_NUM_THREADS"] = "1"  # toy models are slower on several threads, above all with several workers
os.environ["LOKY_MAX_CPU_COUNT"] = "1"  # tests run side by side themselves, and a worker imports for seconds
# Ray's default depends on which of its processes came first, and writes a token into the home folder.
os.environ["RAY_AUTH_MODE"] = "disabled"
os.environ["RAY_worker_niceness"] = "0"  # else what a test waits for gives way to pytest's other processes
sys.path.append(str(Path(__file__).parent / "programs"))  # what other processes run, they import from there
sys.path.append(str(Path(__file__).parents[1] / "book"))  # its scripts


settings.register_profile("any machine", deadline=None)  # a busy one takes its time
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """Every test has an empty data folder of its own."""
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """One data folder for all tests, in whichever of pytest's processes they run, with all networks of `smoke`."""
    from lsnotebook import layershuffle
    from lsnotebook.engine import runs
    from lsnotebook.engine.run import all_runs
    from lsnotebook.layershuffle.profiles import SMOKE

    worker = os.environ.get("PYTEST_XDIST_WORKER")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if worker else base) / "shared"
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LSNOTEBOOK_DATA", str(folder))
        networks = all_runs(SMOKE, layershuffle.all_networks(SMOKE))
        # pytest's processes share the networks out by the store's locks, so each begins at another one
        for run in random.Random(worker or "alone").sample(networks, len(networks)):
            runs.ensure([run], workers=1)
    return folder


@pytest.fixture
def trained(shared, store, monkeypatch):
    """The shared data folder in place of the test's own."""
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(shared))
    return shared


@pytest.fixture(scope="session")
def ray_head():
    """The head of a Ray cluster on this machine, which runs no task; deaths of its other nodes are noticed in seconds.

    A test adds the nodes that it needs, and connects to its address.
    """
    from ray.cluster_utils import Cluster

    soon = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 3}
    head = {"num_cpus": 0, "include_dashboard": False, "_system_config": soon}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        cluster = Cluster(initialize_head=True, head_node_args=head)
        yield cluster
        cluster.shutdown()


@pytest.fixture
def toy():
    """Makes a toy model of the real class: `toy(encode_position=True)`; weights large enough for layers to matter."""
    from lsnotebook.core.seeding import seeded
    from lsnotebook.layershuffle.model import ShuffleViT, ShuffleViTConfig

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
