"""Results that were recorded elsewhere: what is written, and what is shown of it."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner

from lsnotebook import plots, results, scoreboard
from lsnotebook.claims import FAILS, HOLDS
from lsnotebook.cli import main
from lsnotebook.profiles import PROFILES
from lsnotebook.store import RunStoreError


@pytest.mark.slow
def test_table_1_is_recorded_with_what_made_it_and_stands_beside_the_build(shared, store):
    store.mkdir()
    (shared / "runs").mkdir(exist_ok=True)
    (store / "runs").symlink_to(shared / "runs")
    told = CliRunner().invoke(main, ["record", "smoke", "table1", "--seeds", "2"])
    path = store / "results" / "smoke" / "table1.json"
    assert told.exit_code == 0 and told.stdout == f"{path}\n", told.output
    content = json.loads(path.read_text())
    made = content["made"]
    assert made["networks"] == 9 and made["seeds"] == 2, "two networks an approach and their base"
    assert made["devices"] == ["cpu"] and made["hours"] > 0 and made["kilowatt_hours"] is None
    assert made["versions"].keys() == {"python", "torch", "torchvision", "transformers", "accelerate"}
    assert content["recipe"]["refine"]["steps"] == PROFILES["smoke"].refine.steps

    expected = results.table1(PROFILES["smoke"])
    (found,) = results.recorded("table1").values()
    pd.testing.assert_frame_equal(found.rows, expected, check_dtype=False)
    shown = plots.side_by_side({"recorded, smoke": found.rows, "this build": expected})
    assert (shown["recorded, smoke"] == shown["this build"]).all()
    assert "9 networks on cpu in" in str(found) and found.chance == 1 / 10


def statements(verdict, build, rule="points: above 5"):
    row = {"id": "C1", "claim": "It holds.", "rule": rule, "paper": 7.0, "build": build, "low": build - 1}
    return pd.DataFrame([{**row, "high": build + 1, "verdict": verdict, "chapter": "02_execution_order"}])


def test_a_recorded_verdict_stands_beside_this_builds_and_its_number_where_the_rule_is_the_same():
    ours = statements(FAILS, 3.0)
    (row,) = scoreboard.board(ours, {"recorded, cifar100": statements(HOLDS, 8.0)}).to_dict("records")
    assert "holds" in row["recorded, cifar100"] and "8.0 [7.0, 9.0]" in row["recorded, cifar100"]
    assert "does not hold" in row["verdict"] and row["this build"] == "3.0 [2.0, 4.0]"
    (row,) = scoreboard.board(ours, {"recorded, cifar100": statements(HOLDS, 8.0, "another")}).to_dict("records")
    assert "holds" in row["recorded, cifar100"] and "8.0" not in row["recorded, cifar100"]
    (row,) = scoreboard.details(ours, {"recorded, cifar100": statements(HOLDS, 8.0)}).to_dict("records")
    assert row["recorded, cifar100"] == "8.0 [7.0, 9.0]" and row["this build"] == "3.0 [2.0, 4.0]"


def test_nothing_recorded_is_nothing_shown(store):
    assert results.recorded("table1") == {}


def test_a_file_that_is_no_record_is_named(store):
    path = store / "results" / "digits" / "claims.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    with pytest.raises(RunStoreError, match=r"claims\.json is not what `lsnotebook record` writes"):
        results.recorded("claims")


def test_what_is_committed_was_recorded_of_profiles_that_there_are():
    """Whoever commits a result has recorded it: no file of another name, none without its provenance."""
    from lsnotebook.paper import FOLDER

    for path in sorted((FOLDER.parent / "results").glob("*/*")):
        assert path.parent.name in PROFILES and path.stem in results.PARTS
        made = json.loads(path.read_text())["made"]
        assert made["commit"] not in ("unknown", "") and not made["commit"].endswith("-dirty")
