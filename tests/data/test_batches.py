"""The batches of a step, and loaders."""

import os
import resource
import signal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import Dataset, Subset, TensorDataset

from lsnotebook.core.profiles import Backbone
from lsnotebook.data.batches import Batches, in_turn, loader, reading
from lsnotebook.data.pictures import Files, Pictures, Unprepared, processor
from lsnotebook.data.splits import DataError


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 99), st.data())
def test_a_pass_takes_no_image_twice_and_resuming_goes_on_where_it_stopped(images, batch_size, seed, draw):
    steps = 3 * max(1, images // batch_size)
    whole = list(Batches(images, batch_size, seed, 0, steps))
    per_pass = len(whole) // 3
    for start in range(0, steps, per_pass):
        seen = [index for batch in whole[start : start + per_pass] for index in batch]
        assert len(seen) == len(set(seen)) > images - min(batch_size, images)
    if per_pass > 8:
        assert whole[:per_pass] != whole[per_pass : 2 * per_pass], "a pass has an order of its own"
    start = draw.draw(st.integers(0, steps))
    assert list(Batches(images, batch_size, seed, start, steps)) == whole[start:]


def test_in_turn_gives_every_image_once_and_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    batches = list(in_turn(TensorDataset(torch.arange(7)), 3))
    assert [batch.tolist() for (batch,) in batches] == [[0, 1, 2], [3, 4, 5], [6]]
    assert torch.equal(torch.get_rng_state(), before)


def test_a_batch_of_any_size_takes_few_open_files():
    """A reader that handed over picture by picture would run out of them at the batches of `imagenet`."""
    backbone = Backbone(image_size=16, patch_size=4)
    pictures = Pictures(
        lambda k: torch.full((k % 7 + 1,), k, dtype=torch.uint8), range(200), ["a"], 3, processor(backbone)
    )
    images = Unprepared(Subset(pictures, range(200)))
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) + 64, limits[1]))
    try:
        read = list(loader(images, readers=1, batch_size=100, collate_fn=Unprepared.collate))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    apart = [picture for joined, shapes, _ in read for picture in Unprepared.apart(joined, shapes)]
    assert [picture.tolist() for picture in apart] == [[k] * (k % 7 + 1) for k in range(200)]


class Killed(Dataset):
    """Images whose reader is killed in the midst of its work."""

    def __len__(self):
        return 4

    def __getitem__(self, k):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_reader_that_is_killed_or_finds_no_file_is_one_sentence(tmp_path):
    with pytest.raises(DataError, match=r"^A process that reads images was killed, [^\n]* or fewer --readers\.$"):
        with reading():
            list(loader(Killed(), readers=1))
    backbone = Backbone(image_size=16, patch_size=4)
    gone = Pictures(Files(tmp_path, ["gone"]).read, [0], ["a"], 3, processor(backbone))
    for readers in (0, 1):
        with pytest.raises(DataError, match=rf"^'{tmp_path}/gone' cannot be read any more [^\n]*again\.$"), reading():
            list(loader(gone, readers=readers))
    with pytest.raises(RuntimeError, match="another"), reading():
        raise RuntimeError("another")
