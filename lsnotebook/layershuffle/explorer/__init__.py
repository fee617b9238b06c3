"""The explorer of layer orders: take a layer, move it, drop it, repeat it, and see at once what the models predict.

In a notebook::

    LayerExplorer(runs=[baseline, layershuffle, ...])

In a live notebook it is a widget whose `order`, `image`, `probabilities` and `accuracy` Python can read, set and
observe. In a built page it is HTML that computes by itself, with the weights beside it and no request to any server;
there each order is a link: `07_explorer.html#order=2-0-1`, `#order=first-3`, `#walk=1` (orders.js).
One script (`SCRIPTS`) serves both.
"""

import functools
import html
import json
import os
from collections.abc import Sequence
from pathlib import Path

import anywidget
import pandas as pd
import torch
import traitlets
from torch import Tensor

from lsnotebook.core.draws import Pruned, draw
from lsnotebook.core.errors import LsnotebookError
from lsnotebook.core.orders import OrderError, arbitrary, check_order, sequential
from lsnotebook.core.randomness import stream
from lsnotebook.data.subsets import spread
from lsnotebook.engine import runs as store
from lsnotebook.engine.run import Run
from lsnotebook.layershuffle import figures
from lsnotebook.layershuffle.approaches import TITLES
from lsnotebook.layershuffle.evaluation import evaluate
from lsnotebook.layershuffle.explorer.answers import accuracies, one_image
from lsnotebook.layershuffle.explorer.packing import characters, packed, shape, weights
from lsnotebook.pages.style import themed, tile_colours
from lsnotebook.pages.tables import table

FOLDER = Path(__file__).parent
SCRIPTS = ("forward", "elements", "orders", "charts", "tiles", "walk", "explorer", "engine", "hosts")
"""The files of the ES module, in order; only the last one exports."""
MOST = 7 * 2**20
"""Characters of weights that a page may carry; the kernel computes for larger models."""


class ExplorerError(LsnotebookError, ValueError):
    """Runs that the explorer cannot show together."""


def module() -> str:
    """The ES module."""
    return "".join((FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)


def grouped(runs: Sequence[Run]) -> list[list[Run]]:
    """The runs of the first one's approach, and the others."""
    groups = [[run for run in runs if (run.approach == runs[0].approach) is same] for same in (True, False)]
    if not groups[1]:
        raise ExplorerError("The explorer compares models: name a baseline and at least one LayerShuffle run.")
    return groups


@functools.cache
def _contents(runs: tuple[Run, ...], images: int) -> dict:
    """All that the page's script is given: shape, networks, images, labels, colours."""
    groups = grouped(runs)
    models = [store.load(run) for run in runs]
    config, split = models[0].config, store.splits_of(runs[0]).validation
    if any(model.config.encode_position for model in models):
        raise ExplorerError("Layers that encode their position cannot be repeated at will; take other approaches.")
    large = characters(models) > MOST
    chosen = list(spread(split, images))
    return {
        "large": large,
        "shape": shape(models[0]),
        "profile": runs[0].profile.name,
        "titles": [TITLES[group[0].approach.name] for group in groups],
        "networks": [
            {"name": f"{run.approach.name} seed {run.seed}", "group": int(run in groups[1]), "seed": run.seed}
            | (packed([]) if large else packed(weights(model)))
            for run, model in zip(runs, models, strict=True)
        ],
        "pixels": packed([torch.stack([image for image, _ in chosen])]),
        "labels": [int(label) for _, label in chosen],
        "classes": [str(label) for label in range(config.num_labels)],
        "colours": tile_colours(config.num_hidden_layers),
        "style": (FOLDER / "explorer.css").read_text(encoding="utf-8"),
    }


class LayerExplorer(anywidget.AnyWidget):
    """The explorer for baselines (all runs of the first one's approach) and LayerShuffle models (the others; they can
    be merged).

    Traits: `order` (layer indices; setting it moves the tiles), `image` (its number), `probabilities` (of the first
    baseline and the first LayerShuffle model, one value a class), `accuracy` (the means of both, over the networks and
    `images` validation images, evenly spaced). Raises `ExplorerError`, and `OrderError` where `order` is set to what is
    no order.

    It opens in the original order, or in the `order` given; a page returns to it where its address names no other.
    """

    _esm = module()
    _data = traitlets.Dict().tag(sync=True)
    _kernel = traitlets.Bool(False).tag(sync=True)
    order = traitlets.List(traitlets.Int()).tag(sync=True)
    image = traitlets.Int(0).tag(sync=True)
    probabilities: traitlets.List = traitlets.List().tag(sync=True)
    accuracy: traitlets.List = traitlets.List().tag(sync=True)

    def __init__(self, runs: Sequence[Run], images: int = 200, order: Sequence[int] | None = None):
        groups = grouped(runs)
        # In turn, so that a page that is still loading can show the first of both
        self._runs = tuple(sorted(runs, key=lambda run: groups[run in groups[1]].index(run)))
        self._images = images
        content = _contents(self._runs, images)
        layers, large = content["shape"]["layers"], content["large"]
        first = list(sequential(layers) if order is None else order)
        super().__init__(order=first, _data={} if on_a_page() else content, _kernel=large)
        if large:
            self._models = [[store.load(run) for run in group] for group in groups]
            self.on_msg(self._answer)

    def open(self) -> None:
        """A built page has no kernel to open a channel to, and needs no widget manager."""
        if not on_a_page():
            super().open()

    @traitlets.validate("order")
    def _is_order(self, proposal: dict) -> list[int]:
        return list(check_order(proposal["value"], self._runs[0].layers))

    @traitlets.validate("image")
    def _is_image(self, proposal: dict) -> int:
        last = min(self._images, len(store.splits_of(self._runs[0]).validation)) - 1
        if not 0 <= proposal["value"] <= last:
            raise ExplorerError(f"There is no image {proposal['value']}; take one from 0 to {last}.")
        return proposal["value"]

    def _answer(self, _: object, question: dict, __: object) -> None:
        """Compute for the browser what is too large for it."""
        try:
            order, sources = check_order(question["order"], self._runs[0].layers), question["sources"]
        except OrderError:
            return
        chosen = spread(store.splits_of(self._runs[0]).validation, self._images)
        if question["what"] == "one":
            answer: list = one_image(self._models, order, sources, chosen[question["image"]][0][None])
        else:
            images, labels = torch.stack([image for image, _ in chosen]), Tensor([label for _, label in chosen])
            answer = accuracies(self._models, order, sources, images, labels)
        self.send({"id": question["id"], "answer": answer})

    def _repr_mimebundle_(self, **options):
        if on_a_page():
            return {"text/html": self.html(), "text/plain": "LayerExplorer"}
        return super()._repr_mimebundle_(**options)

    def html(self) -> str:
        """The explorer for a page: style, data, script and weights in one piece, and a picture where no script runs.

        The script stands before the weights, and runs while they are still on their way. For models too large for a
        page, the picture alone.
        """
        content = _contents(self._runs, self._images) | {"start": self.order}
        if content["large"]:
            return f'<div class="themed">{self.fallback()}</div>'
        blocks = "".join(
            f'<script type="text/plain" data-network="{html.escape(one["name"])}">{one["text"]}</script>'
            for one in content["networks"]
        )
        content["networks"] = [
            {key: value for key, value in one.items() if key != "text"} for one in content["networks"]
        ]
        style = content.pop("style")
        data = json.dumps(content).replace("</", "<\\/")
        script = module().replace("export default { render };", "")
        return (
            f'<div class="themed lx-page"><style>{style}</style><div class="lx">{self.fallback()}</div>'
            f'<script type="application/json" class="lx-data">{data}</script>'
            f'<script>(() => {{\n{script}\nfor (const root of document.querySelectorAll(".lx-page > .lx")) '
            f'if (!root.dataset.open) {{ root.dataset.open = "yes"; page(root); }}\n}})();</script>{blocks}</div>'
        )

    def fallback(self) -> str:
        """For readers without JavaScript: what a few orders do to both models, as a picture and a table."""
        layers = self._runs[0].layers
        keep = max(1, layers - 3)
        orders = {
            "original order": sequential(layers),
            "reversed": sequential(layers)[::-1],
            "shuffled": arbitrary(layers, stream(0, "explorer")),
            f"{layers - keep} dropped": draw(Pruned(keep), layers, 1)[0],
        }
        split = store.splits_of(self._runs[0]).validation
        columns = {
            run.approach.name: 100 * evaluate(store.load(run), split, list(orders.values()))["top1"].to_numpy()
            for run in self._runs[:2]
        }
        shown = pd.DataFrame(columns, index=list(orders))
        alt = "Top-1 accuracy of both models in the original order, reversed, shuffled, and with layers dropped."
        figure = figures.few_orders(shown, 1 / self._runs[0].profile.images.classes)
        return themed(figure, alt).data + table(shown.rename(columns=TITLES), decimals=1).data


def on_a_page() -> bool:
    """Whether this notebook is run for a page of the book, which has no kernel behind it."""
    return bool(os.environ.get("LSNOTEBOOK_PAGE"))
