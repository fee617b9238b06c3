"""What the tests of this part share: toy networks of the real classes."""

import pytest


@pytest.fixture(scope="session")
def vit():
    """A stock ViT of 3 layers and 4 heads, with weights large enough for each layer to matter."""
    from transformers import ViTConfig, ViTForImageClassification

    from lsnotebook.core.seeding import seeded

    sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}
    images = {"image_size": 8, "patch_size": 4, "num_channels": 1, "num_labels": 10}
    with seeded(0, "toy"):
        return ViTForImageClassification(ViTConfig(**sizes, **images, initializer_range=0.2)).eval()
