"""A pool whose nodes do not start: whoever asked reads why, and what to look at."""

from unittest.mock import MagicMock

import pytest

from lsnotebook.swarm.hops import SwarmError
from lsnotebook.swarm.pool import Pool


class Refused(Exception):
    """As Ray's, by which a task says that it failed."""


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ("The actor never ran - it was cancelled before it started running.", "A node did not start .*RAY_AUTH_MODE"),
        ("ModuleNotFoundError: No module named 'lsnotebook'", "A node cannot run layers .*install there the version"),
    ],
)
def test_a_node_that_does_not_start_says_why(told, sentence):
    ray = MagicMock()
    ray.exceptions.RayError = Refused
    ray.wait.side_effect = lambda tasks: (tasks[:1], tasks[1:])
    ray.get.side_effect = Refused(f"The task failed.\n{told}\n")
    with pytest.raises(SwarmError, match=rf"^{sentence}"):
        Pool(ray, 2).ready(2)
