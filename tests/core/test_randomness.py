"""Random streams: equal keys draw equally, other keys otherwise."""

from hypothesis import given
from hypothesis import strategies as st

from lsnotebook.core.randomness import stream


@given(st.integers(0, 2**31), st.integers(0, 10_000))
def test_equal_seed_purpose_and_step_draw_equally_and_others_do_not(seed, step):
    def drawn(*key):
        return tuple(stream(*key).integers(2**62, size=2))

    assert drawn(seed, "order", step) == drawn(seed, "order", step)
    others = {drawn(seed, "order", step + 1), drawn(seed, "data", step), drawn(seed + 1, "order", step)}
    assert len(others) == 3 and drawn(seed, "order", step) not in others
