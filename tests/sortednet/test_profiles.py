"""A profile of this part is a file like any other."""

from lsnotebook.core.profile_files import as_toml
from lsnotebook.sortednet.profiles import SMOKE, profile_of


def test_a_profile_written_to_a_file_is_read_as_it_was(tmp_path):
    (tmp_path / "own.toml").write_text(as_toml(SMOKE))
    again = profile_of(str(tmp_path / "own.toml"))
    assert (again.alone, again.refine, again.backbone) == (SMOKE.alone, SMOKE.refine, SMOKE.backbone)
