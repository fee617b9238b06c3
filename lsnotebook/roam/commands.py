"""The command `lsnotebook roam`: what memory a training step of a checkpoint takes in each order of its operators."""

import math

import click

from lsnotebook.engine.command_line import check_alone


def finite(context: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """A number that is one."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is no number of GiB: give one such as 16.")
    return value


@click.command()
@click.argument("checkpoint")
@click.option(
    "--batch", type=click.IntRange(1, 1_000_000), default=1, show_default=True, help="Images or texts at a time."
)
@click.option("--length", type=click.IntRange(min=1), help="Tokens of a text; 512 at most if not given.")
@click.option("--attention", type=click.Choice(["sdpa", "eager"]), help="The network's own if not given.")
@click.option("--recompute/--keep", default=False, help="Gradient checkpointing.")
@click.option(
    "--memory",
    type=click.FloatRange(min=0, min_open=True),
    callback=finite,
    help="GiB: find the largest batch that fits.",
)
def roam(
    checkpoint: str, batch: int, length: int | None, attention: str | None, recompute: bool, memory: float | None
) -> None:
    """Print the peak memory of a training step of CHECKPOINT in each order of its operators.

    CHECKPOINT is ViT-B/16, or the folder or hub name of an image classifier or a causal language model of Hugging Face;
    its config.json is enough. Nothing is trained and no weights are read: the step (float32, Adam) is traced without
    values. What the operators use while they run comes on top.
    """
    from lsnotebook.roam.networks import config_of
    from lsnotebook.roam.planning import largest, report

    check_alone()
    config = config_of(checkpoint)
    options = {"attention": attention, "recompute": recompute, "length": length}
    click.echo(report(config, batch, **options))
    if memory:
        click.echo(largest(config, memory, **options))
