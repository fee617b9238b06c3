"""A profile of this part is a file like any other."""

from dataclasses import replace

from lsnotebook.core.profile_files import as_toml
from lsnotebook.layershuffle import profiles as first_part
from lsnotebook.sortednet.profiles import SMOKE, profile_of


def test_a_profile_written_to_a_file_is_read_as_it_was(tmp_path):
    (tmp_path / "own.toml").write_text(as_toml(SMOKE))
    again = profile_of(str(tmp_path / "own.toml"))
    assert (again.alone, again.refine, again.backbone) == (SMOKE.alone, SMOKE.refine, SMOKE.backbone)


def test_a_path_in_beside_is_relative_to_the_file_that_it_stands_in(tmp_path, monkeypatch):
    (tmp_path / "first.toml").write_text(as_toml(first_part.SMOKE))
    (tmp_path / "own.toml").write_text(as_toml(replace(SMOKE, beside="./first.toml")))
    monkeypatch.chdir("/")
    assert first_part.profile_of(profile_of(str(tmp_path / "own.toml")).beside).backbone == SMOKE.backbone
    assert profile_of("sorted-smoke").beside == "smoke"
