"""Networks of `smoke` before, in and after training."""

import dataclasses
import shutil

import pytest

from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.core.profiles import PLAIN
from lsnotebook.core.seeding import seeded
from lsnotebook.data.loading import load
from lsnotebook.engine import runs
from lsnotebook.engine.run import Run
from lsnotebook.engine.training import train
from lsnotebook.layershuffle.approaches import BASE, LAYERSHUFFLE, POSITION
from lsnotebook.layershuffle.networks import initial
from lsnotebook.layershuffle.profiles import SMOKE

WITH_DROPOUT = dataclasses.replace(SMOKE, backbone=dataclasses.replace(SMOKE.backbone, dropout=0.1))


@pytest.fixture(scope="session")
def splits():
    return load(SMOKE.images, SMOKE.backbone)


@pytest.fixture(scope="session")
def fresh():
    """Makes a network before its first step, without the weights of a base."""

    def make(profile=SMOKE, approach=POSITION, seed=0):
        with seeded(seed, "initialisation"):
            return initial(profile, approach)

    return make


@pytest.fixture
def run(splits, fresh, tmp_path):
    """Trains a fresh network with dropout: `run(sampler=arbitrary)` gives (network, history)."""
    thirty = dataclasses.replace(SMOKE.pretrain, steps=30, check_every=10)

    def go(folder="run", sampler=sequential, schedule=thirty, seed=0, approach=BASE):
        (tmp_path / folder).mkdir(exist_ok=True)
        network = fresh(WITH_DROPOUT, approach, seed)
        return network, train(network, splits, schedule, sampler, seed, tmp_path / folder)

    return go


@pytest.fixture
def learned(splits, fresh, tmp_path):
    """The weights of a fresh network after twelve steps on a machine: `learned("folder", Machine(accumulate=3))`."""
    twelve = dataclasses.replace(SMOKE.refine, steps=12, check_every=6)

    def go(folder, machine=PLAIN, sampler=arbitrary, schedule=twelve, **options):
        (tmp_path / folder).mkdir()
        network = fresh()
        train(network, splits, schedule, sampler, 0, tmp_path / folder, machine=machine, **options)
        return network.state_dict()

    return go


@pytest.fixture(scope="session")
def far():
    """The largest difference of two networks' weights."""

    def largest(weights, others):
        assert weights.keys() == others.keys()
        return max((weights[name] - others[name]).abs().max().item() for name in weights)

    return largest


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """The folder of the base of `smoke` and a LayerShuffle network, trained without an interruption."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LSNOTEBOOK_DATA", str(folder))
        runs.ensure([Run(SMOKE, BASE, 0), Run(SMOKE, LAYERSHUFFLE, 0)])
    return folder


@pytest.fixture
def filled(whole, store):
    """The test's own store, with both runs in it."""
    shutil.copytree(whole, store, dirs_exist_ok=True)
    return store
