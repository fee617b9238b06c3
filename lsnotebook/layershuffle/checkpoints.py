"""Checkpoints as they are found: the files of a ViT or DeiT, and a sentence for whatever else a folder holds.

Only JSON and safetensors are read: nothing is unpickled, and no code of a checkpoint runs.
"""

import contextlib
import json
import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from transformers.utils import logging as transformers_logging

from lsnotebook.core.errors import LsnotebookError

log = logging.getLogger(__name__)

KINDS = ("vit", "deit", "vit_mae", "vit_msn", "shufflevit")
"""The model types whose encoder is that of a ViT: DeiT has one more token, MAE and MSN are other ways to pre-train, and
"shufflevit" is an exported model that the stock class must not run."""
WEIGHTS = "model.safetensors"
POSITION_WEIGHTS = "shufflevit.safetensors"
"""What an exported model that needs its position (§3.3) calls its weights: the stock class, which would leave out the
encodings, does not find them."""
PICKLE = "a pickle of PyTorch"
FORMATS = {
    PICKLE: (".bin", ".pt", ".pth", ".ckpt"),
    "weights of TensorFlow": (".h5",),
    "weights of Flax": (".msgpack",),
}


class CheckpointError(LsnotebookError, RuntimeError):
    """A checkpoint that cannot be read, or is of another size or kind than the profile says."""


def config_of(folder: Path) -> dict:
    """The values of the checkpoint's `config.json`, checked to be those of a ViT. Raises `CheckpointError`."""
    if not folder.is_dir():
        raise CheckpointError(f"The checkpoint {folder} is no folder; name the one that holds its config.json.")
    if (folder / "adapter_config.json").exists():
        raise CheckpointError(
            f"The checkpoint {folder} is a LoRA adapter, which holds a change of a network alone: merge it into its "
            "base with PEFT's `merge_and_unload`, and save that with `save_pretrained`."
        )
    if not (folder / "config.json").is_file():
        raise CheckpointError(
            f"The checkpoint {folder} has no config.json: name a folder that Hugging Face's `save_pretrained` wrote, "
            "with config.json and model.safetensors."
        )
    try:
        values = dict(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise unreadable(folder / "config.json", error) from error
    kind = values.get("model_type", "vit")  # timm's have none: their weights tell
    if kind not in KINDS:
        raise CheckpointError(
            f"The checkpoint {folder} is of the type {kind!r}, whose layers are not those of a ViT; name a ViT or "
            "DeiT, such as google/vit-base-patch16-224."
        )
    if values.get("quantization_config"):
        raise CheckpointError(f"The checkpoint {folder} is quantized; name the one that it was made from.")
    if "/" in str(values.get("attn_implementation")):  # a kernel of the hub, whose code would run
        del values["attn_implementation"]
    dropped = ("model_type", "auto_map", "fusion_config", "transformers_weights")
    kept = {name: value for name, value in values.items() if name not in dropped}
    return {"distilled": kind == "deit", **kept}


def weights_of(folder: Path, variant: str | None = None) -> dict[str, Tensor]:
    """The tensors of the checkpoint, in one file or sharded, with a DeiT's named as a ViT's. `variant` is the middle of
    the file's name, as in model.fp16.safetensors. Raises `CheckpointError`."""
    name = f"model.{variant}.safetensors" if variant else WEIGHTS
    index = folder / (f"{WEIGHTS}.index.{variant}.json" if variant else f"{WEIGHTS}.index.json")
    files = [folder / file for file in (name, POSITION_WEIGHTS) if (folder / file).is_file()][:1]
    if not files and index.is_file():
        try:
            names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
            if elsewhere := [name for name in names if Path(name).name != name]:
                raise ValueError(f"{elsewhere[0]!r} lies in another folder")
            files = [folder / name for name in names]
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise unreadable(index, error) from error
        if lacking := [file.name for file in files if not file.is_file()]:
            raise CheckpointError(
                f"The checkpoint {folder} lacks {len(lacking)} of its {len(files)} files ({lacking[0]}); get it anew."
            )
    if not files:
        others = [kind for kind, endings in FORMATS.items() if any(one.suffix in endings for one in folder.iterdir())]
        if not others:
            raise CheckpointError(
                f"The checkpoint {folder} has no {name}, and only safetensors are read (a pickle can run any code): "
                "if the hub has it as a pytorch_model.bin alone, fetch all of it (hf download NAME --local-dir FOLDER) "
                "and, where you trust it, convert it with transformers' own class for it, "
                "from_pretrained(FOLDER).save_pretrained(FOLDER)."
            )
        raise CheckpointError(
            f"The checkpoint {folder} has {others[0]} but no {name}, and only safetensors are read (a pickle can "
            "run any code): where you trust it, convert it once with transformers' own class for it, "
            f"from_pretrained({str(folder)!r}{'' if others[0] == PICKLE else ', from_tf=True or from_flax=True'})"
            f".save_pretrained({str(folder)!r}){'' if others[0] == PICKLE else ' of transformers 4'}."
        )
    weights: dict[str, Tensor] = {}
    for file in files:
        try:
            weights |= load_file(file)
        except (OSError, SafetensorError) as error:  # cut off, or Git LFS's pointer to it
            raise unreadable(file, error) from error
    for key, weight in weights.items():
        odd = weight.dtype.itemsize == 1 or weight.is_complex()  # int8 and fp8 are quantized
        if odd or not weight.isfinite().all():
            kind = f"of the type {str(weight.dtype)[6:]}" if odd else "not finite"
            raise CheckpointError(
                f"The checkpoint {folder} has weights that are {kind} ({key}): weights are finite numbers in float32, "
                "float16 or bfloat16; name the checkpoint that it was made from."
            )
    return {re.sub(r"^deit\.", "vit.", name): weight for name, weight in weights.items()}


def check_complete(
    name: object,
    values: Mapping,
    weights: Mapping[str, Tensor],
    classes: int,
    report: Mapping,
    replaced: bool = True,
    quiet: bool = True,
) -> None:
    """Raise `CheckpointError` where any weights but a head for other classes would start anew, or would be left out.

    `values` are those of the checkpoint's `config.json`, `report` is Hugging Face's on its weights. With `replaced`
    a head of another size starts anew; that is logged, as a warning unless `quiet`.
    """
    unset = {*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])}
    if not (values.get("encode_position") or values.get("predict_position")):
        unset = {key for key in unset if not key.startswith("position_")}  # a variant that starts from it
    head = {key for key in unset if key.startswith("classifier.")}
    heads = {key: len(weight) for key, weight in weights.items() if key.endswith("classifier.weight")}
    has_head = heads or any("ImageClassification" in one for one in values.get("architectures") or [])
    its = max(heads.values(), default=len(values.get("id2label") or range(values.get("num_labels") or 2)))
    if not (head and has_head and its == classes):
        unset -= head
    elif len(heads) > 1:
        raise CheckpointError(
            f"The checkpoint {name} predicts with the mean of two heads ({', '.join(sorted(heads))}), which this model "
            "does not have: name the DeiT that is not distilled, or train this one on other classes."
        )
    if unset:
        raise CheckpointError(
            f"The checkpoint {name} lacks {len(unset)} weights of the network that its config.json describes, or has "
            f"them in another shape ({', '.join(sorted(unset)[:3])}): it is damaged, or no ViT or DeiT of Hugging "
            "Face; get it anew, or name another one."
        )
    inside = re.compile(r"(vit\.)?(layers|layernorm|embeddings(?!\.mask_token))\b|position_(encodings|table)")
    if extra := sorted(key for key in report["unexpected_keys"] if inside.match(key)):
        raise CheckpointError(
            f"The checkpoint {name} has {len(extra)} weights that the network of its config.json does not have "
            f"({', '.join(extra[:3])}): the two do not belong together; get both anew, or name another one."
        )
    if head and not replaced and its != classes and "classifier.weight" in heads:
        raise CheckpointError(
            f"The checkpoint {name} has a head for {its} classes, but {classes} are asked for: pass num_labels={its} "
            "to keep it, or ignore_mismatched_sizes=True for a new one."
        )
    if head:
        log.log(
            logging.INFO if quiet else logging.WARNING,
            "The checkpoint %s has no head for %d classes: the head starts anew.",
            name,
            classes,
        )


def unreadable(file: Path, error: Exception) -> CheckpointError:
    first_line = str(error).partition("\n")[0]
    return CheckpointError(f"{file} cannot be read ({type(error).__name__}: {first_line}); get it anew.")


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Without Hugging Face's progress bars and load report, which would show on pages; the report is checked here."""
    verbosity, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()
