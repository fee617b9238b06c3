"""Networks that were refined for longer: what was recorded, its figure, and its sentences."""

import numpy as np
import pandas as pd
import pytest

from lsnotebook.layershuffle import PART, lengths
from lsnotebook.layershuffle.profiles import LENGTHS
from lsnotebook.pages.results import Recorded


def test_lengths_stand_together_once_two_are_recorded(monkeypatch):
    cost = {"networks": 3, "seeds": 3, "hours": 1.0, "kilowatt_hours": None}
    made = {**cost, "devices": ["cpu"], "commit": "0123456789ab"}
    rows = pd.DataFrame([{"approach": "baseline", "measure": "drift", "number": 0, "value": 0.5}])
    found = {
        one.name: Recorded(one, "networks", made, rows, f"lsnotebook record {one.name} networks")
        for one in LENGTHS["digits"][:2]
    }
    monkeypatch.setattr(lengths, "recorded", lambda part, name, profiles: (found, ["One is not shown."]))
    scales = {"digits": LENGTHS["digits"]}
    tables, origin = lengths.networks(PART, scales)
    assert tables["digits"]["steps"].tolist() == [400, 1600] and tables["digits"]["value"].tolist() == [0.5, 0.5]
    assert origin.endswith("One is not shown.") and "lsnotebook record digits-1600 networks --seeds 3" in origin
    del found["digits"]
    assert lengths.networks(PART, scales) == ({}, "One is not shown.")


def test_the_sentences_tell_the_fewest_and_the_most_steps():
    rows = [("baseline", "drift", steps, seed, steps / 2000 + 0.1 * seed) for steps in (400, 1600) for seed in (0, 2)]
    once = [("layershuffle", "drift", 400, 0, 0.5)]
    table = pd.DataFrame(rows + once, columns=["approach", "measure", "steps", "number", "value"])
    told = lengths.told({"digits": table}, {"drift": "distance", "merged": "merged models"})
    assert "On `digits`, refined for 400 → 1,600 steps, in % (mean ± standard deviation over the networks):" in told
    assert told.strip().endswith("- **ViT**: distance 30.00\u00a0±\u00a014.14 → 90.00\u00a0±\u00a014.14.")
    assert lengths.told({}, {}) == "No other number of steps has been recorded."


def test_curves_draw_the_mean_of_each_measure_against_the_steps():
    rows = [
        {"approach": a, "steps": steps, "measure": measure, "number": seed, "value": 0.1 * seed + steps / 10_000}
        for a in ("baseline", "layershuffle-predict") for steps in (400, 1600) for seed in (0, 1)
        for measure in ("sequential", "arbitrary", "position")
    ]  # fmt: skip
    panels = {"one": ("top-1, %", {"sequential": "-", "arbitrary": "--"}), "two": ("positions, %", {"position": "-"})}
    table = pd.DataFrame(rows)
    figure = lengths.curves({"digits": table, "other": table}, panels, {"digits": 0.1, "other": 0.01})
    assert [len(panel.lines) for panel in figure.axes] == [4 + 1, 2] * 2
    assert [panel.lines[0].get_ydata()[0] for panel in figure.axes[::2]] == [10, 1], "chance"
    assert np.allclose(figure.axes[1].lines[0].get_ydata(), [5 + 4, 5 + 16])
    first, second = (line.get_xdata() for line in figure.axes[0].lines[1:4:2])
    assert first[0] < 400 < second[0] and first[0] * second[0] == pytest.approx(400**2), "side by side, around the tick"
    assert second[0] / 400 < 4**0.041, "near it"
    one = lengths.curves({"digits": table[table["approach"] == "baseline"]}, panels, {"digits": 0.1})
    assert list(one.axes[0].lines[1].get_xdata()) == [400, 1600], "a single one stands at its tick"
    assert figure.axes[2].get_title() == "other: one"
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["400", "1,600"]
    assert len(figure.legends[0].get_texts()) == 2, "an approach is named once"
    assert figure.get_figwidth() < 5, "read on a phone"
