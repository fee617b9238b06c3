"""The command `lsnotebook sortednet`."""

from pathlib import Path

import click

from lsnotebook.core.profiles import Approach, named
from lsnotebook.engine.command_line import Named, check_alone, fitting
from lsnotebook.sortednet.approaches import APPROACHES
from lsnotebook.sortednet.convolution_profiles import ConvolutionStudy
from lsnotebook.sortednet.convolution_profiles import profile_of as study_of
from lsnotebook.sortednet.profiles import SortedStudy, profile_of


@click.group()
def sortednet() -> None:
    """Sub-models of sorted networks."""


@sortednet.command()
@click.argument("profile", type=Named("profile", profile_of))
@click.argument(
    "approach",
    type=Named("approach", lambda word: named(word, APPROACHES, "approach")),
    callback=fitting(APPROACHES.values),
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--layers", type=click.IntRange(min=1), help="The first so many layers; all if not given.")
@click.option("--heads", type=click.IntRange(min=1), help="The first so many heads of each; all if not given.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Which network of the approach.")
def extract(
    profile: SortedStudy, approach: Approach, folder: Path, layers: int | None, heads: int | None, seed: int
) -> None:
    """Write a sub-model to FOLDER, for `ViTForImageClassification.from_pretrained`.

    FOLDER is new or empty. The network is trained where it is not in the store yet.
    """
    from lsnotebook.engine.run import Run
    from lsnotebook.sortednet.extraction import write
    from lsnotebook.sortednet.submodels import Size

    check_alone()
    size = Size(layers or profile.backbone.layers, heads or profile.backbone.heads)
    click.echo(write(Run(profile, approach, seed), size, folder))


@sortednet.command()
@click.argument("study", type=Named("profile", study_of))
@click.option("--seeds", type=click.IntRange(2, 4), help="Networks of each setting; the profile's number if not given.")
def accumulate(study: ConvolutionStudy, seeds: int | None) -> None:
    """Train sorted convolutions with accumulated gradients (Tables 5 and 6), and record what they give.

    STUDY is convolutions-smoke, cifar10-sorted-mini or cifar10-sorted.

    What is interrupted goes on where it stood. The result goes to data/results/, for all builds to show.
    """
    from lsnotebook.sortednet.convolution_records import record

    check_alone()
    click.echo(record(study, seeds))
