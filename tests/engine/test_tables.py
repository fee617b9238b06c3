"""Tables of trained networks: computed once, side by side or not, and anew where what they depend on has changed."""

import dataclasses
import os
import shutil

import pandas as pd
import pytest
from jobs import failing_table, mean_pixel
from PIL import Image

from lsnotebook.core.orders import arbitrary
from lsnotebook.core.profiles import Images
from lsnotebook.data import fingerprint
from lsnotebook.engine import runs
from lsnotebook.engine import tables as module
from lsnotebook.engine.run import Run
from lsnotebook.engine.tables import Table, tables
from lsnotebook.layershuffle.approaches import BASE, LAYERSHUFFLE
from lsnotebook.layershuffle.measurements import accuracies
from lsnotebook.layershuffle.profiles import SMOKE

PRETRAINED, SHUFFLED = Run(SMOKE, BASE, 0), Run(SMOKE, LAYERSHUFFLE, 0)


def six_tables():
    some = [("validation", 1.0), ("validation", 2.0), ("selection", 1.0)]
    return [
        Table("means", mean_pixel, networks, {"part": part, "scale": scale})
        for networks in [(SHUFFLED,), (PRETRAINED, SHUFFLED)]
        for part, scale in some
    ]


def test_side_by_side_the_tables_are_those_computed_one_after_another(filled, whole, tmp_path, monkeypatch):
    beside = tables(six_tables(), "means", workers=2)
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(shutil.copytree(whole, tmp_path / "again")))
    with monkeypatch.context() as patch:
        patch.setattr(module, "side_by_side", lambda *_: pytest.fail("several processes"))
        alone = tables(six_tables(), "means", workers=1)
    assert [len(table) for table in alone] == [1, 1, 1, 2, 2, 2]
    for one, other in zip(beside, alone, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert alone[1]["x"].item() == pytest.approx(2 * alone[0]["x"].item()) and alone[0]["x"].item() != 0
    assert alone[3]["w"].nunique() == 2


def test_accuracies_side_by_side_are_those_one_after_another(filled, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "cpu_count", lambda: 2)
    beside = accuracies([PRETRAINED, SHUFFLED], arbitrary, 3)
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(shutil.copytree(whole, tmp_path / "again")))
    monkeypatch.setattr(module, "cpu_count", lambda: 1)
    pd.testing.assert_frame_equal(accuracies([PRETRAINED, SHUFFLED], arbitrary, 3), beside, check_exact=True)


def test_a_table_that_is_asked_for_twice_is_computed_once(filled, monkeypatch):
    asked = []
    monkeypatch.setattr(module, "side_by_side", lambda do, jobs, *_: asked.extend(jobs))
    wanted = six_tables()
    found = tables([*wanted, *six_tables()], "means", workers=2)
    assert asked == wanted and len(found) == 12
    pd.testing.assert_frame_equal(found[0], found[6])


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failure_is_raised_here_and_what_was_computed_is_kept(filled, workers):
    good = Table("means", mean_pixel, (SHUFFLED,), {"part": "validation", "scale": 1.0})
    tables([good], "means", 1)
    bad = [Table("bad", failing_table, (SHUFFLED,), {"number": number}) for number in range(2)]
    with pytest.raises(ValueError, match="no table"):
        tables([good, *bad], "tables", workers)
    assert len(tables([good], "means", workers)[0]) == 1


def test_an_evaluation_is_not_reused_when_one_image_has_changed(store, monkeypatch):
    monkeypatch.setattr(fingerprint, "RENEWED", 0)
    for part in ("train", "val"):
        for name in ("a", "b"):
            (store / "mine" / part / name).mkdir(parents=True)
            for k in range(2):
                Image.new("L", (8, 8), 60 * k).save(store / "mine" / part / name / f"{k}.bmp")
    short = dataclasses.replace(SMOKE.pretrain, steps=2, check_every=2, batch_size=4)
    profile = dataclasses.replace(SMOKE, images=Images("mine", classes=2, selection=0), pretrain=short)

    def evaluated():
        wanted = Table("means", mean_pixel, (Run(profile, BASE, 0),), {"part": "validation", "scale": 1.0})
        return tables([wanted], "means")[0]["x"].item()

    before, path = evaluated(), store / "mine" / "val" / "b" / "1.bmp"
    os.utime(path, (1, 1))
    with monkeypatch.context() as patch:
        patch.setattr(runs, "load", lambda run: pytest.fail("evaluated again"))
        assert evaluated() == before
    size = path.stat().st_size
    Image.new("L", (8, 8), 255).save(path)
    assert path.stat().st_size == size
    assert evaluated() == pytest.approx(before + (255 - 60) / 127.5 / 4)
