"""Which images each training step sees, and loaders that leave torch's global generator alone."""

import contextlib
from collections.abc import Iterator

import torch
from torch.utils.data import DataLoader, Dataset

from lsnotebook.core.randomness import stream
from lsnotebook.data.splits import DataError


class Batches:
    """The batches of the steps `start` ... `stop`-1, as lists of image indices: a DataLoader's batch sampler.

    An epoch takes every image once, shuffled anew; the images that do not fill its last batch are
    left out of this epoch. What a step sees depends on (seed, step) alone.
    """

    drop_last = True

    def __init__(self, images: int, batch_size: int, seed: int, start: int, stop: int):
        self.images, self.batch_size, self.seed = images, min(batch_size, images), seed
        self.steps = range(start, stop)

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[list[int]]:
        current = None
        for step in self.steps:
            number, place = divmod(step, self.images // self.batch_size)
            if number != current:
                current, shuffled = number, stream(self.seed, "data", number).permutation(self.images)
            yield shuffled[place * self.batch_size : (place + 1) * self.batch_size].tolist()


def loader(images: Dataset, device: torch.device | str = "cpu", readers: int = 0, **options: object) -> DataLoader:
    """A DataLoader that leaves torch's global generator alone, from which it would draw seeds for its workers.

    For a GPU its batches are in pinned memory.
    """
    return DataLoader(
        images,
        num_workers=readers,
        pin_memory=torch.device(device).type == "cuda",
        generator=torch.Generator().manual_seed(0),
        **options,
    )


def in_turn(images: Dataset, batch_size: int, device: torch.device | str = "cpu", readers: int = 0) -> DataLoader:
    """All images once, unshuffled; the last batch may be short."""
    return loader(images, device, readers, batch_size=batch_size)


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Raise `DataError` where a DataLoader worker is killed, or cannot read a file, in place of its traceback."""
    try:
        yield
    except (RuntimeError, DataError) as error:
        *_, last = str(error).strip().splitlines() or [""]
        if "DataLoader worker" not in str(error):
            raise
        if isinstance(error, DataError):
            raise DataError(last.partition(": ")[2]) from error
        raise DataError(
            "A process that reads images was killed, perhaps since memory was short: what is finished is kept, so run "
            "the same command again, with less beside it or fewer --readers."
        ) from error
