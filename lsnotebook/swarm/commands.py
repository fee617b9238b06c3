"""The command `lsnotebook swarm`."""

import math

import click

from lsnotebook.core.profiles import Approach
from lsnotebook.engine.command_line import check_alone
from lsnotebook.layershuffle.commands import approach_argument, profile_argument, seed_option
from lsnotebook.layershuffle.profiles import Study
from lsnotebook.swarm.router import RULES


@click.command()
@profile_argument
@approach_argument
@click.option(
    "--nodes", type=click.IntRange(min=1), default=12, show_default=True, help="Processes that hold a layer each."
)
@click.option("--kill", type=click.IntRange(min=0), default=0, show_default=True, help="So many of them die.")
@click.option("--slow", type=click.IntRange(min=0), default=0, show_default=True, help="So many are ten times slower.")
@click.option(
    "--load", type=click.IntRange(min=1), default=12, show_default=True, help="Requests on their way at once."
)
@click.option("--deadline", type=float, default=math.inf, help="Hops after which a request is answered, come what may.")
@click.option("--patience", type=float, default=math.inf, help="Hops after which a request does without a node.")
@click.option("--rule", type=click.Choice(list(RULES)), default="nearly", show_default=True, help="What runs next.")
@click.option("--requests", type=click.IntRange(min=1), default=100, show_default=True, help="Images, one a request.")
@click.option("--networks", type=click.IntRange(min=1), default=1, show_default=True, help="Whose layers are mixed.")
@seed_option
@click.option("--address", help="The Ray cluster; this machine if not given.")
def swarm(
    profile: Study,
    approach: Approach,
    nodes: int,
    kill: int,
    slow: int,
    load: int,
    deadline: float,
    patience: float,
    rule: str,
    requests: int,
    networks: int,
    seed: int,
    address: str | None,
) -> None:
    """Serve the images of a profile by nodes that hold the layers of a network, while some of them die.

    Nodes are spread over the machines of the Ray cluster, which need lsnotebook, but no data. A hop, the time in which
    a node runs a layer, is stretched to 30 ms. Prints what came of it beside what the simulation says.
    """
    from lsnotebook.engine import runs
    from lsnotebook.engine.run import Run
    from lsnotebook.swarm.nodes import nodes as started
    from lsnotebook.swarm.real import beside, real
    from lsnotebook.swarm.replay import check_approach
    from lsnotebook.swarm.trials import Trial, simulated

    check_alone()
    check_approach(approach)
    trial = Trial(rule, nodes, kill, slow, load, deadline=deadline, patience=patience, networks=networks)
    run = Run(profile, approach, seed)
    trial.check(run.layers)
    with started(nodes, address) as pool:  # first: a wrong address is told before hours of training
        runs.ensure([Run(profile, approach, seed + k) for k in range(networks)])
        rows, _, difference = real(pool, run, trial, requests)
    table = beside(rows, simulated(trial, run.layers, requests))
    click.echo(table.to_string(float_format="{:.2f}".format))
    click.echo(
        f"{rows['right'].mean():.1%} of the answers of real nodes are right; along the same routes, the network itself "
        f"gives the same logits to {difference:.1g}."
    )
