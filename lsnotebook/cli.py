"""The command line: `lsnotebook train | sweep | status | claims | record`, as a study goes."""

import dataclasses
import json
import logging
import os

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
        except BrokenPipeError:  # `| head`: click's own business
            raise
        except OSError as error:
            raise Sentence(f"{error}; mend that, or name another place for data/ in LSNOTEBOOK_DATA.") from error
        except (RuntimeError, ValueError) as error:
            if type(error).__name__ not in (
                "TrainingError",
                "DataError",
                "SweepError",
            ):  # to name them imports torch for --help
                raise
            raise Sentence(str(error)) from error


profile_argument = click.argument("profile", type=click.Choice(list(profiles.PROFILES)))


approaches_argument = click.argument(
    "approaches", nargs=-1, type=click.Choice(list(profiles.APPROACHES)), metavar="[APPROACHES]..."
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lsnotebook")
def main() -> None:
    """The runs behind the companion book of LayerShuffle (arXiv 2407.04513)."""


@main.command()
@profile_argument
@approaches_argument
@click.option("--seed", type=click.IntRange(min=0), help="Train this seed only.")
@click.option("--seeds", type=click.IntRange(min=1), help="Networks an approach; the profile's number if not given.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Processes side by side; on the CPU one a core if not given.",
)
@click.option("--accumulate", type=click.IntRange(min=1), help="Parts that a batch is taken in, where memory is short.")
@click.option("--recompute/--keep", default=None, help="Compute twice what memory is too short to keep.")
@click.option("--compile/--no-compile", default=None, help="Compile each layer first.")
@click.option("--readers", type=click.IntRange(min=0), help="Processes that read images.")
def train(
    profile: str,
    approaches: tuple[str, ...],
    seed: int | None,
    seeds: int | None,
    workers: int | None,
    readers: int | None,
    **machine: int | bool | None,
) -> None:
    """Train what is not in the run store yet: the named APPROACHES, or all that the book needs.

    A run that was interrupted goes on where it stopped. On several GPUs or machines: accelerate launch -m lsnotebook
    train ... The last four options concern speed and memory only; by default they are the profile's.
    """
    if seed is not None and seeds is not None:
        raise click.UsageError("--seed names one network, --seeds how many; give one of them.")
    scale = profiles.profile(profile)
    told = {name: value for name, value in {**machine, "workers": readers}.items() if value is not None}
    scale = dataclasses.replace(scale, machine=dataclasses.replace(scale.machine, **told))
    names = approaches or profiles.TABLE_1
    if seed is not None:
        wanted = [Run(scale, name, seed) for name in names]
    else:
        wanted = runs.study(scale, names, seeds) if approaches or seeds else runs.book(scale)
    logging.basicConfig(format="%(message)s")
    logging.getLogger("lsnotebook").setLevel(logging.INFO)
    runs.ensure(wanted, workers)
    if not int(os.environ.get("RANK", 0)):
        click.echo(f"{len(wanted)} runs of {profile} are in the store: {wanted[0].folder.parent}")


def check_alone() -> None:
    """Results are computed by one process: of several, each would compute and write all of them."""
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise click.UsageError(
            "Results are computed by one process: train with `accelerate launch -m lsnotebook train`, then run this "
            "command by itself."
        )


@main.command()
@profile_argument
@click.option("--json", "as_json", is_flag=True, help="As a list of objects.")
def claims(profile: str, as_json: bool) -> None:
    """Check every claim of the paper on the networks of a profile, training those that are missing."""
    from lsnotebook import claims, scoreboard

    check_alone()
    statements = claims.check(profiles.profile(profile))
    if as_json:
        click.echo(json.dumps(scoreboard.records(statements), indent=1))
        return
    for claim in scoreboard.records(statements):
        click.echo(f"{claim['id']:4}{claim['verdict'].upper()}: {claim['claim']}")
        for part in claim["statements"]:
            low, high = part["interval"]
            paper = "" if part["paper"] is None else f"; paper {part['paper']:.1f}"
            click.echo(f"      {part['verdict']}: {part['rule']}: {part['build']:.1f} [{low:.1f}, {high:.1f}]{paper}")


@main.command()
@profile_argument
@click.argument("parts", nargs=-1, type=click.Choice(["table1", "claims"]), metavar="[table1] [claims]")
@click.option("--seeds", type=click.IntRange(min=2), help="Networks an approach; the profile's number if not given.")
def record(profile: str, parts: tuple[str, ...], seeds: int | None) -> None:
    """Write Table 1 and the verdicts of a profile, with what made them, to data/results/, for all builds to show.

    Networks that are missing are trained: the four approaches for table1, all of the book for claims.
    """
    from lsnotebook import results

    check_alone()
    scale = profiles.profile(profile)
    scale = dataclasses.replace(scale, seeds=seeds or scale.seeds)
    for part in parts or results.PARTS:
        click.echo(results.record(scale, part))


@main.command()
@profile_argument
@approaches_argument
@click.option("--seeds", type=click.IntRange(min=1), help="Networks an approach; the profile's number if not given.")
@click.option("--address", help="The Ray cluster; this machine if not given.")
@click.option("--gpus", type=click.IntRange(min=1), default=1, show_default=True, help="GPUs that a run takes.")
def sweep(profile: str, approaches: tuple[str, ...], seeds: int | None, address: str | None, gpus: int) -> None:
    """Train what is not in the run store yet on a Ray cluster, wherever there is room.

    The nodes share data/. A run whose node dies is taken up by another one where it stopped.
    """
    from lsnotebook.sweep import sweep

    scale = profiles.profile(profile)
    sweep(runs.study(scale, approaches, seeds) if approaches else runs.book(scale), address, gpus)


@main.command()
@profile_argument
@click.option("--address", help="Ask a node of this Ray cluster, which sees the store; this machine if not given.")
def status(profile: str, address: str | None) -> None:
    """List the runs that the book needs, and where each stands."""
    wanted = runs.book(profiles.profile(profile))
    if address:
        from lsnotebook.sweep import connected

        ray = connected(address)
        table = ray.get(ray.remote(runs.status).options(num_cpus=0).remote(wanted))
    else:
        table = runs.status(wanted)
    click.echo(
        table.to_string(index=False, na_rep="", formatters={"top-1 %": "{:.1f}".format, "hours": "{:.2f}".format})
    )
    click.echo("; ".join(f"{count} {stands}" for stands, count in table["stands"].value_counts().items()))
