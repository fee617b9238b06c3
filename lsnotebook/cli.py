"""The command line: `lsnotebook train | status`."""

import click

from lsnotebook import profiles, runs
from lsnotebook.runs import Run
from lsnotebook.store import RunStoreError


class Sentence(click.ClickException):
    """An error of the library, shown to the user as the one sentence that it is."""


class Commands(click.Group):
    def invoke(self, context: click.Context):
        try:
            return super().invoke(context)
        except RunStoreError as error:
            raise Sentence(str(error)) from error
        except (RuntimeError, ValueError) as error:
            if type(error).__name__ not in (
                "TrainingError",
                "DataError",
            ):  # to name them imports torch for --help
                raise
            raise Sentence(str(error)) from error


profile_argument = click.argument("profile", type=click.Choice(list(profiles.PROFILES)))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lsnotebook")
def main() -> None:
    """The runs behind the companion book of LayerShuffle (arXiv 2407.04513)."""


@main.command()
@profile_argument
@click.argument("approaches", nargs=-1, type=click.Choice(list(profiles.APPROACHES)))
@click.option("--seed", type=click.IntRange(min=0), help="Train this seed only.")
@click.option("--seeds", type=click.IntRange(min=1), help="Networks an approach; the profile's number if not given.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Processes side by side; on the CPU one a core if not given.",
)
def train(profile: str, approaches: tuple[str, ...], seed: int | None, seeds: int | None, workers: int | None) -> None:
    """Train what is not in the run store yet: the named APPROACHES, or all that the book needs.

    A run that was interrupted goes on where it stopped.
    """
    scale = profiles.profile(profile)
    names = approaches or profiles.BOOK
    wanted = [Run(scale, name, seed) for name in names] if seed is not None else runs.study(scale, names, seeds)
    runs.ensure(wanted, workers)
    click.echo(f"{len(wanted)} runs of {profile} are in the store: {wanted[0].folder.parent}")


@main.command()
@profile_argument
def status(profile: str) -> None:
    """List the runs that the book needs, and where each stands."""
    for run in runs.study(profiles.profile(profile), profiles.BOOK):
        stands = "done" if run.folder.exists() else "begun" if run.unfinished.exists() else "to do"
        click.echo(f"{stands:6} {run}")
