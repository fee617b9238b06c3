"""The scales of the book, from tests to the paper's own setting. The code is the same; only these values change.

- `smoke` (seconds): 4 layers on a few digits, for tests
- `digits` (minutes): 12 layers on scikit-learn's digits, two CPU cores; the book's default
- `digits-1600` (minutes): the same, refined for 1,600 steps in place of 400; likewise 6400 and 25600; recorded results
- `cifar100-mini` (hours): 12 small layers on CIFAR-100, two CPU cores; recorded results
- `cifar100` (hours): ViT-B/16 on CIFAR-100, one GPU (the paper's second version)
- `cifar100-deit` (hours): DeiT-B on CIFAR-100, one GPU (the paper's second version)
- `cifar100-small` (hours): a small ViT at CIFAR's own 32x32, trained from scratch, one modest GPU
- `imagenet` (days): ViT-B/16 on ImageNet-2012, several GPUs (the paper's own setting)
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field, PositiveInt

from lsnotebook.core.profile_files import find
from lsnotebook.core.profiles import Backbone, Images, Machine, Profile, Schedule


@dataclass(frozen=True)
class Study(Profile):
    """A profile, and the sizes of the paper's experiments."""

    depths: tuple[PositiveInt, ...] = None  # type: ignore[assignment]
    """Numbers of layers that models are pruned to and refined with (§4.2); None: a quarter, half, three quarters."""
    sources: PositiveInt = None  # type: ignore[assignment]
    """Baseline and LayerShuffle networks that merged models take their layers from (§4.4); None: one a layer."""
    orders: Annotated[int, Field(ge=2)] = 100
    """Arbitrary orders, and draws of the layers to keep, that every network is evaluated under."""

    def __post_init__(self) -> None:
        layers = self.backbone.layers
        if self.depths is None:
            quarters = {quarter * layers // 4 for quarter in (1, 2, 3)}
            object.__setattr__(self, "depths", tuple(sorted(quarters - {0})))
        if self.sources is None:
            object.__setattr__(self, "sources", layers)

    def contradictions(self) -> Iterator[str]:
        yield from super().contradictions()
        net = self.backbone
        if net.layers < 2:
            yield "backbone.layers is 1, but an order takes at least 2."
        if net.hidden_size % net.heads:
            yield f"backbone.hidden_size is {net.hidden_size}, but it should be a multiple of heads, {net.heads}."
        if net.image_size % net.patch_size:
            yield f"backbone.image_size is {net.image_size}, but should be a multiple of patch_size, {net.patch_size}."
        if list(self.depths) != sorted({depth for depth in self.depths if depth < net.layers}) or not self.depths:
            yield f"depths is {list(self.depths)}, but it should be rising numbers from 1 to {net.layers - 1}."
        if self.sources < net.layers:
            yield f"sources is {self.sources}, but it should be at least the number of layers, {net.layers}."


SMOKE = Study(
    name="smoke",
    images=Images("digits", classes=10, selection=60, train=200, validation=100),
    backbone=Backbone(
        layers=4, hidden_size=32, heads=4, mlp_size=64, image_size=8, patch_size=4, channels=1, initial_std=0.1
    ),
    pretrain=Schedule(steps=60, batch_size=32, learning_rate=2e-3, check_every=20, cpu=True),
    refine=Schedule(steps=40, batch_size=32, learning_rate=1e-3, check_every=20, cpu=True),
    seeds=2,
    orders=10,
)
DIGITS = Study(
    name="digits",
    images=Images("digits", classes=10, selection=200, train=600),
    backbone=Backbone(
        layers=12, hidden_size=64, heads=4, mlp_size=128, image_size=8, patch_size=4, channels=1, initial_std=0.1
    ),
    pretrain=Schedule(steps=400, batch_size=64, learning_rate=1e-3, check_every=40, cpu=True),
    refine=Schedule(steps=400, batch_size=32, learning_rate=1e-3, check_every=50, selection_orders=2, cpu=True),
)


def refined_for(profile: Study, steps: int, seeds: int = 3) -> Study:
    """The same networks, refined for another number of steps: how long must one refine?"""
    refine = replace(
        profile.refine, steps=steps, check_every=profile.refine.check_every * steps // profile.refine.steps
    )
    return replace(profile, name=f"{profile.name}-{steps}", refine=refine, seeds=seeds)


CIFAR100_MINI = Study(
    name="cifar100-mini",
    images=Images("cifar100", classes=100, selection=5_000, folders=("train", "test"), augment=True),
    backbone=Backbone(hidden_size=128, heads=4, mlp_size=256, image_size=32, patch_size=8, initial_std=0.088),
    pretrain=Schedule(
        steps=3_510,  # 10 epochs
        batch_size=128,
        learning_rate=1.5e-3,
        check_every=351,
        cpu=True,
    ),
    refine=Schedule(
        steps=1_755,  # 5 epochs
        batch_size=128,
        learning_rate=1e-3,
        check_every=351,
        selection_orders=2,
        cpu=True,
    ),
    seeds=3,
    orders=20,
)
CIFAR100 = Study(
    name="cifar100",
    images=Images("cifar100", classes=100, selection=5_000, folders=("train", "test")),
    backbone=Backbone(checkpoint="google/vit-base-patch16-224-in21k"),
    refine=Schedule(
        steps=7_020,  # 20 epochs of 45,000 images
        batch_size=128,
        learning_rate=1e-4,
        check_every=351,
        mixed_precision="bf16",
    ),
    machine=Machine(readers=8, decode_on_gpu=True, compile=True),
    orders=20,
)
CIFAR100_DEIT = replace(CIFAR100, name="cifar100-deit", backbone=Backbone(checkpoint="facebook/deit-base-patch16-224"))
CIFAR100_SMALL = Study(
    name="cifar100-small",
    images=Images("cifar100", classes=100, selection=5_000, folders=("train", "test"), augment=True),
    backbone=Backbone(hidden_size=192, heads=3, mlp_size=768, image_size=32, patch_size=4, initial_std=0.07),
    pretrain=Schedule(
        steps=35_100,  # 100 epochs
        batch_size=128,
        learning_rate=1e-3,
        check_every=1_755,
        mixed_precision="bf16",
    ),
    refine=Schedule(
        steps=17_550,  # 50 epochs
        batch_size=128,
        learning_rate=5e-4,
        check_every=1_755,
        mixed_precision="bf16",
    ),
    machine=Machine(readers=8, compile=True),
    orders=20,
)
IMAGENET = Study(
    name="imagenet",
    images=Images("imagenet", classes=1_000, selection=0),
    backbone=Backbone(checkpoint="google/vit-base-patch16-224"),
    refine=Schedule(
        steps=40_040,  # 20 epochs
        batch_size=640,
        learning_rate=1e-4,
        check_every=2_002,
        selection_orders=1,
        mixed_precision="bf16",
    ),
    machine=Machine(readers=16, decode_on_gpu=True, compile=True),
    orders=20,
)
LENGTHS = {
    study.name: [study, *(refined_for(study, steps) for steps in lengths)]
    for study, lengths in ((DIGITS, (1_600, 6_400, 25_600)), (CIFAR100_MINI, (351, 7_020)))
}
"""By the name of a profile: it, and the same networks refined for other numbers of steps."""
SCALES = [SMOKE, DIGITS, CIFAR100_MINI, CIFAR100, CIFAR100_DEIT, CIFAR100_SMALL, IMAGENET]
PROFILES = {profile.name: profile for scale in SCALES for profile in LENGTHS.get(scale.name, [scale])}


def profile_of(name: object) -> Study:
    """The profile of that name, or of a TOML file (`core.profile_files`). Raises `UnknownNameError`, `ProfileError`."""
    return find(name, PROFILES, Study)
