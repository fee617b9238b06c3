"""Where a checkpoint's files are: in a local folder, or in the cache of the Hugging Face hub."""

from pathlib import Path

from huggingface_hub import snapshot_download

from lsnotebook.core.store import data_root
from lsnotebook.data.splits import DataError


def local_folder(checkpoint: str) -> Path | None:
    """`data/checkpoints/<name>`, or the folder that the name is; None where there is neither."""
    folders = (data_root() / "checkpoints" / checkpoint, Path(checkpoint))
    return next((folder for folder in folders if folder.is_dir()), None)


def folder_of(checkpoint: str) -> Path:
    """The folder of a checkpoint: a local one, or one in the hub's cache. Raises `DataError`."""
    if folder := local_folder(checkpoint):
        return folder
    try:
        return Path(snapshot_download(checkpoint, allow_patterns=["*.json", "*.safetensors"]))
    except (OSError, ValueError) as error:
        local = data_root() / "checkpoints" / checkpoint
        raise DataError(
            f"The checkpoint {checkpoint!r} is no folder and could not be fetched from the hub: check the name and the "
            f"network, or put it in {local} (hf download {checkpoint} --local-dir {local})."
        ) from error
