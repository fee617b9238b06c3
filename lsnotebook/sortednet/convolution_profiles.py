"""The scales of sorted convolutions. They are trained by SGD (`sgd`), so these are no profiles of `lsnotebook train`.

convolutions-smoke     seconds    a small cPreResNet20 on scikit-learn's digits: tests, and the page's living piece
cifar10-sorted-mini    half an hour of one core: the paper's network, images and rates, under one epoch; recorded
cifar10-sorted         Tables 5 and 6 themselves: about a month of one core
cifar10-mobilenet      Figure 2 itself: declared
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from lsnotebook.core.profiles import Backbone, Images

SEEDS = (40, 42, 1010, 4242)
"""The paper's (Table 7)."""


class Setting(NamedTuple):
    """How long one network is trained."""

    accumulation: int
    """Batches of an update."""
    updates: int


@dataclass(frozen=True)
class ConvolutionStudy:
    """How many batches should make one update: with as many updates (Table 5), and with as much data (Table 6)."""

    name: str
    images: Images
    updates: int
    """Where the updates are as many whatever is accumulated."""
    batches: int
    """Where the data are as much: with g accumulated, there is a g-th of so many updates."""
    accumulations: tuple[int, ...] = (1, 2, 3, 4)
    norm: str = "batch"
    """`resnet.NORMS`."""
    stem: int = 16
    planes: tuple[int, ...] = (16, 32, 64)
    widths: int = 4
    """Sub-models have 1, 2 ... so many of as many parts of the width, each as likely."""
    batch_size: int = 128
    learning_rate: float = 0.1
    image_size: int = 32
    channels: Literal[1, 3] = 3
    every: int = 1
    """Accuracies are of every so-manieth validation image; in a folder they stand class after class."""
    seeds: int = 4
    """Networks of each setting, with the first so many of `SEEDS`."""

    @property
    def backbone(self) -> Backbone:
        """What images are prepared for."""
        return Backbone(image_size=self.image_size, channels=self.channels)

    def setting(self, accumulation: int, way: str) -> Setting:
        """With as many "updates", or as much "data", as those that accumulate nothing."""
        return Setting(accumulation, self.updates if way == "updates" else self.batches // accumulation)

    @property
    def settings(self) -> list[Setting]:
        """Each once: some stand in both tables."""
        return sorted({self.setting(count, way) for count in self.accumulations for way in ("updates", "data")})


@dataclass(frozen=True)
class MobileNetStudy:
    """Figure 2's own setting (Table 7), a network for `convolutions`. The paper does not say its learning rate."""

    name: str = "cifar10-mobilenet"
    checkpoint: str = "google/mobilenet_v2_1.4_224"
    sub_models: int = 10 * 16
    """Widths, and blocks."""
    epochs: int = 60 * 160
    """60 for each sub-model."""
    optimizer: str = "AdamW, linear schedule"
    batch_size: int = 128
    seed: int = 4242


CIFAR10 = Images("cifar10", classes=10, selection=5_000, folders=("train", "test"), augment=True)
"""Nothing is chosen on the selection images here: they are for whoever tries other settings."""
SMOKE = ConvolutionStudy(
    "convolutions-smoke",
    Images("digits", classes=10, selection=100, train=600, validation=300),
    updates=20,
    batches=80,
    accumulations=(1, 4),
    stem=8,
    planes=(8, 8, 16),
    batch_size=32,
    image_size=8,
    channels=1,
    seeds=2,
)
MINI = ConvolutionStudy("cifar10-sorted-mini", CIFAR10, updates=60, batches=240, accumulations=(1, 4), every=10)
"""Two thirds of an epoch where the paper has 200. With BatchNorm, which begins to learn at once: with InstanceNorm, the
loss of the first hundred updates stood still in a trial."""
FULL = ConvolutionStudy("cifar10-sorted", CIFAR10, updates=70_200, batches=70_200, norm="instance")
"""200 epochs of 45,000 images, and up to 800. The paper has both norms and does not say which one its tables are of;
Nunez et al., whose setting this is, sort widths with InstanceNorm."""
MOBILENET = MobileNetStudy()
PROFILES = {study.name: study for study in (SMOKE, MINI, FULL)}
