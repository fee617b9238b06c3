"""The command `lsnotebook export`, and the words that the commands of this part and of the swarm take."""

from pathlib import Path

import click

from lsnotebook.core.profile_files import find
from lsnotebook.core.profiles import Approach, named
from lsnotebook.engine.command_line import Named, check_alone, fitting
from lsnotebook.layershuffle.approaches import APPROACHES
from lsnotebook.layershuffle.profiles import PROFILES, Study

profile_argument = click.argument("profile", type=Named("profile", lambda word: find(word, PROFILES, Study)))
approach_argument = click.argument(
    "approach",
    type=Named("approach", lambda word: named(word, APPROACHES, "approach")),
    callback=fitting(APPROACHES.values),
)
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Which network of the approach."
)


@click.command()
@profile_argument
@approach_argument
@click.argument("folder", type=click.Path(path_type=Path))
@seed_option
def export(profile: Study, approach: Approach, folder: Path, seed: int) -> None:
    """Write a network to FOLDER with a model card, for `from_pretrained` of `ShuffleViT` and of the stock class.

    FOLDER is new or empty. The network is trained and evaluated where it is not in the store yet.
    """
    from lsnotebook.engine.run import Run
    from lsnotebook.layershuffle.export import export

    check_alone()
    click.echo(export(Run(profile, approach, seed), folder))
