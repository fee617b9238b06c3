"""Names of profiles and approaches: an unknown one says which there are."""

import pytest

from lsnotebook.core.profiles import UnknownNameError, named
from lsnotebook.layershuffle.approaches import APPROACHES
from lsnotebook.layershuffle.profiles import PROFILES


def test_an_unknown_approach_or_profile_says_what_there_is():
    with pytest.raises(ValueError, match=r"did you mean 'layershuffle'\?"):
        named("layershufle", APPROACHES, "approach")
    with pytest.raises(
        UnknownNameError, match="There is no profile 'digit': take one of smoke, digits, digits-1600, digits-6400,"
    ):
        named("digit", PROFILES, "profile")
    assert named("digits", PROFILES, "profile") is PROFILES["digits"]
