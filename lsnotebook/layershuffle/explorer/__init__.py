"""The explorer of layer orders: take a layer, move it, drop it, repeat it, and see at once what the models predict.

    LayerExplorer(runs=[baseline, layershuffle, ...])

In a live notebook it is a widget whose `order`, `image`, `probabilities` and `accuracy` Python can read, set and
observe. In a built page it is HTML that computes by itself, with the weights beside it and no request to any server.
One ES module (`forward.js`, `explorer.js`, `hosts.js`) serves both.
"""

import base64
import functools
import html
import json
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import anywidget
import pandas as pd
import torch
import traitlets
from torch import Tensor, nn

from lsnotebook.core.draws import Pruned, draw
from lsnotebook.core.errors import LsnotebookError
from lsnotebook.core.orders import OrderError, arbitrary, check_order, sequential
from lsnotebook.core.randomness import stream
from lsnotebook.engine import runs as store
from lsnotebook.engine.run import Run
from lsnotebook.layershuffle import figures
from lsnotebook.layershuffle.analysis import trace
from lsnotebook.layershuffle.approaches import TITLES
from lsnotebook.layershuffle.evaluation import evaluate
from lsnotebook.layershuffle.merging import twin
from lsnotebook.layershuffle.model import ShuffleViT
from lsnotebook.pages.style import themed, tile_colours
from lsnotebook.pages.tables import table

FOLDER = Path(__file__).parent
MOST = 6 * 2**20
"""Characters of weights that a page may carry; the kernel computes for larger models."""


class ExplorerError(LsnotebookError, ValueError):
    """Runs that the explorer cannot show together."""


def module() -> str:
    """The ES module, of its three files; only the last one exports."""
    forward, explorer, hosts = (
        (FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in ("forward", "explorer", "hosts")
    )
    return forward + explorer + hosts


def weights(model: ShuffleViT) -> list[Tensor]:
    """The parameters in the order in which `network` of forward.js takes them."""
    embeddings, parts = model.vit.embeddings, [model.vit.embeddings.patch_embeddings.projection]
    for layer in model.vit.layers:
        attention, mlp = layer.attention, layer.mlp
        parts += [layer.layernorm_before, attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj]
        parts += [layer.layernorm_after, mlp.fc1, mlp.fc2]
    parts += [model.vit.layernorm, model.classifier]
    tokens = [embeddings.cls_token, embeddings.position_embeddings]
    return [*tokens, *(weight for part in parts for weight in (part.weight, part.bias))]


def shape(model: ShuffleViT) -> dict:
    """The sizes that forward.js needs."""
    config = model.config
    return {
        "layers": config.num_hidden_layers,
        "width": config.hidden_size,
        "heads": config.num_attention_heads,
        "mlp": config.intermediate_size,
        "size": config.image_size,
        "patch": config.patch_size,
        "channels": config.num_channels,
        "classes": config.num_labels,
        "eps": config.layer_norm_eps,
    }


def packed(values: Sequence[Tensor]) -> dict:
    """The values as base64 of little-endian float16, and the CRC-32 of these bytes."""
    content = b"".join(value.detach().cpu().numpy().astype("<f2").tobytes() for value in values)
    return {"text": base64.b64encode(content).decode(), "checksum": zlib.crc32(content)}


def halved(model: ShuffleViT) -> ShuffleViT:
    """`model` with its weights rounded to float16, in place, for comparisons."""
    for weight in weights(model):
        weight.data = weight.data.half().to(weight.dtype)
    return model


@functools.cache
def _contents(runs: tuple[Run, ...], images: int) -> dict:
    """All that the page's script is given: shape, networks, images, labels, colours."""
    models = [store.load(run) for run in runs]
    config, split = models[0].config, store.splits_of(runs[0]).validation
    if any(model.config.encode_position for model in models):
        raise ExplorerError("Layers that encode their position cannot be repeated at will; take other approaches.")
    large = 8 / 3 * sum(weight.numel() for model in models for weight in weights(model)) > MOST  # base64 of float16
    chosen = [split[k] for k in range(min(images, len(split)))]
    return {
        "large": large,
        "shape": shape(models[0]),
        "networks": [
            {"name": f"{run.approach.name} seed {run.seed}", **(packed([]) if large else packed(weights(model)))}
            for run, model in zip(runs, models, strict=True)
        ],
        "pixels": packed([torch.stack([image for image, _ in chosen])]),
        "labels": [int(label) for _, label in chosen],
        "classes": [str(label) for label in range(config.num_labels)],
        "colours": tile_colours(config.num_hidden_layers),
        "style": (FOLDER / "explorer.css").read_text(encoding="utf-8"),
    }


class LayerExplorer(anywidget.AnyWidget):
    """The explorer for a baseline (the first run) and LayerShuffle models (the others; several can be merged).

    Traits: `order` (layer indices; setting it moves the tiles), `image` (its number), `probabilities` (of the baseline
    and of LayerShuffle, one value a class), `accuracy` (of both, over `images` validation images). Raises
    `ExplorerError`, and `OrderError` where `order` is set to what is no order.
    """

    _esm = module()
    _data = traitlets.Dict().tag(sync=True)
    _kernel = traitlets.Bool(False).tag(sync=True)
    order = traitlets.List(traitlets.Int()).tag(sync=True)
    image = traitlets.Int(0).tag(sync=True)
    probabilities: traitlets.List = traitlets.List().tag(sync=True)
    accuracy: traitlets.List = traitlets.List().tag(sync=True)

    def __init__(self, runs: Sequence[Run], images: int = 200):
        if len(runs) < 2:
            raise ExplorerError("The explorer compares models: name a baseline and at least one LayerShuffle run.")
        self._runs, self._images = tuple(runs), images
        content = _contents(self._runs, images)
        layers, large = content["shape"]["layers"], content["large"]
        super().__init__(order=list(sequential(layers)), _data={} if on_a_page() else content, _kernel=large)
        if large:
            self._models = [store.load(run) for run in runs]
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
        self.send({"id": question["id"], "answer": answer(self._models, order, sources, self._images_of(question))})

    def _images_of(self, question: dict) -> tuple[Tensor, list[int] | None]:
        split = store.splits_of(self._runs[0]).validation
        if "image" in question:
            return split[question["image"]][0][None], None
        chosen = [split[k] for k in range(min(self._images, len(split)))]
        return torch.stack([image for image, _ in chosen]), [int(label) for _, label in chosen]

    def _repr_mimebundle_(self, **options):
        if on_a_page():
            return {"text/html": self.html(), "text/plain": "LayerExplorer"}
        return super()._repr_mimebundle_(**options)

    def html(self) -> str:
        """The explorer for a page: style, data, weights and script in one piece, and a picture where no script runs.

        For models too large for a page, the picture alone.
        """
        content = dict(_contents(self._runs, self._images))
        if content["large"]:
            return f'<div class="themed">{self.fallback()}</div>'
        blocks = "".join(
            f'<script type="text/plain" data-network="{html.escape(one["name"])}">{one["text"]}</script>'
            for one in content["networks"]
        )
        content["networks"] = [{key: one[key] for key in ("name", "checksum")} for one in content["networks"]]
        style = content.pop("style")
        data = json.dumps(content).replace("</", "<\\/")
        script = module().replace("export default { render };", "")
        return (
            f'<div class="themed lx-page"><style>{style}</style><div class="lx">{self.fallback()}</div>'
            f'<script type="application/json" class="lx-data">{data}</script>{blocks}'
            f'<script type="module">{script}\nfor (const root of document.querySelectorAll(".lx-page > .lx")) '
            f'if (!root.dataset.open) {{ root.dataset.open = "yes"; page(root); }}</script></div>'
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


def answer(models: list[ShuffleViT], order: Sequence[int], sources: Sequence[int], images: tuple) -> object:
    """What forward.js answers: probabilities and contributions of one image, or both accuracies with labels."""
    pixel_values, labels = images[0].to(models[0].device), images[1]
    networks = [models[0], taken(models[1:], order, sources)]
    here = [tuple(order), tuple(range(len(order)))]
    with torch.inference_mode():
        logits = [model(pixel_values, order=run).logits for model, run in zip(networks, here, strict=True)]
    if labels is not None:
        return [(each.argmax(-1).cpu() == torch.tensor(labels)).float().mean().item() for each in logits]
    for model in models:  # a layer looks up in its own model how attention is computed
        model.set_attn_implementation("eager")
    adds = trace(networks[1], pixel_values, [here[1]]).contribution[0].tolist()
    return {"probabilities": [each.softmax(-1)[0].tolist() for each in logits], "adds": adds}


def taken(models: list[ShuffleViT], order: Sequence[int], sources: Sequence[int]) -> ShuffleViT:
    """The model whose p-th layer is layer `order[p]` of `models[sources[p]]`; the rest is the first model's."""
    merged = twin(models[0])
    merged.vit = twin(models[0].vit)
    merged.vit.layers = nn.ModuleList(models[s].vit.layers[index] for index, s in zip(order, sources, strict=True))
    merged.config = type(merged.config)(**{**merged.config.to_dict(), "num_hidden_layers": len(order)})
    return merged


def on_a_page() -> bool:
    """Whether this notebook is run for a page of the book, which has no kernel behind it."""
    return bool(os.environ.get("LSNOTEBOOK_PAGE"))
