"""Where the checkpoint of a profile is: in a local folder, or in the cache of the Hugging Face hub."""

from pathlib import Path

from lsnotebook.core.store import data_root
from lsnotebook.data.hub import fetched


def local_folder(checkpoint: str) -> Path | None:
    """`data/checkpoints/<name>`, or the folder that the name is; None where there is neither."""
    folders = (data_root() / "checkpoints" / checkpoint, Path(checkpoint).expanduser())
    return next((folder for folder in folders if folder.is_dir()), None)


def folder_of(checkpoint: str) -> Path:
    """The folder of a checkpoint: a local one, or one in the hub's cache. Raises `DataError`."""
    return local_folder(checkpoint) or fetched(checkpoint, data_root() / "checkpoints" / checkpoint)
