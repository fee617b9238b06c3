"""Training steps of small networks, captured once."""

import pytest
from transformers import GPT2Config, ViTConfig

from lsnotebook.roam.capture import captured
from lsnotebook.roam.networks import batch_of, build

SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}


def vit(attention="sdpa", recompute=False, batch=2, **options):
    config = ViTConfig(**SMALL, image_size=8, patch_size=4, num_channels=1, num_labels=3, **options)
    model = build(config, attention, recompute)
    return captured(model, batch_of(model, batch))


def gpt2(dropout=0.1):
    """A causal language model whose embedding is its head, too, in training mode: with dropout."""
    sizes = {"n_layer": 2, "n_embd": 16, "n_head": 2, "vocab_size": 20, "n_positions": 8}
    model = build(GPT2Config(**sizes, resid_pdrop=dropout, embd_pdrop=dropout, attn_pdrop=dropout), "eager")
    return captured(model, batch_of(model, 2))


@pytest.fixture(scope="session")
def steps():
    """By name: ViTs with attention as one operator, as several, with gradient checkpointing; GPT-2 with dropout."""
    return {
        "sdpa": vit(),
        "eager": vit("eager"),
        "recompute": vit("eager", recompute=True),
        "gpt2": gpt2(),
    }


@pytest.fixture(params=["sdpa", "eager", "recompute", "gpt2"])
def step(request, steps):
    return steps[request.param]
