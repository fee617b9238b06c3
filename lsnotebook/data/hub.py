"""Checkpoints of the Hugging Face hub: their JSON files and safetensors, never pickles."""

from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

from lsnotebook.data.splits import DataError


def fetched(checkpoint: str, place: str | Path, **options: Any) -> Path:
    """The folder of a checkpoint in the hub's cache. `place` is where its files may be put instead; `options` as of
    `snapshot_download`. Raises `DataError`."""
    try:
        return Path(snapshot_download(checkpoint, allow_patterns=["*.json", "*.safetensors"], **options))
    except HFValidationError as error:
        raise DataError(
            f"The checkpoint {checkpoint!r} is no folder, nor a name of the hub (owner/name); check the path."
        ) from error
    except GatedRepoError as error:
        raise DataError(
            f"The checkpoint {checkpoint!r} needs its owner's permission; ask for it on its page of the hub, and log "
            "in with `hf auth login`."
        ) from error
    except RepositoryNotFoundError as error:
        raise DataError(
            f"The checkpoint {checkpoint!r} is neither a folder nor on the hub, or is private; check the name, or log "
            "in with `hf auth login`."
        ) from error
    except (OSError, ValueError) as error:
        raise DataError(
            f"The checkpoint {checkpoint!r} is no folder and could not be fetched from the hub: check the name and the "
            f"network, or put it in {place} (hf download {checkpoint} --local-dir {place})."
        ) from error
