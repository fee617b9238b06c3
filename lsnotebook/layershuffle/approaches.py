"""The approaches of the paper (§3, §4), and how their figures mark them."""

from dataclasses import replace

from lsnotebook.core.orders import arbitrary, layerdrop, sequential
from lsnotebook.core.profiles import Approach

NETWORK = "lsnotebook.layershuffle.networks"

BASE = Approach("base", "Base", sequential, NETWORK)
"""Stands for the public checkpoint; each of the others refines it (§4)."""
BASELINE = Approach("baseline", "ViT", sequential, NETWORK, BASE)
LAYERSHUFFLE = Approach("layershuffle", "LayerShuffle", arbitrary, NETWORK, BASE)
POSITION = replace(
    LAYERSHUFFLE, name="layershuffle-position", title="LayerShuffle-position", variant=("encode_position",)
)
PREDICT = replace(
    LAYERSHUFFLE,
    name="layershuffle-predict",
    title="LayerShuffle-predict",
    variant=("predict_position", "average_position_loss"),
)
"""The position losses are averaged over the layers, as in the authors' code."""
PREDICT_SUM = replace(
    PREDICT,
    name="layershuffle-predict-sum",
    title="LayerShuffle-predict, summed",
    variant=("predict_position",),
)
"""The position losses are summed over the layers, as in §3.4: they weigh L times as much."""
LAYERDROP = Approach("layerdrop", "LayerDrop", layerdrop, NETWORK, BASE)
REFINED = {
    layers: replace(BASELINE, name=f"refined-{layers}", title=f"refined with {layers} layers", layers=layers)
    for layers in range(1, 48)
}
"""The first layers of the base alone, refined in sequence (§4.2)."""
DRIFTED = tuple(
    replace(approach, name=f"{approach.name}-x{factor}", learning_rate_factor=factor)
    for approach, factors in ((BASELINE, (4, 12, 32)), (LAYERSHUFFLE, (4, 12)))
    for factor in factors
)
"""Refined with higher learning rates, so that they drift further from the base (§4.4): when do merged models break?"""
DRIFT_SEEDS = 3
TABLE_1 = (BASELINE, LAYERSHUFFLE, POSITION, PREDICT)
APPROACHES = {
    approach.name: approach for approach in (BASE, *TABLE_1, PREDICT_SUM, LAYERDROP, *REFINED.values(), *DRIFTED)
}

TITLES = {name: approach.title for name, approach in APPROACHES.items()} | {"refined": "refined at this depth"}
"""What pages call them; "refined" stands for all of `REFINED`."""
COLOURS = {
    "base": "#7f7f7f",
    "baseline": "#8a8a8a",
    "layershuffle": "#1a85cf",
    "layershuffle-position": "#d07c00",
    "layershuffle-predict": "#b5519f",
    "layershuffle-predict-sum": "#6c3d91",
    "layerdrop": "#009e73",
    "refined": "#c8553d",
}
"""Safe for colour-blind readers (after Okabe and Ito), on light and on dark."""
MARKERS = {
    "layershuffle": "o",
    "layerdrop": "s",
    "baseline": "D",
    "refined": "^",
    "layershuffle-position": "X",
    "layershuffle-predict": "v",
    "layershuffle-predict-sum": "P",
}
