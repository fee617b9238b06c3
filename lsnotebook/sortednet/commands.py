"""The command `lsnotebook sortednet`."""

import json
from pathlib import Path

import click

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.core.new_folder import unused, written
from lsnotebook.core.profiles import Approach, named
from lsnotebook.engine.command_line import Named, check_alone, fitting
from lsnotebook.sortednet.approaches import APPROACHES
from lsnotebook.sortednet.convolution_profiles import PROFILES as STUDIES
from lsnotebook.sortednet.convolution_profiles import ConvolutionStudy
from lsnotebook.sortednet.profiles import SortedStudy, profile_of


class ExtractionError(LsnotebookError, RuntimeError):
    """A folder that a sub-model cannot be written to."""


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
    from lsnotebook.engine import runs
    from lsnotebook.engine.run import Run
    from lsnotebook.sortednet.networks import stock
    from lsnotebook.sortednet.submodels import checked
    from lsnotebook.sortednet.submodels import extract as extracted

    check_alone()
    folder, run = unused(folder, ExtractionError), Run(profile, approach, seed)
    network = runs.load(run)
    width, whole = network.config.width, profile.backbone
    size = checked((layers or whole.layers, heads or whole.heads), network.config, width)
    made = {"run": str(run), "recipe": run.key, **size._asdict(), "width": width}
    with written(folder, ExtractionError) as inside:
        extracted(stock(network), size, width).save_pretrained(inside)
        (inside / "extracted.json").write_text(json.dumps(made, indent=1) + "\n")
    click.echo(folder)


@sortednet.command()
@click.argument("study", type=Named("profile", lambda word: named(word, STUDIES, "profile")))
@click.option("--seeds", type=click.IntRange(2, 4), help="Networks of each setting; the profile's number if not given.")
def accumulate(study: ConvolutionStudy, seeds: int | None) -> None:
    """Train sorted convolutions with accumulated gradients (Tables 5 and 6), and record what they give.

    STUDY is convolutions-smoke, cifar10-sorted-mini or cifar10-sorted.

    What is interrupted goes on where it stood. The result goes to data/results/, for all builds to show.
    """
    from lsnotebook.sortednet.convolution_records import record

    check_alone()
    click.echo(record(study, seeds))
