"""Evaluating merged models (§4.4): shared layers and full batches against the naive way.

    python benchmarks/merging.py --models 20 --rounds 5

Naive: build each merged state dict, load it into a model, evaluate 45 images at a time. Ours: `merging.merge` and
`evaluation.score` of `lsnotebook.layershuffle`. Both see the same images and must find the same accuracies; the rounds
alternate, so that what else the machine does falls on both. The last row is the time of the matrix products alone, in
one go: what is left above it is attention, layer norms and the overhead of small calls.
"""

from functools import partial

import click
import pandas as pd
import torch
from interleaved import interleaved, ratio
from torch.utils.data import Subset

from lsnotebook.data.batches import in_turn
from lsnotebook.engine import runs
from lsnotebook.engine.run import study
from lsnotebook.layershuffle import merging
from lsnotebook.layershuffle.approaches import BASELINE
from lsnotebook.layershuffle.evaluation import score
from lsnotebook.layershuffle.profiles import PROFILES


def naive(models, all_sources, images):
    found, batches = [], list(in_turn(images, 45))  # read once, so that reading images is not what is measured
    model, states = type(models[0])(models[0].config).eval(), [source.state_dict() for source in models]
    for sources in all_sources:
        state = dict(states[sources.rest])
        for name in state:
            if name.startswith("vit.layers."):
                state[name] = states[sources.layers[int(name.split(".")[2])]][name]
        model.load_state_dict(state)
        with torch.no_grad():
            hits = [(model(x).logits.argmax(-1) == y).sum().item() for x, y in batches]
        found.append(sum(hits) / len(images))
    return found


def ours(models, all_sources, images):
    merged = [merging.merge(models, sources) for sources in all_sources]
    return score(lambda pixel_values: (model(pixel_values) for model in merged), images)["top1"].tolist()


def products(models, all_sources, images):
    """Only the matrix products of the same forward passes, all images at once."""
    linears = [module for module in models[0].vit.layers.modules() if isinstance(module, torch.nn.Linear)]
    tokens = (models[0].config.image_size // models[0].config.patch_size) ** 2 + 1
    inputs = [torch.randn(len(images) * tokens, linear.in_features) for linear in linears]
    with torch.inference_mode():
        for _ in all_sources:
            for linear, x in zip(linears, inputs, strict=True):
                linear(x)


@click.command()
@click.option(
    "--scale", default="digits", type=click.Choice(list(PROFILES)), help="The profile whose baselines are merged."
)
@click.option("--models", "count", default=20, help="Merged models.")
@click.option("--images", default=450)
@click.option("--rounds", default=5)
def main(scale: str, count: int, images: int, rounds: int) -> None:
    profile = PROFILES[scale]
    sources = study(profile, [BASELINE], profile.sources)
    models = [runs.load(run) for run in sources]
    all_sources = merging.draw_sources(profile.backbone.layers, len(models), count)
    validation = runs.splits_of(sources[0]).validation
    subset = Subset(validation, range(min(images, len(validation))))
    ways = {"naive": naive, "ours": ours, "matrix products alone": products}
    assert naive(models, all_sources, subset) == ours(models, all_sources, subset)
    seconds = interleaved({name: partial(way, models, all_sources, subset) for name, way in ways.items()}, rounds)
    table = pd.DataFrame(
        {
            "ms a model": 1000 * seconds.median() / count,
            "of naive": ratio(seconds, "naive"),
            "share of matrix products": 1 / ratio(seconds, "matrix products alone"),
        }
    )
    print(f"{scale}: {count} merged models, {len(subset)} images, {torch.get_num_threads()} threads, {rounds} rounds")
    print(table.to_string(float_format="{:.2f}".format))


if __name__ == "__main__":
    main()
