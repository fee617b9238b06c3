"""The scales of the book, from tests to the paper's own setting. The code is the same; only these values change.

smoke            seconds   4 layers on a few digits: for tests
digits           minutes   12 layers on scikit-learn's digits, two CPU cores: the book's default
cifar100-mini    hours     12 small layers on CIFAR-100, two CPU cores: recorded results
cifar100         hours     ViT-B/16 on CIFAR-100, one GPU (the paper's second version)
cifar100-deit    hours     DeiT-B on CIFAR-100, one GPU (the paper's second version)
cifar100-small   hours     a small ViT at CIFAR's own 32x32, trained from scratch, one modest GPU
imagenet         days      ViT-B/16 on ImageNet-2012, several GPUs (the paper's own setting)
"""

from dataclasses import dataclass

from lsnotebook.core.profiles import Backbone, Images, Machine, Profile, Schedule


@dataclass(frozen=True)
class Study(Profile):
    """A profile, and the sizes of the paper's experiments."""

    depths: tuple[int, ...] = (3, 6, 9)
    """Numbers of layers that models are pruned to and refined with (§4.2)."""
    sources: int = 12
    """Baseline and LayerShuffle networks that merged models take their layers from (§4.4)."""
    orders: int = 100
    """Arbitrary orders, and draws of the layers to keep, that every network is evaluated under."""


SMOKE = Study(
    name="smoke",
    images=Images("digits", classes=10, selection=60, train=200, validation=100),
    backbone=Backbone(
        layers=4, hidden_size=32, heads=4, mlp_size=64, image_size=8, patch_size=4, channels=1, initial_std=0.1
    ),
    pretrain=Schedule(steps=60, batch_size=32, learning_rate=2e-3, check_every=20, cpu=True),
    refine=Schedule(steps=40, batch_size=32, learning_rate=1e-3, check_every=20, cpu=True),
    seeds=2,
    depths=(1, 2, 3),
    sources=4,
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
CIFAR100, CIFAR100_DEIT = (
    Study(
        name=name,
        images=Images("cifar100", classes=100, selection=5_000, folders=("train", "test")),
        backbone=Backbone(checkpoint=checkpoint),
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
    for name, checkpoint in (
        ("cifar100", "google/vit-base-patch16-224-in21k"),
        ("cifar100-deit", "facebook/deit-base-patch16-224"),
    )
)
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
PROFILES = {
    profile.name: profile
    for profile in (SMOKE, DIGITS, CIFAR100_MINI, CIFAR100, CIFAR100_DEIT, CIFAR100_SMALL, IMAGENET)
}
