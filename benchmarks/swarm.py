"""What a swarm costs: a hop through Ray against the layer's own computation, and the router against simulated time.

    python benchmarks/swarm.py --scale digits
    python benchmarks/swarm.py --scale digits --no-ray

First table: a hop of so many images, from the client to an actor on this machine and back, against the same layer in
this process, one thread in both; what is above the layer's own time is serialisation, two messages and Ray. With 0
images it is the call alone. Weights are fresh: time does not depend on them.

Second table: simulated hops a second for swarms of several sizes, at 60 % load with one node in twelve dead, and the
router's calls of the same simulation by themselves, fed to a new router: its decisions a second, and its share of the
simulation's time. The rest is the virtual clock and the columns.
"""

import contextlib

import click
import pandas as pd
import torch
from interleaved import interleaved, ratio

from lsnotebook.core.profiles import Backbone
from lsnotebook.core.randomness import stream
from lsnotebook.core.seeding import seeded
from lsnotebook.layershuffle.approaches import LAYERSHUFFLE
from lsnotebook.layershuffle.networks import initial
from lsnotebook.layershuffle.profiles import PROFILES
from lsnotebook.swarm.driver import drive
from lsnotebook.swarm.holder import Holder
from lsnotebook.swarm.hops import Block
from lsnotebook.swarm.nodes import nodes
from lsnotebook.swarm.router import Router
from lsnotebook.swarm.simulation import Simulation
from lsnotebook.swarm.trials import Trial

FIRST = Block(0, 0)


def hops(ray, actor, layer, backbone: Backbone, eps: float, images: list[int], rounds: int) -> pd.DataFrame:
    """Milliseconds of a hop with so many images, through Ray and of the layer alone."""
    weights = {FIRST: {name: one.numpy() for name, one in layer.state_dict().items()}}
    here = Holder()
    here.hold(weights, backbone.heads, eps)
    ray.get(actor.hold.remote(weights, backbone.heads, eps))
    tokens = (backbone.image_size // backbone.patch_size) ** 2 + 1
    found = {}
    for count in images:
        z = torch.randn(count, tokens, backbone.hidden_size).numpy()
        ways = {
            "through Ray": lambda z=z: ray.get(actor.run.remote(FIRST, z, 0.0)),
            "layer alone": lambda z=z: here.run(FIRST, z, 0.0),
        }
        seconds = interleaved(ways, rounds)
        found[count] = 1000 * seconds.median()
        found[count]["Ray, of the layer"] = ratio(seconds, "layer alone")["through Ray"]
    return pd.DataFrame(found).T.rename_axis("images")


class Recorded:
    """A router that remembers what it was told."""

    def __init__(self, router: Router):
        self.router, self.told = router, []

    def __getattr__(self, name: str):
        value = getattr(self.router, name)
        if name not in ("joined", "arrived", "finished", "died", "lost_patience", "due"):
            return value

        def told(*arguments):
            self.told.append((name, arguments))
            return value(*arguments)

        return told


def simulations(layers: int, sizes: list[int], requests: int, rounds: int) -> pd.DataFrame:
    found = {}
    for size in sizes:
        trial = Trial("nearly", nodes=size, kill=size // 12, load=0.6)
        rng = stream(0, "swarm")
        held = trial.layout(layers, rng)
        faults, arrivals = trial.faults(held, layers, rng), trial.arrivals(layers, max(requests, size), rng)

        recorded = Recorded(Router(layers))
        rows = drive(recorded, Simulation(held), arrivals, faults)

        def simulated(held=held, faults=faults, arrivals=arrivals):
            drive(Router(layers), Simulation(held), arrivals, faults)

        def decided(told=recorded.told):
            router = Router(layers)
            for name, arguments in told:
                getattr(router, name)(*arguments)

        seconds = interleaved({"simulation": simulated, "router": decided}, rounds)
        begun = rows["layers"].sum() + rows["retries"].sum()
        found[size] = {
            "simulated hops/s": begun / seconds["simulation"].median(),
            "router decisions/s": begun / seconds["router"].median(),
            "router, of the simulation": ratio(seconds, "simulation")["router"],
        }
    table = pd.DataFrame(found).T.rename_axis("nodes")
    table["hops/s, of the smallest swarm's"] = table["simulated hops/s"] / table["simulated hops/s"].iloc[0]
    return table


@click.command()
@click.option("--scale", default="digits", type=click.Choice(list(PROFILES)))
@click.option("--images", multiple=True, default=(0, 1, 10, 50, 100, 500), show_default=True)
@click.option("--nodes", "sizes", multiple=True, default=(12, 120, 1200), show_default=True)
@click.option("--requests", default=2000, show_default=True, help="In a simulation; at least one a node.")
@click.option("--rounds", default=9, show_default=True)
@click.option("--ray/--no-ray", "with_ray", default=True, show_default=True)
def main(scale: str, images: list[int], sizes: list[int], requests: int, rounds: int, with_ray: bool) -> None:
    profile = PROFILES[scale]
    with contextlib.ExitStack() as held:
        tables = [simulations(profile.backbone.layers, sizes, requests, rounds)]
        if with_ray:
            torch.set_num_threads(1)
            with seeded(0, "initialisation"):
                model = initial(profile, LAYERSHUFFLE).eval()
            pool = held.enter_context(nodes(1))
            layer, eps = model.vit.layers[0], model.config.layer_norm_eps
            tables.insert(0, hops(pool.ray, pool.actors[0], layer, profile.backbone, eps, images, rounds))
    print(f"{scale}: {rounds} rounds, torch {torch.__version__}")
    for table in tables:
        print(table.to_string(float_format="{:,.2f}".format))


if __name__ == "__main__":
    main()
