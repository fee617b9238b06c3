"""Which images the explorer takes: of folders, which are read class by class, some of every class."""

import dataclasses

import pytest
from PIL import Image

from lsnotebook.core.profiles import Backbone
from lsnotebook.data.loading import load
from lsnotebook.engine.run import Run
from lsnotebook.layershuffle import explorer
from lsnotebook.layershuffle.approaches import BASELINE, LAYERSHUFFLE
from lsnotebook.layershuffle.explorer.answers import inside
from lsnotebook.layershuffle.profiles import SMOKE


@pytest.fixture
def folders(store):
    """The splits of three classes with four validation images each."""
    for part, count in (("train", 1), ("val", 4)):
        for label in range(3):
            (store / "mine" / part / str(label)).mkdir(parents=True)
            for k in range(count):
                picture = Image.new("L", (8, 8), color=80 * label + k)
                picture.save(store / "mine" / part / str(label) / f"{k}.png")
    images = dataclasses.replace(SMOKE.images, name="mine", classes=3, selection=0, train=None, validation=None)
    return load(images, Backbone(image_size=8, patch_size=4, channels=1))


@pytest.mark.parametrize("most", [0, explorer.MOST], ids=["by the kernel", "by the browser"])
def test_images_are_spread_over_those_of_a_folder(folders, toy, monkeypatch, most):
    model, runs = toy(num_labels=3), [Run(SMOKE, BASELINE, 0), Run(SMOKE, LAYERSHUFFLE, 0)]
    monkeypatch.setattr(explorer.store, "load", lambda run: model)
    monkeypatch.setattr(explorer.store, "splits_of", lambda run: folders)
    monkeypatch.setattr(explorer, "MOST", most)
    explorer._contents.cache_clear()
    widget = explorer.LayerExplorer(runs, images=6)
    explorer._contents.cache_clear()
    assert widget._data["labels"] == [0, 0, 1, 1, 2, 2]
    if widget._kernel:
        answers = []
        monkeypatch.setattr(widget, "send", lambda message: answers.append(message["answer"]))
        question = {"id": 0, "order": [3, 1], "sources": [0, 0]}
        widget._answer(widget, {**question, "what": "one", "image": 5}, [])
        assert answers[0][0] == [inside(model, folders.validation[11][0][None], [3, 1])]
        widget._answer(widget, {**question, "what": "all"}, [])
        images = [folders.validation[k] for k in (0, 2, 4, 7, 9, 11)]
        right = [model(image[None], order=[3, 1]).logits.argmax().item() == label for image, label in images]
        assert answers[1] == [[pytest.approx(sum(right) / 6)]] * 2
