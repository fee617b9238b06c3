"""Results that were recorded elsewhere: what is written, and what is shown of it."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner

from lsnotebook.cli import PARTS, main
from lsnotebook.core.store import RunStoreError
from lsnotebook.layershuffle import measurements, tables
from lsnotebook.layershuffle.paper import FOLDER
from lsnotebook.layershuffle.profiles import PROFILES, SMOKE
from lsnotebook.pages.results import recorded


@pytest.mark.slow
def test_table_1_is_recorded_with_what_made_it_and_stands_beside_the_build(shared, store):
    store.mkdir()
    (shared / "runs").mkdir(exist_ok=True)
    (store / "runs").symlink_to(shared / "runs")
    result = CliRunner().invoke(main, ["record", "smoke", "table1", "--seeds", "2"])
    path = store / "results" / "smoke" / "table1.json"
    assert result.exit_code == 0 and result.stdout == f"{path}\n", result.output
    content = json.loads(path.read_text())
    made = content["made"]
    assert made["networks"] == 9 and made["seeds"] == 2, "two networks an approach and their base"
    assert made["devices"] == ["cpu"] and made["hours"] > 0 and made["kilowatt_hours"] is None
    assert made["versions"].keys() == {"python", "torch", "torchvision", "transformers", "accelerate"}
    assert content["recipe"]["refine"]["steps"] == SMOKE.refine.steps

    expected = measurements.table_1(SMOKE)
    (found,) = recorded("table1", PROFILES.values()).values()
    pd.testing.assert_frame_equal(found.rows, expected, check_dtype=False)
    shown = tables.table_1({"recorded, smoke": found.rows, "this build": expected})
    assert (shown["recorded, smoke"] == shown["this build"]).all()
    assert "9 networks on cpu in" in str(found) and found.chance == 1 / 10


def test_nothing_recorded_is_nothing_shown(store):
    assert recorded("table1", PROFILES.values()) == {}


def test_a_file_that_is_no_record_is_named(store):
    path = store / "results" / "digits" / "claims.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    with pytest.raises(RunStoreError, match=r"claims\.json is not what `lsnotebook record` writes"):
        recorded("claims", PROFILES.values())


def test_what_is_committed_was_recorded_of_profiles_that_there_are():
    """Whoever commits a result has recorded it: no file of another name, none without its provenance."""
    results = {profile: {result for part in PARTS for result in part.results if profile in part.profiles}
               for part in PARTS for profile in part.profiles}  # fmt: skip
    for path in sorted((FOLDER.parent / "results").glob("*/*")):
        assert path.stem in results[path.parent.name]
        made = json.loads(path.read_text())["made"]
        assert made["commit"] not in ("unknown", "") and not made["commit"].endswith("-dirty")
