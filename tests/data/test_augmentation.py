"""Augmented images are the images moved and mirrored."""

import torch

from lsnotebook.core.randomness import stream
from lsnotebook.data.augmentation import augmented


def test_augmented_images_are_moved_and_mirrored_ones_and_depend_on_the_generator_alone():
    images = torch.rand(64, 3, 16, 16, generator=torch.Generator().manual_seed(0)) + 1
    moved = augmented(images, stream(0, "augment", 0))
    assert torch.equal(moved, augmented(images, stream(0, "augment", 0)))
    assert not torch.equal(moved, augmented(images, stream(0, "augment", 1)))
    padded = torch.nn.functional.pad(images, [2] * 4)
    for image, whole in zip(moved, padded, strict=True):
        windows = [whole[:, y : y + 16, x : x + 16] for y in range(5) for x in range(5)]
        assert any(torch.equal(image, w) or torch.equal(image.flip(-1), w) for w in windows)
