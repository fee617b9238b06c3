"""What sub-models save: a step of training, an image, and what it takes to have one by itself.

    python benchmarks/sorted.py --scale sorted-digits

First table: a step of the training loop, forward, backward and update, with a size drawn anew for each, against the
whole network each time; the last column is the share of the operations that the drawn sizes have on average. What a
sorted step takes beyond that is the cutting of the weights, and that what was not drawn is kept as it is.

Second table: one image at a time, through the whole network, through prefixes of it, and leaving early where the answer
is sure enough, asked after each layer; fresh weights are never sure, so the threshold lets an image leave after a
quarter of the layers. Then the time to extract a sub-model, and to write and read it.
"""

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import pandas as pd
import torch
from interleaved import interleaved, ratio
from torch import Tensor
from transformers import ViTForImageClassification

from lsnotebook.core.profiles import PLAIN
from lsnotebook.core.randomness import stream
from lsnotebook.core.seeding import seeded
from lsnotebook.engine import loop
from lsnotebook.engine.launch import prepare
from lsnotebook.sortednet.approaches import BOTH, DEPTH, INNER, MOVING, ORDINARY, SUMMATION, WIDTH
from lsnotebook.sortednet.grids import costs
from lsnotebook.sortednet.networks import SortedViT, initial, stock
from lsnotebook.sortednet.profiles import PROFILES, SortedStudy
from lsnotebook.sortednet.submodels import Size, extract, whole


def fresh(profile: SortedStudy, approach) -> SortedViT:
    with seeded(0, "initialisation"):
        return initial(profile, approach)


def training(profile: SortedStudy, steps: int, rounds: int) -> pd.DataFrame:
    backbone, batch, layers = profile.backbone, profile.refine.batch_size, profile.backbone.layers
    images = torch.randn(batch, backbone.channels, *[backbone.image_size] * 2)
    labels = torch.randint(profile.images.classes, (batch,))
    flops = costs(fresh(profile, BOTH)).set_index(["layers", "heads"])["flops"]
    ways: dict[str, Callable[[], object]] = {}
    shares = {}
    for approach in (ORDINARY, DEPTH, WIDTH, BOTH, MOVING, INNER, SUMMATION):
        launch, sampler = prepare(fresh(profile, approach), profile.refine, approach.order, PLAIN), approach.order
        launch.network.train()
        drawn = [sampler(layers, stream(0, "order", k)) for k in range((rounds + 1) * steps)]
        orders = itertools.cycle(drawn)

        def some(launch=launch, orders=orders) -> None:
            for order in itertools.islice(orders, steps):
                loop.gradients(launch, images, labels, order)
                launch.optimizer.step()
                launch.optimizer.zero_grad()

        ways[approach.title] = some
        if approach not in (INNER, SUMMATION):  # `costs` counts the whole width, and one sub-model a step
            shares[approach.title] = sum(flops[size] for size in drawn) / len(drawn) / flops.max()
    seconds = interleaved(ways, rounds) / steps
    return pd.DataFrame(
        {
            "ms a step": 1000 * seconds.median(),
            "time, of ordinary": ratio(seconds, ORDINARY.title),
            "operations, of the whole": pd.Series(shares),
        }
    ).loc[list(ways)]


@torch.inference_mode()
def leaving(model: ViTForImageClassification, image: Tensor, layers: int) -> None:
    """One image that leaves after so many layers, the classifier asked after each."""
    z = model.vit.embeddings(image)
    for layer in model.vit.layers[:layers]:
        z = layer(z)
        model.classifier(model.vit.layernorm(z)[:, 0]).softmax(-1).max().item()


def image_by_image(profile: SortedStudy, count: int, rounds: int) -> pd.DataFrame:
    model, backbone = stock(fresh(profile, BOTH)).eval(), profile.backbone
    images = torch.randn(count, 1, backbone.channels, *[backbone.image_size] * 2)
    layers, heads = whole(model.config)
    early = max(1, layers // 4)
    sizes = [(layers, heads), (max(1, layers // 2), heads), (early, heads), (layers, max(1, heads // 2))]

    @torch.inference_mode()
    def through(small: ViTForImageClassification) -> None:
        for image in images:
            small(image)

    smaller = {f"{a} layers, {b} heads": extract(model, (a, b)) for a, b in sizes}
    ways: dict[str, Callable[[], object]] = {name: partial(through, small) for name, small in smaller.items()}
    ways[f"leaving after {early}"] = lambda: [leaving(model, image, early) for image in images]
    seconds = interleaved(ways, rounds) / count
    first = f"{layers} layers, {heads} heads"
    return pd.DataFrame({"ms an image": 1000 * seconds.median(), "speed-up": 1 / ratio(seconds, first)}).loc[list(ways)]


def extraction(profile: SortedStudy, rounds: int) -> pd.DataFrame:
    model, size = stock(fresh(profile, BOTH)).eval(), Size(max(1, profile.backbone.layers // 2), 2)
    with TemporaryDirectory() as folder:
        place = Path(folder) / "small"

        def there_and_back() -> None:
            extract(model, size).save_pretrained(place)
            ViTForImageClassification.from_pretrained(place)

        seconds = interleaved({"extract": lambda: extract(model, size), "extract, write, read": there_and_back}, rounds)
    return pd.DataFrame({"ms": 1000 * seconds.median()})


@click.command()
@click.option("--scale", default="sorted-digits", type=click.Choice(list(PROFILES)), show_default=True)
@click.option("--rounds", default=15, show_default=True)
@click.option("--steps", default=10, show_default=True, help="Steps that a way takes when it is its turn.")
@click.option("--images", "count", default=20, show_default=True, help="Images, one by one.")
def main(scale: str, rounds: int, steps: int, count: int) -> None:
    profile = PROFILES[scale]
    torch.set_num_threads(1)  # as such profiles are trained
    print(f"{scale}: {rounds} rounds, CPU, 1 thread, torch {torch.__version__}")
    for table in (
        training(profile, steps, rounds),
        image_by_image(profile, count, rounds),
        extraction(profile, rounds),
    ):
        print(table.to_string(float_format="{:.2f}".format, na_rep=""))


if __name__ == "__main__":
    main()
