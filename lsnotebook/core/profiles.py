"""What decides a run, as frozen dataclasses: a profile (images, network, schedule) and an approach; and a part's lists.

A part hands the engine data and names of functions. Nothing here knows a paper. The bounds of values are those of a
profile that is read from a file (`core.profile_files`).
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.core.orders import Sampler

Count: TypeAlias = Annotated[int, Field(gt=0, le=10**9)]
Size: TypeAlias = Annotated[int, Field(gt=0, le=2**16)]
Share: TypeAlias = Annotated[float, Field(ge=0, lt=1)]


class UnknownNameError(LsnotebookError, ValueError):
    """A name that is not in a list; the message says which are."""


@dataclass(frozen=True)
class Images:
    """Which images, and how they are split."""

    name: str
    """"digits" (scikit-learn's, 1,797 images), a folder of `data/`, or the path of a folder, with `folders` in it."""
    classes: Annotated[int, Field(ge=2)]
    """How many there are; a file that leaves it out means as many as the folder has."""
    selection: NonNegativeInt
    """Training images set aside to choose the checkpoint; 0: the validation images choose it, as in the paper."""
    train: PositiveInt | None = None
    """Training images; None: all that are left."""
    validation: PositiveInt | None = None
    """Images that accuracies are reported on; None: all that are left."""
    folders: tuple[str, str] = ("train", "val")
    """Subfolders with the training and with the validation images, one folder a class in each."""
    augment: bool = False
    """Data augmentation: random shifts by up to an eighth of the size, and horizontal flips."""


@dataclass(frozen=True)
class Backbone:
    """The transformer. Sizes as in `ViTConfig`."""

    checkpoint: str | None = None
    """Folder or hub name of pre-trained weights (the sizes below must be theirs); None: pre-trained here."""
    layers: Size = 12
    hidden_size: Size = 768
    heads: Size = 12
    mlp_size: Size = 3072
    image_size: Size = 224
    patch_size: Size = 16
    channels: Literal[1, 3] = 3
    """1: grey; 3: RGB."""
    initial_std: PositiveFloat = 0.02
    """Standard deviation of the initial weights. At width 64, 0.02 leaves the residual branches almost inert."""
    dropout: Share = 0.0
    """Of the residual branches; also where the checkpoint's own is another."""


@dataclass(frozen=True)
class Schedule:
    """How a network is trained: Adam as in the paper, linear warm-up, then linear decay to zero."""

    steps: Count
    batch_size: Count
    learning_rate: PositiveFloat
    check_every: Count
    """Steps between two evaluations on the selection images, each of which saves the state of the run."""
    selection_orders: Count = 4
    """Orders that such an evaluation averages over, the same each time."""
    warmup: Share = 0.1
    """Share of the steps in which the learning rate rises."""
    betas: tuple[Share, Share] = (0.9, 0.999)
    epsilon: PositiveFloat = 1e-6
    mixed_precision: Literal["no", "bf16"] = "no"
    """As Accelerate names them."""
    cpu: bool = False
    """Train on the CPU even where there is a GPU, in one thread: the same bits whatever else runs."""


@dataclass(frozen=True)
class Machine:
    """Options of speed and memory. They do not change what is learned, so they are no part of a run's recipe."""

    readers: NonNegativeInt = 0
    """DataLoader workers."""
    decode_on_gpu: bool = False
    """Decode, resize and scale the images on the GPU; the workers only read them."""
    compile: bool = False
    """Compile each layer. It takes a minute at first, so that it pays for long runs only."""
    accumulate: PositiveInt = 1
    """Gradient accumulation: micro-batches that a batch is split into."""
    recompute: bool = False
    """Gradient checkpointing: recompute the activations of a layer in the backward pass instead of keeping them."""
    update_at_once: bool = False
    """Update each weight in the backward pass, so that its gradient is freed there. On one device, in whole batches."""


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
    seeds: Annotated[int, Field(gt=0, le=10_000)] = 5
    """Networks an approach (§4)."""

    def contradictions(self) -> Iterator[str]:
        """What its values say against one another, a sentence each."""
        if (self.backbone.checkpoint is None) == (self.pretrain is None):
            yield "The network starts either from backbone.checkpoint or from a training under [pretrain]: give one."
        if self.images.folders[0] == self.images.folders[1]:
            yield "The two folders of images.folders are one: training and validation images must not be the same."


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


Networks: TypeAlias = Callable[[Any], Sequence[tuple[Approach, int]]]
"""The networks of a profile: (approach, number of seeds)."""


@dataclass(frozen=True)
class Result:
    """What `lsnotebook record` can write of a profile, and how that is checked before it is shown. Each text names a
    function of a profile or a class, "module:name", imported when it is needed."""

    compute: str
    """Computes the table."""
    row: str
    """What a row holds: a class such as those of `lsnotebook.pages.rows`."""
    keys: str
    """Lists the rows that there can be, by the first columns of `row.key`."""
    networks: Networks
    """Trained where they are missing."""
    others: Networks | None = None
    """Those that count where they are in the store: without them, rows may be missing."""
    command: str = "lsnotebook record {profile} {result}"
    """Records it."""


@dataclass(frozen=True)
class Part:
    """One paper in the book: all that the command line has to know of it. A part need not have all of this."""

    title: str
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    approaches: Mapping[str, Approach] = field(default_factory=dict)
    networks: Networks = lambda profile: ()
    """The networks that its pages ask for by default."""
    claims: str | None = None
    """The function of a profile that judges its claims: "module:function", imported when it is called. It returns the
    statements as `lsnotebook.pages.statements.judged` makes them."""
    results: Mapping[str, Result] = field(default_factory=dict)
    """What `lsnotebook record` writes, by name."""
    prepare: str | None = None
    """The function of a profile that computes what the pages show, so that they find it in the store."""
    profile: type[Profile] = Profile
    """The class of its profiles, those that are read from files too."""
    commands: Sequence[str] = ()
    """Its own commands of the command line, "module:command", in modules that load nothing heavy."""


def named(name: object, table: Mapping[str, Any], what: str, other: str = "") -> Any:
    """`table[name]`. Raises `UnknownNameError`, which says what names there are, and what `other` thing is allowed."""
    if isinstance(name, str) and name in table:
        return table[name]
    close = difflib.get_close_matches(str(name), table, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "."
    raise UnknownNameError(f"There is no {what} {name!r}: take one of {', '.join(table)}{other}{hint}")


def misfit(approach: Approach, profile: Profile) -> str:
    """Why a profile cannot have an approach; empty where it can."""
    if approach.refines is None and profile.pretrain is None:
        return f"it starts from the checkpoint {profile.backbone.checkpoint!r} and has no base of its own to train"
    if (approach.layers or 0) > profile.backbone.layers:
        return f"its network has {profile.backbone.layers} layers"
    return ""


def check_fit(approach: Approach, profile: Profile, known: Iterable[Approach] = ()) -> None:
    """Raise `UnknownNameError` where a profile cannot have an approach; it names those of `known` that it can."""
    if reason := misfit(approach, profile):
        fitting = ", ".join(one.name for one in known if not misfit(one, profile)) or "another approach"
        raise UnknownNameError(
            f"The profile {profile.name!r} cannot have the approach {approach.name!r}, since {reason}: take {fitting}."
        )
