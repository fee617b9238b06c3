"""How good every sub-model of a network is: accuracy over depths and widths, and with the classifier retuned."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from torch.utils.data import Dataset
from torch.utils.flop_counter import FlopCounterMode
from transformers import ViTForImageClassification

from lsnotebook.core.profile_files import ProfileError
from lsnotebook.core.profiles import Approach
from lsnotebook.data.batches import in_turn
from lsnotebook.data.splits import Splits
from lsnotebook.engine.evaluation import score
from lsnotebook.engine.run import Run, study
from lsnotebook.engine.tables import Table, tables
from lsnotebook.sortednet.networks import SortedViT, stock
from lsnotebook.sortednet.submodels import cut, extract, possible_heads


@torch.no_grad()
def features(network: ViTForImageClassification, images: Dataset) -> tuple[Tensor, Tensor]:
    """What the classifier is given after each layer, (L, N, D), and the labels (N,): a network that ends after layer l
    is a prefix of this one, so that one pass serves all depths."""
    found, labels = [], []
    device = network.classifier.weight.device
    for pixel_values, those in in_turn(images, 250, device):
        z, after = network.vit.embeddings(pixel_values.to(device)), []
        for layer in network.vit.layers:
            z = layer(z)
            after.append(network.vit.layernorm(z)[:, 0])
        found.append(torch.stack(after))
        labels.append(those)
    return torch.cat(found, dim=1), torch.cat(labels)


def widths(
    network: SortedViT, *parts: Dataset
) -> Iterator[tuple[int, ViTForImageClassification, list[tuple[Tensor, Tensor]]]]:
    """Every width: its heads, the sub-model with all layers, and its `features` of some images."""
    config = network.config
    for heads in possible_heads(config, config.width):
        small = extract(stock(network), (config.num_hidden_layers, heads), config.width).eval()
        yield heads, small, [features(small, images) for images in parts]


def grid(models: Sequence[SortedViT], splits: Splits) -> pd.DataFrame:
    """One row for each number of layers and heads of the one network: layers, heads, top1, and retuned, the top-1 with
    a classifier of its own, a logistic regression (scikit-learn's defaults) on the training images."""
    (network,) = models
    rows = []
    for heads, small, ((seen, classes), (given, truth)) in widths(network, splits.train, splits.validation):
        for place, (there, here) in enumerate(zip(seen.cpu(), given.cpu(), strict=True)):
            own = LogisticRegression(max_iter=1_000).fit(there.numpy(), classes.numpy()).predict(here.numpy())
            top1 = (small.classifier(given[place]).argmax(-1).cpu() == truth).float().mean().item()
            rows.append((place + 1, heads, top1, float((own == truth.numpy()).mean())))
    return pd.DataFrame(rows, columns=["layers", "heads", "top1", "retuned"])


def alone(models: Sequence[SortedViT], splits: Splits, layers: int, heads: int) -> pd.DataFrame:
    """The accuracy of one sub-model of the one network: layers, heads, top1."""
    (network,) = models
    found = score(lambda images: [network(images, order=(layers, heads))], splits.validation, network.device)
    return found.assign(layers=layers, heads=heads)


def grids(profile, approaches: Sequence[Approach], seeds: int | None = None) -> pd.DataFrame:
    """`grid` of the networks of some approaches: approach, seed, layers, heads, top1, retuned."""
    wanted = study(profile, approaches, seeds)
    return joined(wanted, [Table("grid", grid, (run,)) for run in wanted], "sub-models")


def trained_alone(profile, approaches: Sequence[Approach], seeds: int | None = None) -> pd.DataFrame:
    """`alone` of networks that were trained at one size, each at its own: approach, seed, layers, heads, top1."""
    wanted = study(profile, approaches, seeds)
    return joined(wanted, [Table("alone", alone, (run,), asdict(run.approach.order)) for run in wanted], "networks")  # type: ignore[call-overload]


def check_alike(models: Sequence[Run]) -> None:
    """Raise `ProfileError` where networks that are to be compared have other images, or other sizes."""
    first, *others = dict.fromkeys(run.profile for run in models)
    for other in others:
        if (other.images, other.backbone) != (first.images, first.backbone):
            raise ProfileError(
                f"The networks of {first.name} and of {other.name} have other images or other sizes, and cannot be "
                f"compared: name in `beside` of {first.name} a profile with the same images and backbone."
            )


def joined(wanted: Sequence[Run], asked: Sequence[Table], what: str) -> pd.DataFrame:
    found = zip(wanted, tables(asked, what), strict=True)
    return pd.concat(
        [table.assign(approach=run.approach.name, seed=run.seed) for run, table in found], ignore_index=True
    )


def costs(network: SortedViT) -> pd.DataFrame:
    """The floating-point operations of one image in each sub-model: layers, heads, flops. Nothing is computed."""
    config, rows = stock(network).config, []
    shape = (1, config.num_channels, config.image_size, config.image_size)
    for heads in possible_heads(config, network.config.width):
        with torch.device("meta"), FlopCounterMode(display=False) as counter, torch.no_grad():
            small = ViTForImageClassification(cut(config, (config.num_hidden_layers, heads), network.config.width))
            small.eval()(torch.empty(shape))
        total, of_modules = counter.get_total_flops(), counter.get_flop_counts()
        for layers in range(config.num_hidden_layers, 0, -1):  # a shorter network is this one without its last layers
            rows.append((layers, heads, total))
            total -= sum(of_modules[f"{type(small).__name__}.vit.layers.{layers - 1}"].values())
    return pd.DataFrame(rows, columns=["layers", "heads", "flops"]).sort_values(["heads", "layers"], ignore_index=True)


def by_seed(table: pd.DataFrame, approach: str, measure: str = "top1", where: str = "layers > 0") -> np.ndarray:
    """(I,): the mean over some sub-models, in %, of each network of an approach."""
    there = table[table["approach"] == approach].query(where)
    return 100 * there.groupby("seed")[measure].mean().to_numpy()
