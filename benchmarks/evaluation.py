"""Evaluating one model in many orders: `evaluation.evaluate` against the stock class in a plain loop.

    python benchmarks/evaluation.py --scale digits --orders 10
    python benchmarks/evaluation.py --scale imagenet --images 32 --orders 2 --rounds 3

The plain loop reads the images and runs the stock class in sequence once for each order, as a script that calls an
evaluation function again and again does; it runs in float32, ours on a GPU in bf16. The weights are fresh: time does
not depend on them.
"""

import dataclasses

import click
import pandas as pd
import torch
from interleaved import interleaved, ratio
from torch.utils.data import TensorDataset
from transformers import ViTForImageClassification

from lsnotebook import profiles, training
from lsnotebook.data import in_turn
from lsnotebook.evaluation import evaluate
from lsnotebook.orders import draw, sequential
from lsnotebook.profiles import APPROACHES


@click.command()
@click.option("--scale", default="digits", type=click.Choice(list(profiles.PROFILES)), help="Whose model.")
@click.option("--images", "count", default=997)
@click.option("--orders", default=10)
@click.option("--rounds", default=10)
@click.option("--batch", default=250, help="Images at a time, for all ways.")
def main(scale: str, count: int, orders: int, rounds: int, batch: int) -> None:
    profile = profiles.profile(scale)
    profile = dataclasses.replace(profile, backbone=dataclasses.replace(profile.backbone, checkpoint=None))
    backbone = profile.backbone
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = training.initial(profile, APPROACHES["layershuffle"], 0).eval().to(device)
    stock = ViTForImageClassification(model.config).eval().to(device)
    stock.load_state_dict(model.state_dict())
    pixel_values = torch.randn(count, backbone.channels, *[backbone.image_size] * 2)
    images = TensorDataset(pixel_values, torch.randint(profile.data.classes, (count,)))

    def plain() -> list[float]:
        found = []
        for _ in range(orders):
            with torch.no_grad():
                right = sum(
                    (stock(x.to(device)).logits.argmax(-1).cpu() == y).sum().item() for x, y in in_turn(images, batch)
                )
            found.append(right / count)
        return found

    drawn, straight = draw("arbitrary", backbone.layers, orders), [sequential(backbone.layers)] * orders
    seconds = interleaved(
        {
            "stock in sequence, plain loop": plain,
            "ours, in sequence": lambda: evaluate(model, images, straight, batch),
            "ours, shuffled": lambda: evaluate(model, images, drawn, batch),
        },
        rounds,
    )
    table = pd.DataFrame(
        {
            "ms an order": 1000 * seconds.median() / orders,
            "images/s": count * orders / seconds.median(),
            "time, of the plain loop": ratio(seconds, "stock in sequence, plain loop"),
            "time, of ours in sequence": ratio(seconds, "ours, in sequence"),
        }
    )
    print(f"{scale}: {count} images, {orders} orders on {device}, {torch.get_num_threads()} threads, {rounds} rounds")
    print(table.to_string(float_format="{:.2f}".format))


if __name__ == "__main__":
    main()
