"""The scales of this part: the images and the network of the book's first part, refined as long.

sorted-smoke     seconds   4 layers on a few digits: for tests
sorted-digits    minutes   12 layers on scikit-learn's digits, two CPU cores: the default
"""

from dataclasses import dataclass, replace
from pathlib import Path

from lsnotebook.core.profile_files import find
from lsnotebook.core.profiles import Backbone, Images, Profile, Schedule


@dataclass(frozen=True)
class SortedStudy(Profile):
    """A profile, and the sizes that are also trained alone."""

    alone: tuple[tuple[int, int], ...] = ((1, 1),)
    """(layers, heads) each."""
    language: str = "language"
    """The scale of the decoders (`language_runs.SCALES`) whose claims are judged with those of its networks."""
    beside: str = "digits"
    """The profile of the book's first part whose networks stand beside these: of the same images and sizes."""


SMOKE = SortedStudy(
    name="sorted-smoke",
    images=Images("digits", classes=10, selection=60, train=200, validation=100),
    backbone=Backbone(
        layers=4, hidden_size=32, heads=4, mlp_size=64, image_size=8, patch_size=4, channels=1, initial_std=0.1
    ),
    pretrain=Schedule(steps=60, batch_size=32, learning_rate=2e-3, check_every=30, cpu=True),
    refine=Schedule(steps=40, batch_size=32, learning_rate=1e-3, check_every=20, cpu=True),
    seeds=2,
    alone=((1, 1), (1, 4)),
    language="language-smoke",
    beside="smoke",
)
DIGITS = SortedStudy(
    name="sorted-digits",
    images=Images("digits", classes=10, selection=200, train=600),
    backbone=Backbone(
        layers=12, hidden_size=64, heads=4, mlp_size=128, image_size=8, patch_size=4, channels=1, initial_std=0.1
    ),
    pretrain=Schedule(steps=400, batch_size=64, learning_rate=1e-3, check_every=40, cpu=True),
    refine=Schedule(steps=400, batch_size=32, learning_rate=1e-3, check_every=100, selection_orders=8, cpu=True),
    seeds=3,
    alone=((1, 1), (1, 4), (6, 2), (12, 1)),
)
"""Checkpoints are chosen on at most eight sizes (as many orders as are drawn once, at the start), not on one or two."""
PROFILES = {profile.name: profile for profile in (SMOKE, DIGITS)}


def profile_of(name: object) -> SortedStudy:
    """The profile of that name, or of a TOML file (`core.profile_files`), to which a path in `beside` is relative, too.
    Raises `UnknownNameError`, `ProfileError`."""
    found = find(name, PROFILES, SortedStudy)
    if found.beside.startswith((".", "~")):
        beside = Path(str(name)).expanduser().absolute().parent / Path(found.beside).expanduser()
        found = replace(found, beside=str(beside))
    return found
