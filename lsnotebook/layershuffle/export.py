"""A trained network as a folder for `from_pretrained`: weights, config, image processor and a model card."""

import copy
import json
import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from safetensors.torch import load_file, save
from torch import Tensor
from transformers import DeiTForImageClassification, PreTrainedModel, ViTForImageClassification

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.core.new_folder import unused, written
from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.data.pictures import processor
from lsnotebook.engine import finished, runs
from lsnotebook.engine.provenance import PACKAGES, commit
from lsnotebook.engine.run import Run
from lsnotebook.layershuffle.checkpoints import POSITION_WEIGHTS, WEIGHTS, silent
from lsnotebook.layershuffle.measurements import accuracies
from lsnotebook.layershuffle.model import ShuffleViT

DIGITS = """

The digits that it was trained on are no files, but arrays of 0 (background) to 16. Bring 8-bit images of 0 to 255; but
for rounding, the processor makes the same numbers of them."""


class ExportError(LsnotebookError, RuntimeError):
    """A folder that a network cannot be exported to."""


def export(run: Run, folder: Path) -> Path:
    """Write the network of a run to a new or empty folder, which appears whole or not at all.

    Trains and evaluates it where that is not in the store. Raises `ExportError`.
    """
    folder = unused(folder, ExportError)
    model, splits = runs.load(run), runs.splits_of(run)
    images, backbone = splits.train.dataset, run.profile.backbone
    names = [str(name) for name in getattr(images, "classes", range(run.profile.images.classes))]
    model.config.id2label = dict(enumerate(names))
    model.config.label2id = {name: label for label, name in enumerate(names)}
    prepares = copy.copy(getattr(images, "processor", None) or processor(backbone))
    prepares.do_convert_rgb = backbone.channels == 3  # as `data.pictures.decode` does
    text = card(run, model, len(splits.validation))
    with written(folder, ExportError) as made, silent():
        model.save_pretrained(made)
        prepares.save_pretrained(made)
        as_the_stock_class(made, model)
        (made / "README.md").write_text(text, encoding="utf-8")
    return folder


def as_the_stock_class(folder: Path, model: ShuffleViT) -> None:
    """Name type and weights so that the stock class of ViT or DeiT reads them, or cannot find them (§3.3)."""
    config, weights = json.loads((folder / "config.json").read_text()), load_file(folder / WEIGHTS)
    (folder / WEIGHTS).unlink()  # its mode is one that only its owner can read
    name = WEIGHTS
    if model.config.encode_position:  # without the encodings, the stock class would be another network
        config["model_type"], name = "shufflevit", POSITION_WEIGHTS
    elif model.config.distilled:
        config |= {"model_type": "deit", "architectures": ["DeiTForImageClassification"]}
        weights = as_deit(weights)
    else:
        config["architectures"] = ["ViTForImageClassification"]
    (folder / name).write_bytes(save(weights, {"format": "pt"}))
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def as_deit(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights under the names that DeiT gives them."""
    return {re.sub(r"^vit\.", "deit.", name): weight for name, weight in weights.items()}


def stock(model: ShuffleViT) -> PreTrainedModel:
    """Hugging Face's own class, ViT's or DeiT's, with the same weights; for models without a position (§3.3, §3.4)."""
    config, weights = model.config, model.state_dict()
    made = DeiTForImageClassification(config) if config.distilled else ViTForImageClassification(config)
    made.load_state_dict(as_deit(weights) if config.distilled else weights)
    return made.eval()


def card(run: Run, model: ShuffleViT, images: int) -> str:
    """The README.md of the folder: what the network is, how good in which orders, how to run it, what made it.

    `images` is the number of validation images.
    """
    profile, approach, made, config = run.profile, run.approach, finished.made(run), model.config
    ordered, shuffled = (100 * accuracies([run], sampler)["top1"] for sampler in (sequential, arbitrary))
    addresses = dict(one.split(", ") for one in metadata.metadata("lsnotebook").get_all("Project-URL", []))
    checkpoint = profile.backbone.checkpoint or ""
    is_public = re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", checkpoint) and not Path(checkpoint).exists()
    base = f"base_model: {checkpoint}\n" if is_public else ""
    begun = (
        f"the checkpoint {checkpoint if is_public else Path(checkpoint).name}"
        if checkpoint
        else f"the run {run.base}"
        if run.base
        else "random weights"
    )
    chose = "but they chose its weights" if profile.images.selection == 0 else "nor did they choose its weights"
    source = Path(profile.images.name).name
    note = "" if source != "digits" else DIGITS
    stock = f"`{'DeiT' if config.distilled else 'ViT'}ForImageClassification` of transformers"
    if config.encode_position:
        stock = (
            "Each layer takes its position (§3.3), which the classes of transformers do not know: they do not find "
            f"`{POSITION_WEIGHTS}`, so that they do not run another network by mistake."
        )
    elif config.predict_position:
        stock += (
            " reads it too, says that it leaves out the heads that predict positions (§3.4), and runs the layers in "
            "sequence, with the same logits."
        )
    else:
        stock += " reads it too, and runs the layers in sequence, with the same logits."
    return f"""---
library_name: transformers
pipeline_tag: image-classification
# license: yours to say; the images and the base have licences of their own
{base}tags: [layershuffle]
---

# {approach.title}: {profile.name}

A vision transformer of {config.num_hidden_layers} layers for {config.num_labels} classes, trained as the approach \
`{approach.name}` of *LayerShuffle* ([arXiv 2407.04513](https://arxiv.org/abs/2407.04513)), whose layers can be run in \
any order.

## Accuracy

| order of the layers | top-1 accuracy | lowest to highest | orders |
|---|---|---|---|
| in sequence | {ordered.item():.1f} % | | 1 |
| arbitrary | {shuffled.mean():.1f} % | {shuffled.min():.1f} to {shuffled.max():.1f} % | {len(shuffled)} |

Of this one network, on {images} validation images of `{source}`: it was not trained on them, {chose}.

## Run it

With [lsnotebook]({addresses["Repository"]}) installed, in this folder:

```python
from PIL import Image
from transformers import AutoImageProcessor

from lsnotebook import ShuffleViT

model = ShuffleViT.from_pretrained(".")
image = Image.open("image.png").convert("{"L" if config.num_channels == 1 else "RGB"}")
prepared = AutoImageProcessor.from_pretrained(".")(image, return_tensors="pt")
logits = model(**prepared, order={list(reversed(range(config.num_hidden_layers)))}).logits  # None: in sequence
print(model.config.id2label[logits.argmax().item()])
```

{stock}{note}

## Provenance

| what | value |
|---|---|
| run | profile {profile.name}, approach {approach.name}, seed {run.seed}: {run.schedule.steps} steps from {begun} |
| recipe hash | {run.key} |
| lsnotebook | {metadata.version("lsnotebook")}, commit {commit()} |
| trained on | {made["device"]} ({made["machine"]}) |
| with | {", ".join(f"{name} {made[name]}" for name in ("python", *PACKAGES))} |

Again: `lsnotebook export {profile.name} {approach.name} --seed {run.seed} FOLDER`
"""
