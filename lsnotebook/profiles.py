"""Scales and approaches: everything that decides what a run is, as frozen dataclasses.

    smoke            seconds   4 layers on a few digits: for tests
    digits           minutes   12 layers on scikit-learn's digits, two CPU cores: the book's default
    cifar100         hours     ViT-B/16 on CIFAR-100, one GPU (the paper's second version)
    cifar100-deit    hours     DeiT-B on CIFAR-100, one GPU (the paper's second version)
    cifar100-small   hours     a small ViT at CIFAR's own 32x32, trained from nothing, one modest GPU
    imagenet         days      ViT-B/16 on ImageNet-2012, several GPUs (the paper's own setting)

The code is the same at every scale; only these values change.
"""

import difflib
from dataclasses import dataclass


@dataclass(frozen=True)
class Data:
    """Which images, and what each part of them is for."""

    name: str
    """"digits" (scikit-learn's, 1,797 images), or a folder of `data/` that holds image folders."""
    classes: int
    selection: int
    """Training images set aside to choose the checkpoint; 0: the validation images choose it, as in the paper."""
    train: int | None = None
    """Training images; None: all that are left."""
    validation: int | None = None
    """Images that the reported accuracy is of; None: all that are left."""
    folders: tuple[str, str] = ("train", "val")
    """Where the folder keeps the images to learn from, and those to report."""
    augment: bool = False
    """Learn from images moved by up to an eighth of their size and mirrored, as one does to learn from nothing."""


@dataclass(frozen=True)
class Backbone:
    """The transformer. Sizes as in `ViTConfig`."""

    checkpoint: str | None = None
    """Folder or hub name of pre-trained weights (the sizes below must be theirs); None: pre-trained here."""
    layers: int = 12
    hidden_size: int = 768
    heads: int = 12
    mlp_size: int = 3072
    image_size: int = 224
    patch_size: int = 16
    channels: int = 3
    initial_std: float = 0.02
    """Standard deviation of the initial weights. At width 64, 0.02 leaves the residual branches almost inert."""
    dropout: float = 0.0


@dataclass(frozen=True)
class Schedule:
    """How the weights are found: Adam as in the paper, linear warm-up, then linear decay to zero."""

    steps: int
    batch_size: int
    learning_rate: float
    check_every: int
    """Steps between two looks at the selection images, each of which saves the state of the run."""
    selection_orders: int = 4
    """Orders that a look averages over, the same at every look."""
    warmup: float = 0.1
    """Share of the steps in which the learning rate rises."""
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-6
    mixed_precision: str = "no"
    """"no" or "bf16", as Accelerate names them."""
    cpu: bool = False
    """Train on the CPU even where there is a GPU, with one thread: the same bits whatever else runs."""


@dataclass(frozen=True)
class Machine:
    """How a machine carries a schedule out: speed and memory, not what is learned, so no part of a run's recipe."""

    workers: int = 0
    """Processes that read images."""
    decode_on_gpu: bool = False
    """Decode, resize and scale the images on the GPU, and let the workers only read them."""
    compile: bool = False
    """Compile each layer. It takes a minute at first, so that it pays for long runs only."""
    accumulate: int = 1
    """Parts that a batch goes through the model in, one after another, where memory is short."""
    recompute: bool = False
    """Compute what a layer did once more on the way back instead of keeping it (gradient checkpointing)."""


PLAIN = Machine()


@dataclass(frozen=True)
class Profile:
    name: str
    data: Data
    backbone: Backbone
    refine: Schedule
    pretrain: Schedule | None = None
    """How the base is made where `backbone.checkpoint` is None."""
    machine: Machine = PLAIN
    seeds: int = 5
    """Networks an approach (§4)."""
    depths: tuple[int, ...] = (3, 6, 9)
    """Numbers of layers that models are pruned to and refined with (§4.2)."""
    sources: int = 12
    """Baseline and LayerShuffle networks that merged models take their layers from (§4.4)."""


@dataclass(frozen=True)
class Approach:
    """A way to train: which orders the model sees, and which variant of §3 it is."""

    order: str
    """A policy of `lsnotebook.orders`."""
    encode_position: bool = False
    predict_position: bool = False
    average_position_loss: bool = False
    layers: int | None = None
    """Only the first so many layers of the base, the rest cut off before refining (§4.2); None: all."""
    hotter: float = 1.0
    """How many times the schedule's learning rate: hotter refining drifts further from the base (§4.4)."""


APPROACHES = {
    "base": Approach("sequential"),
    "baseline": Approach("sequential"),
    "layershuffle": Approach("arbitrary"),
    "layershuffle-position": Approach("arbitrary", encode_position=True),
    "layershuffle-predict": Approach("arbitrary", predict_position=True, average_position_loss=True),
    "layershuffle-predict-sum": Approach("arbitrary", predict_position=True),
    "layerdrop": Approach("layerdrop"),
    **{f"refined-{layers}": Approach("sequential", layers=layers) for layers in range(1, 12)},
    **{f"baseline-x{times}": Approach("sequential", hotter=times) for times in (4, 12, 32)},
    **{f"layershuffle-x{times}": Approach("arbitrary", hotter=times) for times in (4, 12)},
}
"""`base` stands for the public checkpoint; each of the others refines it (§4). The position losses of
`layershuffle-predict` are averaged over the layers as in the authors' code; their sum, as §3.4 has it, weighs L times
as much and is an approach of its own.
"""

TABLE_1 = ("baseline", "layershuffle", "layershuffle-position", "layershuffle-predict")
DRIFTED = ("baseline-x4", "baseline-x12", "baseline-x32", "layershuffle-x4", "layershuffle-x12")
"""Refined ever further away from the base, to see when merged models break: `DRIFT_SEEDS` networks of each."""
DRIFT_SEEDS = 3

_SMALL = {"image_size": 8, "channels": 1, "initial_std": 0.1}

PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            data=Data("digits", classes=10, selection=60, train=200, validation=100),
            backbone=Backbone(layers=4, hidden_size=32, heads=4, mlp_size=64, patch_size=4, **_SMALL),
            pretrain=Schedule(steps=60, batch_size=32, learning_rate=2e-3, check_every=20, cpu=True),
            refine=Schedule(steps=40, batch_size=32, learning_rate=1e-3, check_every=20, cpu=True),
            seeds=2,
            depths=(1, 2, 3),
            sources=4,
        ),
        Profile(
            name="digits",
            data=Data("digits", classes=10, selection=200, train=600),
            backbone=Backbone(layers=12, hidden_size=64, heads=4, mlp_size=128, patch_size=4, **_SMALL),
            pretrain=Schedule(steps=400, batch_size=64, learning_rate=1e-3, check_every=40, cpu=True),
            refine=Schedule(steps=400, batch_size=32, learning_rate=1e-3, check_every=50, selection_orders=2, cpu=True),
        ),
        *(
            Profile(
                name=name,
                data=Data("cifar100", classes=100, selection=5_000, folders=("train", "test")),
                backbone=Backbone(checkpoint=checkpoint),
                refine=Schedule(
                    steps=7_020,  # 20 epochs of 45,000 images
                    batch_size=128,
                    learning_rate=1e-4,
                    check_every=351,
                    mixed_precision="bf16",
                ),
                machine=Machine(workers=8, decode_on_gpu=True, compile=True),
            )
            for name, checkpoint in (
                ("cifar100", "google/vit-base-patch16-224-in21k"),
                ("cifar100-deit", "facebook/deit-base-patch16-224"),
            )
        ),
        Profile(
            name="cifar100-small",
            data=Data("cifar100", classes=100, selection=5_000, folders=("train", "test"), augment=True),
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
            machine=Machine(workers=8, compile=True),
        ),
        Profile(
            name="imagenet",
            data=Data("imagenet", classes=1_000, selection=0),
            backbone=Backbone(checkpoint="google/vit-base-patch16-224"),
            refine=Schedule(
                steps=40_040,  # 20 epochs
                batch_size=640,
                learning_rate=1e-4,
                check_every=2_002,
                selection_orders=1,
                mixed_precision="bf16",
            ),
            machine=Machine(workers=16, decode_on_gpu=True, compile=True),
        ),
    )
}


def named(name: str, table: dict, what: str):
    """`table[name]`, or a `ValueError` that says what names there are."""
    if name in table:
        return table[name]
    close = difflib.get_close_matches(str(name), table, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "."
    raise ValueError(f"There is no {what} {name!r}: take one of {', '.join(table)}{hint}")


def profile(name: str) -> Profile:
    return named(name, PROFILES, "profile")


def approach(name: str) -> Approach:
    return named(name, APPROACHES, "approach")
