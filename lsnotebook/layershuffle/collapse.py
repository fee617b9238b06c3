"""Why does a ViT collapse in arbitrary order? Layers held in place, two layers exchanged, and how the answer forms.

The paper says nothing of this. The images are spread evenly over the validation split: those of folders stand class by
class. An interval over networks and orders does not count which images they are.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from itertools import combinations_with_replacement

import pandas as pd
from torch import Tensor, nn

from lsnotebook.core.orders import Order, sequential
from lsnotebook.data.splits import Splits
from lsnotebook.data.subsets import spread
from lsnotebook.engine.evaluation import score
from lsnotebook.layershuffle.evaluation import evaluate, outputs
from lsnotebook.layershuffle.model import ShuffleViT, ShuffleViTOutput


def held(order: Order, layers: Collection[int]) -> Order:
    """A permutation with some layers put back at their own positions; the others keep their order among themselves."""
    others = iter([layer for layer in order if layer not in layers])
    return tuple(position if position in layers else next(others) for position in range(len(order)))


def holdings(layers: int) -> Iterator[tuple[str, int, range]]:
    """What `anchored` holds in place, (way, number, layers): "first" or "last" so many, a single "layer"."""
    for number in sorted({0, 1, 2, 3, layers // 4, layers // 2, layers}):
        if number <= layers:
            yield "first", number, range(number)
            yield "last", number, range(layers - number, layers)
    yield from (("layer", layer, range(layer, layer + 1)) for layer in range(layers))


def exchanged(layers: int, first: int, second: int) -> Order:
    """The original order with two layers exchanged."""
    order = list(range(layers))
    order[first], order[second] = second, first
    return tuple(order)


def anchored(models: Sequence[nn.Module], splits: Splits, orders: Sequence[Order], images: int) -> pd.DataFrame:
    """Top-1 of one model under each order with layers held in place: way and number (`holdings`), draw, order, top1.

    With 0 held the order is as it was drawn, with all it is the original one.
    """
    (model,) = models
    cases = [
        (way, number, draw, held(order, layers))
        for way, number, layers in holdings(model.config.num_hidden_layers)
        for draw, order in enumerate(orders)
    ]
    found = evaluate(model, spread(splits.validation, images), [case[-1] for case in cases])
    table = pd.DataFrame([case[:-1] for case in cases], columns=["way", "number", "draw"])
    return table.join(found[["order", "top1"]])


def swaps(models: Sequence[nn.Module], splits: Splits, images: int) -> pd.DataFrame:
    """Top-1 of one model in sequence but for two layers that are exchanged: first, second, top1, one row for each pair
    first < second; where they are the same layer, nothing is exchanged."""
    (model,) = models
    layers = model.config.num_hidden_layers
    pairs = list(combinations_with_replacement(range(layers), 2))
    found = evaluate(model, spread(splits.validation, images), [exchanged(layers, *pair) for pair in pairs])
    return pd.DataFrame(pairs, columns=["first", "second"]).assign(top1=found["top1"])


def probability(output: ShuffleViTOutput, labels: Tensor) -> Tensor:
    """That of the right class, for each image (B,)."""
    return output.logits.float().softmax(-1).gather(1, labels[:, None])[:, 0]


def lens(models: Sequence[ShuffleViT], splits: Splits, orders: Sequence[Order], images: int) -> pd.DataFrame:
    """The mean probability of the right class after every layer of one model, in sequence and under each order.

    A logit lens (nostalgebraist 2020): the final LayerNorm and the classifier read the class token before the last
    layer has run, which is what the model answers in the order that ends there. Columns: policy, draw, number (of
    layers that have run, from 0), probability.
    """
    (model,) = models
    running = [("sequential", 0, sequential(model.config.num_hidden_layers))]
    running += [("arbitrary", draw, order) for draw, order in enumerate(orders)]
    cases = [
        (policy, draw, number, order[:number]) for policy, draw, order in running for number in range(len(order) + 1)
    ]
    answers = partial(outputs, model, [case[-1] for case in cases])
    found = score(answers, spread(splits.validation, images), model.device, measures={"probability": probability})
    return pd.DataFrame([case[:-1] for case in cases], columns=["policy", "draw", "number"]).join(found)
