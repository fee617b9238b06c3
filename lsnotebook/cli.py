"""The command line: `lsnotebook profile | train | sweep | status | claims | record`, and the commands of the parts.

The only module that knows all parts, whose own commands join these. What takes long to import is imported by the
command that needs it.
"""

import dataclasses
import json
import logging
from pkgutil import resolve_name
from typing import Any

import click

from lsnotebook import bpta, layershuffle, roam, sortednet, swarm
from lsnotebook.core.profile_files import as_toml, find
from lsnotebook.core.profiles import Approach, Part, Profile, named
from lsnotebook.engine.command_line import Commands, Named, check_alone, fitting
from lsnotebook.engine.ranks import rank

PARTS: list[Part] = [layershuffle.PART, swarm.PART, sortednet.PART, bpta.PART, roam.PART]


def profile_of(word: str) -> Profile:
    """The profile of that name, or of a TOML file, which is one of the first part."""
    return find(word, {name: one for part in PARTS for name, one in part.profiles.items()}, PARTS[0].profile)


def approach_of(word: str) -> Approach:
    return named(word, approaches(), "approach")


def approaches() -> dict[str, Approach]:
    return {name: one for part in PARTS for name, one in part.approaches.items()}


profile_argument = click.argument("profile", type=Named("profile", profile_of))
approaches_argument = click.argument(
    "approaches", nargs=-1, type=Named("approach", approach_of), callback=fitting(lambda: approaches().values())
)
seeds_option = click.option(
    "--seeds", type=click.IntRange(min=1), help="Networks an approach; the profile's number if not given."
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lsnotebook")
def main() -> None:
    """The runs behind the companion book of LayerShuffle (arXiv 2407.04513).

    PROFILE is smoke, digits, cifar100 ..., or a TOML file of your own: lsnotebook profile digits > flowers.toml
    """


for part in PARTS:
    for command in part.commands:
        main.add_command(resolve_name(command))


def parts_of(profile: Profile) -> list[Part]:
    """The parts of the book that such a profile is of."""
    return [part for part in PARTS if type(profile) is part.profile]


def wanted_runs(profile: Profile, approaches: tuple[Approach, ...], seeds: int | None) -> list:
    """The runs of the named approaches; of all that the pages ask for, where none is named."""
    from lsnotebook.engine.run import all_runs, study

    if approaches:
        return study(profile, approaches, seeds)
    profile = dataclasses.replace(profile, seeds=seeds or profile.seeds)
    return list(dict.fromkeys(run for part in parts_of(profile) for run in all_runs(profile, part.networks(profile))))


@main.command("profile")
@profile_argument
def show(profile: Profile) -> None:
    """Print a profile as a TOML file, to make one of your own from."""
    click.echo(as_toml(profile), nl=False)


@main.command()
@profile_argument
@approaches_argument
@click.option("--seed", type=click.IntRange(min=0), help="Train this seed of the named approaches only.")
@seeds_option
@click.option("--workers", type=click.IntRange(min=1), help="Networks trained side by side; on the CPU one a core.")
@click.option("--accumulate", type=click.IntRange(min=1), help="Gradient accumulation: parts that a batch is taken in.")
@click.option(
    "--recompute/--keep", default=None, help="Gradient checkpointing: recompute activations in the backward pass."
)
@click.option("--update-at-once/--update-after", default=None, help="Update weights within the backward pass.")
@click.option("--compile/--no-compile", default=None, help="Compile each layer first.")
@click.option("--readers", type=click.IntRange(min=0), help="Processes that read images.")
@click.option("--prepare", is_flag=True, help="Evaluate what the pages show, too.")
def train(
    profile: Profile,
    approaches: tuple[Approach, ...],
    seed: int | None,
    seeds: int | None,
    workers: int | None,
    prepare: bool,
    **machine: Any,
) -> None:
    """Train what is not in the run store yet: the named APPROACHES, or all that the book needs.

    A run that was interrupted is resumed where it stopped. On several GPUs or machines: accelerate launch -m lsnotebook
    train ... The options from --accumulate to --readers concern speed and memory only; by default they are the
    profile's.
    """
    from lsnotebook.engine import finished, runs
    from lsnotebook.engine.run import Run

    if seed is not None and (seeds is not None or not approaches):
        raise click.UsageError("--seed is one network of each named approach: name approaches, and leave out --seeds.")
    options = {name: value for name, value in machine.items() if value is not None}
    profile = dataclasses.replace(profile, machine=dataclasses.replace(profile.machine, **options))
    if profile.machine.update_at_once and profile.machine.accumulate > 1:
        raise click.UsageError("--update-at-once needs whole batches: leave out --accumulate, or take --update-after.")
    wanted = wanted_runs(profile, approaches, seeds)
    if seed is not None:
        wanted = [Run(profile, approach, seed) for approach in approaches]
    logging.basicConfig(format="%(message)s")
    logging.getLogger("lsnotebook").setLevel(logging.INFO if rank() == 0 else logging.ERROR)
    runs.ensure(wanted, workers)
    if prepare:
        check_alone()
        for prepare_pages in filter(None, (part.prepare for part in parts_of(profile))):
            resolve_name(prepare_pages)(profile)
    if rank() == 0:
        for run in wanted:
            finished.check(run)
        click.echo(f"{len(wanted)} runs of {profile.name} are in the store: {wanted[0].folder.parent}")


@main.command()
@profile_argument
@click.option("--json", "as_json", is_flag=True, help="As a list of objects.")
def claims(profile: Profile, as_json: bool) -> None:
    """Check every claim of the papers on the networks of a profile, training those that are missing."""
    from lsnotebook.pages import scoreboard
    from lsnotebook.pages.tables import as_text

    check_alone()
    checks = filter(None, (part.claims for part in parts_of(profile)))
    judged = [claim for check in checks for claim in scoreboard.records(resolve_name(check)(profile))]
    if as_json:
        click.echo(json.dumps(judged, indent=1))
        return
    for claim in judged:
        click.echo(f"{claim['id']:4}{claim['verdict'].upper()}: {claim['claim']}")
        for statement in claim["statements"]:
            paper = "" if statement["paper"] is None else f"; paper {statement['paper']:.1f}"
            found = as_text(statement["build"], statement["low"], statement["high"]).replace("\u00a0", " ")
            numbers = f"{found} over {statement['over']}{paper}"
            click.echo(f"      {statement['verdict']}: {statement['rule']}: {numbers}")


@main.command()
@profile_argument
@click.argument("results", nargs=-1)
@click.option("--seeds", type=click.IntRange(min=2), help="Networks an approach; the profile's number if not given.")
def record(profile: Profile, results: tuple[str, ...], seeds: int | None) -> None:
    """Write RESULTS (table1, claims, networks, curves, collapse; all if none is named) of a profile to data/results/,
    for all builds to show.

    Each says what made it. Networks of Table 1 are trained where they are missing, for networks, curves and collapse
    those of the ViT and of LayerShuffle alone; what needs others is recorded where these are in the store.
    """
    from lsnotebook.engine import runs
    from lsnotebook.engine.provenance import training_cost
    from lsnotebook.engine.run import all_runs, trained
    from lsnotebook.pages.results import write

    check_alone()
    profile = dataclasses.replace(profile, seeds=seeds or profile.seeds)
    there = {name: part for part in parts_of(profile) for name in part.results}
    for name in results or there:
        part = named(name, there, "result")
        result = part.results[name]
        runs.ensure(all_runs(profile, result.networks(profile)))
        networks = [*result.networks(profile), *trained(profile, result.others(profile) if result.others else [])]
        made = training_cost(all_runs(profile, networks))
        click.echo(write(part, profile, name, resolve_name(result.compute)(profile), made))


@main.command()
@profile_argument
@approaches_argument
@seeds_option
@click.option("--address", help="The Ray cluster; this machine if not given.")
@click.option("--gpus", type=click.IntRange(min=1), default=1, show_default=True, help="GPUs that a run takes.")
def sweep(
    profile: Profile, approaches: tuple[Approach, ...], seeds: int | None, address: str | None, gpus: int
) -> None:
    """Train what is not in the run store yet on a Ray cluster, wherever there is room.

    The nodes share data/. A run whose node dies is resumed by another one where it stopped.
    """
    from lsnotebook.engine.cluster import sweep

    sweep(wanted_runs(profile, approaches, seeds), address, gpus)


@main.command()
@profile_argument
@click.option("--address", help="Ask a node of this Ray cluster, which sees the store; this machine if not given.")
@click.option("--check", is_flag=True, help="Read the weights too, every byte; else their size alone is looked at.")
def status(profile: Profile, address: str | None, check: bool) -> None:
    """List the runs that the book needs, and where each stands."""
    from lsnotebook.engine import runs

    wanted = wanted_runs(profile, (), None)
    if address:
        from lsnotebook.engine.cluster import connected

        ray = connected(address)
        table = ray.get(ray.remote(runs.status).options(num_cpus=0).remote(wanted, check))
    else:
        table = runs.status(wanted, check)
    formats = {"top-1 %": "{:.1f}".format, "hours": "{:.2f}".format}
    click.echo(table.drop(columns="damage").to_string(index=False, na_rep="", formatters=formats))
    for run, damage in table.loc[table["stands"] == "damaged", ["run", "damage"]].itertuples(index=False):
        click.echo(f"{run}: {damage}")
    click.echo("; ".join(f"{count} {stands}" for stands, count in table["stands"].value_counts().items()))
