"""Results that were recorded elsewhere: what is written, and what is shown of it."""

import json
import shutil
from pathlib import Path
from pkgutil import resolve_name

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from lsnotebook.cli import PARTS, main
from lsnotebook.core.profiles import Images
from lsnotebook.core.statistics import over_networks
from lsnotebook.core.store import RunStoreError
from lsnotebook.layershuffle import PART, measurements, tables
from lsnotebook.layershuffle.profiles import DIGITS, SMOKE
from lsnotebook.layershuffle.records import table_1_keys
from lsnotebook.pages.results import Content, costs, differences, path_of, recorded, write
from lsnotebook.pages.statements import HOLDS, UNTOLD
from lsnotebook.sortednet import convolution_profiles, convolution_records


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
    found = shown()
    pd.testing.assert_frame_equal(found.rows, expected, check_dtype=False)
    beside = tables.table_1({"recorded, smoke": found.rows, "this build": expected})
    assert (beside["recorded, smoke"] == beside["this build"]).all()
    assert "9 networks on cpu in" in str(found) and found.chance == 1 / 10


MADE = {
    "commit": "0123456789ab",
    "date": "2026-11-25",
    "devices": ["1 x H100"],
    "versions": {"torch": ["2.9"]},
    "networks": 9,
    "seeds": 2,
    "hours": 1.5,
    "kilowatt_hours": None,
}


def shown(name="table1"):
    """The one result that is shown, where none is refused."""
    found, refused = recorded(PART, name)
    assert not refused
    (found,) = found.values()
    return found


def refusal(name="table1"):
    """Why a result is not shown: one sentence."""
    found, (sentence,) = recorded(PART, name)
    assert not found and "\n" not in sentence and "Traceback" not in sentence
    start, end = f"results/smoke/{name}.json is not shown: ", f"or make it anew: lsnotebook record smoke {name}."
    assert sentence.startswith(start) and sentence.endswith(end)
    return sentence.removeprefix(start)


@pytest.fixture
def rows():
    """Table 1 as it might have been measured."""
    rng = np.random.default_rng(0)
    keys = [(*key, seed, draw) for key in table_1_keys(SMOKE) for seed in range(2) for draw in range(3)]
    found = pd.DataFrame(keys, columns=["approach", "policy", "seed", "draw"])
    return over_networks(found.assign(top1=rng.uniform(0.4, 0.6, len(found))), chance=0.1)


@pytest.fixture
def path(store, rows):
    """The file of a result that was recorded."""
    path = write(PART, SMOKE, "table1", rows, MADE)
    pd.testing.assert_frame_equal(shown().rows, rows, check_exact=True)
    return path


def forged(path, change):
    """The file with a change, and with a checksum that fits: as another version, or another person, would write it."""
    content = json.loads(path.read_text())
    changed = change(content) or content
    changed["checksum"] = Content.model_validate({**changed, "format": 1}).checked()
    path.write_text(json.dumps(changed))


def test_a_result_says_what_made_it_and_how_to_make_it_again(store, rows):
    write(PART, SMOKE, "table1", rows, {**MADE, "commit": "0123456789ab-dirty", "kilowatt_hours": 2.0})
    assert str(shown()) == (
        "Recorded: profile smoke, 9 networks on 1 x H100 in 1.5 h and 2.0 kWh of training, commit 0123456789ab with "
        "local changes. Again: lsnotebook record smoke table1 --seeds 2"
    )
    assert shown().chance == 1 / 10


@pytest.mark.parametrize("name", PART.results)
def test_nothing_recorded_is_nothing_shown(store, name):
    assert recorded(PART, name) == ({}, [])
    assert all(resolve_name(PART.results[name].keys)(profile) for profile in PART.profiles.values())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "the file: Invalid JSON"),
        (b"{", "the file: Invalid JSON"),
        (b"\xff\xfe{}", "the file: Invalid JSON"),
        (b"[" * 10**5, "the file: Invalid JSON"),
        (b"[]", "the file: Input should be an object"),
        (b"null", "the file: Input should be an object"),
        (b"{}", "profile: Field required, and 4 more"),
    ],
)
def test_what_is_no_result_is_named(path, content, why):
    path.write_bytes(content)
    assert refusal().startswith(why)


def test_what_stands_in_the_place_of_a_file_or_its_folder_is_named(path):
    with path.open("ab") as file:
        file.truncate(2**24 + 1)
    assert refusal().startswith("it has more than 16 MiB")
    path.unlink()
    path.symlink_to("nowhere")
    assert refusal().startswith("it is no file")
    path.unlink()
    path.mkdir()
    assert refusal().startswith("it is no file")
    shutil.rmtree(path.parent)
    path.parent.write_text("")
    assert refusal().startswith("it cannot be read (Not a directory)")


@pytest.mark.parametrize(
    ("old", "new"),
    [('"mean":0.5', '"mean":0.9'), ('"hours":1.5', '"hours":0.5'), ('"seeds":2', '"seeds":5'), ("H100", "H200")],
)
def test_what_was_changed_by_hand_is_not_shown(path, old, new):
    content = json.dumps(json.loads(path.read_text()), separators=(",", ":"))
    path.write_text(content)
    assert shown().made == MADE, "however it is laid out"
    assert old in content
    path.write_text(content.replace(old, new, 1))
    assert refusal().startswith("its checksum is not the one it was recorded with")


def test_the_result_of_another_profile_is_not_shown_as_this_ones(path, store):
    other = store / "results" / "imagenet" / "table1.json"
    other.parent.mkdir()
    shutil.copy(path, other)
    found, (sentence,) = recorded(PART, "table1")
    assert list(found) == ["recorded, smoke"], "the good one is shown"
    assert sentence.startswith("results/imagenet/table1.json is not shown: it holds table1 of smoke; take it")
    shutil.move(path, path.with_name("claims.json"))
    assert refusal("claims").startswith("it holds table1 of smoke")


def to(value, *keys):
    """A change of one value, by where it stands."""

    def change(content):
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (to(41, "recipe", "refine", "steps"), "the profile was another one then (refine.steps 41, now 40)"),
        (to(None, "recipe", "pretrain"), "the profile was another one then (pretrain None, now "),
        (to([1, 2], "recipe", "depths"), "the profile was another one then (depths [1, 2], now (1, 2, 3))"),
        (to({}, "recipe"), "the profile was another one then (backbone None"),
        (to("cosine", "recipe", "refine", "decay"), "the profile was another one then (refine.decay cosine, now none)"),
        (lambda content: content["recipe"]["refine"].pop("steps"), "the profile was another one then (refine.steps N"),
        (to(2, "format"), "format: Input should be 1"),
        (to("now", "made", "hours"), "made, hours: Input should be a valid number"),
        (to(-1, "made", "hours"), "made, hours: Input should be greater than or equal to 0"),
        (to([], "rows"), "rows are missing: baseline arbitrary, baseline sequential"),
        (lambda content: content["rows"].pop(), "rows are missing: layershuffle-predict arbitrary;"),
        (lambda content: content["rows"].append(content["rows"][0]), "a row stands there twice: baseline sequential;"),
        (to("layershufle", "rows", 0, "approach"), "it has rows that nobody asks for: layershufle sequential;"),
        (to("random", "rows", 0, "policy"), "it has rows that nobody asks for: baseline random"),
        (lambda content: content["rows"][1].pop("std"), "row 2, std: Field required"),
        (to(1, "rows", 1, "lo"), "row 2, lo: Extra inputs are not permitted"),
        (to("0.5", "rows", 1, "mean"), "row 2, mean: Input should be a valid number"),
        (to(True, "rows", 1, "mean"), "row 2, mean: Input should be a valid number"),
        (to(None, "rows", 1, "mean"), "row 2, mean: Input should be a valid number"),
        (to(float("nan"), "rows", 1, "mean"), "row 2, mean: Input should be a finite number"),
        (to(float("inf"), "rows", 1, "high"), "row 2, high: Input should be a finite number"),
        (to(52.3, "rows", 1, "mean"), "row 2, mean: Input should be less than or equal to 1"),
        (to(-0.1, "rows", 1, "std"), "row 2, std: Input should be greater than or equal to 0"),
        (to(0, "rows", 1, "networks"), "row 2, networks: Input should be greater than 0"),
        (to(2.5, "rows", 1, "networks"), "row 2, networks: Input should be a valid integer"),
        (to(0.1, "rows", 1, "low"), "row 2: the interval from 0.1 to None"),
        (to(0.99, "rows", 1, "low"), "row 2: the interval from 0.99 to "),
        (to("<script>", "rows", 1, "approach"), "row 2, approach: String should match pattern"),
        (to([1, 2], "rows", 1), "rows, row 2: Input should be an object"),
    ],
)  # fmt: skip
def test_a_result_of_another_form_or_with_impossible_numbers_is_not_shown(path, change, why):
    try:
        forged(path, lambda content: change(content) and None)
    except ValidationError:  # not even its form is that of a result, so that it has no checksum
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))
    assert refusal().startswith(why)


def test_as_many_networks_may_be_recorded_as_were_asked_for(store):
    curve = {"approach": "baseline", "seed": 6, "step": 20, "learning_rate": 0.1, "train_loss": 1.0}
    rows = pd.DataFrame([{**curve, "selection_loss": 1.0, "selection_top1": 0.5, "seconds": 1.0}])
    write(PART, SMOKE, "curves", rows, {**MADE, "seeds": 7})
    assert shown("curves").rows["seed"].tolist() == [6]
    with pytest.raises(RunStoreError, match="it has rows that nobody asks for: baseline 6"):
        write(PART, SMOKE, "curves", rows, {**MADE, "seeds": 5})


def test_other_seeds_and_another_machine_are_stated_and_not_compared(path):
    forged(path, to(7, "recipe", "seeds"))
    assert len(shown().rows)
    forged(path, to({"readers": 8}, "recipe", "machine"))
    assert len(shown().rows)


def test_a_field_that_profiles_have_only_since_then_is_compared_by_its_default(path):
    forged(path, lambda content: content["recipe"]["images"].pop("augment") and None)
    assert len(shown().rows)
    (sentence,) = differences({"name": "a", "classes": 2, "selection": 0}, Images("a", 2, 0, augment=True), "images.")
    assert sentence == "images.augment False, now True"


def test_what_could_not_be_shown_is_not_recorded(store, rows):
    for bad in (rows.assign(mean=100 * rows["mean"]), rows.iloc[1:], rows.drop(columns="std")):
        with pytest.raises(RunStoreError, match=r"^The result table1 of smoke is not recorded: [^\n]*\.$"):
            write(PART, SMOKE, "table1", bad, MADE)
    with pytest.raises(RunStoreError, match="made, hours: Input should be a finite number"):
        write(PART, SMOKE, "table1", rows, {**MADE, "hours": float("nan")})
    assert recorded(PART, "table1") == ({}, [])


def statements(*changes):
    claim = {"id": "C1", "claim": "It holds.", "rule": "points: above 5", "bound": "“words”", "paper": None}
    claim |= {"build": 7.0, "low": 6.0, "high": 8.0, "over": "2 networks", "verdict": HOLDS}
    claim |= {"otherwise": "at most 5", "page": "02_execution_order"}
    return pd.DataFrame([claim, *({**claim, "id": "C2", **change} for change in changes)])


def test_claims_that_were_not_judged_may_be_missing_and_no_verdict_is_made_up(store):
    write(PART, SMOKE, "claims", statements({"low": np.nan, "high": np.nan, "verdict": UNTOLD}), MADE)
    assert shown("claims").rows["verdict"].tolist() == [HOLDS, UNTOLD]
    for change, why in (
        ({"verdict": "surely"}, "row 2, verdict: Input should be"),
        ({"id": "C99"}, "it has rows that nobody asks for: C99"),
        ({"id": "C1"}, "a row stands there twice: C1 points: above 5"),
        ({"low": np.nan, "high": np.nan}, "row 2: without an interval the verdict is 'cannot tell'"),
        ({"build": 9.0}, "row 2: the interval from 6.0 to 8.0 does not hold 9.0"),
        ({"rule": "<b>above</b>"}, "row 2, rule: String should match"),
    ):
        with pytest.raises(RunStoreError, match=f"is not recorded: {why}"):
            write(PART, SMOKE, "claims", statements(change), MADE)


@pytest.mark.slow
@pytest.mark.parametrize("name", PART.results)
def test_every_result_is_read_as_it_was_computed(trained, store, monkeypatch, name):
    result = PART.results[name]
    computed = resolve_name(result.compute)(SMOKE)
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(store))
    write(PART, SMOKE, name, computed, MADE)
    pd.testing.assert_frame_equal(shown(name).rows, computed.reset_index(drop=True), check_dtype=False)


def test_what_is_committed_was_recorded_of_the_profiles_as_they_are(monkeypatch):
    """Whoever commits a result has recorded it: no file of another name, none without its provenance."""
    committed = Path(__file__).parents[2] / "data" / "results"
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(committed.parent))
    known = set()
    for part in PARTS:
        for name in part.results:
            found, refused = recorded(part, name)
            assert not refused
            for result in found.values():
                assert not result.made["commit"].startswith("unknown") and not result.made["commit"].endswith("-dirty")
                known.add(path_of(result.profile, name))
    for study in convolution_profiles.PROFILES.values():
        if (path := path_of(study, convolution_records.NAME)).exists():
            rows, made = convolution_records.recorded(study)
            assert len(rows) and "commit unknown" not in made and "local changes" not in made, made
            known.add(path)
    assert set(committed.glob("*/*")) == known


def test_what_results_took_is_listed_and_some_profiles_can_be_asked_for(store):
    assert costs(PART)[0].empty
    rows = pd.DataFrame(table_1_keys(SMOKE), columns=["approach", "policy"])
    rows = rows.assign(mean=0.5, std=0.1, low=0.4, high=0.6, networks=2, orders=[1, 100] * (len(rows) // 2))
    write(PART, SMOKE, "table1", rows, MADE)
    took, _ = costs(PART)
    (row,) = took.itertuples()
    assert took["kWh"].dtype == float, "a number, or a dash where the machine measures none"
    assert row.Index == ("smoke", "table1") and row.networks == 9 and row.commit == MADE["commit"]
    path_of(SMOKE, "claims").write_text("{}")
    assert costs(PART)[1][0].startswith("results/smoke/claims.json is not shown")
    assert recorded(PART, "table1", [DIGITS]) == ({}, []) and recorded(PART, "table1", [SMOKE])[0]
    write(PART, DIGITS, "table1", rows, MADE)
    assert list(costs(PART)[0].index) == [("smoke", "table1"), ("digits", "table1")], "scales as they grow"
