"""What decides a run, as frozen dataclasses: a profile (images, network, schedule) and an approach; and a part's lists.

A part hands the engine data and names of functions. Nothing here knows a paper.
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.core.orders import Sampler


class UnknownNameError(LsnotebookError, ValueError):
    """A name that is not in a list; the message says which are."""


@dataclass(frozen=True)
class Images:
    """Which images, and how they are split."""

    name: str
    """"digits" (scikit-learn's, 1,797 images), or a folder of `data/` that holds image folders."""
    classes: int
    selection: int
    """Training images set aside to choose the checkpoint; 0: the validation images choose it, as in the paper."""
    train: int | None = None
    """Training images; None: all that are left."""
    validation: int | None = None
    """Images that accuracies are reported on; None: all that are left."""
    folders: tuple[str, str] = ("train", "val")
    """Subfolders with the training and with the validation images."""
    augment: bool = False
    """Data augmentation: random shifts by up to an eighth of the size, and horizontal flips."""


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
    """How a network is trained: Adam as in the paper, linear warm-up, then linear decay to zero."""

    steps: int
    batch_size: int
    learning_rate: float
    check_every: int
    """Steps between two evaluations on the selection images, each of which saves the state of the run."""
    selection_orders: int = 4
    """Orders that such an evaluation averages over, the same each time."""
    warmup: float = 0.1
    """Share of the steps in which the learning rate rises."""
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-6
    mixed_precision: str = "no"
    """"no" or "bf16", as Accelerate names them."""
    cpu: bool = False
    """Train on the CPU even where there is a GPU, in one thread: the same bits whatever else runs."""


@dataclass(frozen=True)
class Machine:
    """Options of speed and memory. They do not change what is learned, so they are no part of a run's recipe."""

    readers: int = 0
    """DataLoader workers."""
    decode_on_gpu: bool = False
    """Decode, resize and scale the images on the GPU; the workers only read them."""
    compile: bool = False
    """Compile each layer. It takes a minute at first, so that it pays for long runs only."""
    accumulate: int = 1
    """Gradient accumulation: micro-batches that a batch is split into."""
    recompute: bool = False
    """Gradient checkpointing: recompute the activations of a layer in the backward pass instead of keeping them."""


PLAIN = Machine()


@dataclass(frozen=True)
class Profile:
    """A scale: which images, which network, how it is trained."""

    name: str
    images: Images
    backbone: Backbone
    refine: Schedule
    pretrain: Schedule | None = None
    """How the base is made where `backbone.checkpoint` is None."""
    machine: Machine = PLAIN
    seeds: int = 5
    """Networks an approach (§4)."""


@dataclass(frozen=True)
class Approach:
    """A way to train: which orders the network sees, and how it is built."""

    name: str
    title: str
    """What pages call it."""
    order: Sampler
    """Draws the order of each training batch."""
    network: str
    """The module that builds the network: `initial(profile, approach, base, checkpoint)` before its first step, from
    the weights `base` or the folder `checkpoint`, if any; `restored(config)` for the weights of a saved run."""
    refines: "Approach | None" = None
    """The approach whose network (seed 0) it starts from; None: it is pre-trained itself."""
    variant: tuple[str, ...] = ()
    """Options of the network that are switched on."""
    layers: int | None = None
    """Only the first so many layers of the base, the rest cut off before refining (§4.2); None: all."""
    learning_rate_factor: float = 1.0
    """Times the schedule's learning rate: a higher one drifts further from the base (§4.4)."""
    steps_factor: int = 1
    """Times the schedule's steps, and the steps between two evaluations."""


Networks: TypeAlias = Callable[[Any], Sequence[tuple[Approach, int]]]
"""The networks of a profile: (approach, number of seeds)."""


@dataclass(frozen=True)
class Result:
    """What `lsnotebook record` writes of a profile, and how that is checked before it is shown. Each text names a
    function or a class, "module:name", imported when it is needed."""

    compute: str
    """The function of a profile that computes its rows."""
    networks: Networks
    """The networks that it is computed from."""
    row: str
    """What a row holds: a class such as those of `lsnotebook.pages.rows`."""
    keys: str
    """The function of a profile that lists its rows, by the first columns of `row.key`."""
    partial: bool = False
    """Whether some of these may be absent."""


@dataclass(frozen=True)
class Part:
    """One paper in the book: all that the command line has to know of it."""

    title: str
    profiles: Mapping[str, Profile]
    approaches: Mapping[str, Approach]
    networks: Networks
    """The networks that its pages ask for by default."""
    claims: str
    """The function of a profile that judges its claims: "module:function", imported when it is called. It returns the
    statements as `lsnotebook.pages.statements.judged` makes them."""
    results: Mapping[str, Result]
    """What `lsnotebook record` writes, by the name of its file."""
    prepare: str
    """The function of a profile that computes what the pages show, so that they find it in the store."""


def named(name: str, table: Mapping[str, object], what: str):
    """`table[name]`. Raises `UnknownNameError`, which says what names there are."""
    if name in table:
        return table[name]
    close = difflib.get_close_matches(str(name), table, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "."
    raise UnknownNameError(f"There is no {what} {name!r}: take one of {', '.join(table)}{hint}")
