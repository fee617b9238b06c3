import json
import re

import pytest
import torch
from torch import nn
from transformers import BertConfig, DeiTConfig, T5Config, ViTConfig

from lsnotebook.core.profiles import Backbone
from lsnotebook.data.splits import DataError
from lsnotebook.roam.capture import captured
from lsnotebook.roam.graph import KINDS, at_peak, peak
from lsnotebook.roam.networks import NetworkError, batch_of, build, config_of, of_backbone
from lsnotebook.roam.orders import heuristic


def test_every_weight_has_a_gradient_that_its_update_frees(steps):
    step = steps["sdpa"]
    graph = step.graph
    gradients = [block for block in range(len(graph.sizes)) if graph.kind(block) == KINDS[0]]
    assert len(graph.updates) == step.parameters
    weights = sum(fake.nbytes for fake in weights_of(step))
    assert weights == step.weights and step.fixed == 3 * weights
    # A gradient may lie in the block of something larger, but not in a smaller one.
    assert sum(graph.sizes[block] for block in gradients) >= weights


def weights_of(step):
    nodes = step.traced.graph.find_nodes(op="placeholder")
    return [node.meta["val"] for node in nodes[: step.parameters]]


def test_operators_wait_for_what_they_read_and_for_what_reads_what_they_overwrite(step):
    graph = step.graph
    for block, maker in enumerate(graph.makers):
        assert all(maker in everything_before(graph)[reader] for reader in graph.readers[block])
    # A weight's update comes after everything that reads this weight, in whatever order.
    for update in graph.updates:
        weight = step.operators[update].args[0][0]
        storage = weight.meta["val"].untyped_storage()._cdata
        reading = [
            place
            for place, node in enumerate(step.operators[:update])
            if any(of(one) == storage for one in node.all_input_nodes)
        ]
        assert reading and set(reading) <= everything_before(graph)[update]


def of(node):
    value = node.meta.get("val")
    return value.untyped_storage()._cdata if isinstance(value, torch.Tensor) else None


def everything_before(graph):
    found = []
    for needed in graph.before:
        found.append(frozenset(needed).union(*(found[one] for one in needed)))
    return found


def test_views_make_no_block_and_the_loss_outlives_the_step(step):
    made = {node for block in step.nodes for node in block}
    (loss,) = step.traced.graph.output_node().all_input_nodes
    (kept,) = step.graph.kept
    assert loss in step.nodes[kept] and step.graph.sizes[kept] == 4
    views = [
        node for node in step.traced.graph.nodes if str(node.target).startswith(("aten.view", "aten.t.", "aten.detach"))
    ]
    assert views and not set(views) & set(step.operators)
    assert any(set(views) & block for block in step.nodes) and made


def test_a_larger_batch_has_more_activations_and_the_same_gradients():
    config = of_backbone(Backbone(layers=1, hidden_size=16, heads=2, mlp_size=24, image_size=8, patch_size=4), 3)
    model = build(config)
    shares = {}
    for size in (1, 64):
        graph = captured(model, batch_of(model, size)).graph
        order = heuristic(graph)["program"]
        shares[size] = {kind: part / peak(graph, order) for kind, part in at_peak(graph, order).items()}
    assert shares[1][KINDS[0]] > 0.5 > shares[64][KINDS[0]] and shares[64][KINDS[1]] > shares[1][KINDS[1]]


class Sorting(nn.Module):
    """What it does depends on a value."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3, device="meta"))

    def forward(self, pixel_values):
        return self.weight if self.weight.sum() > 0 else -self.weight


def test_a_step_that_cannot_be_traced_is_told_in_one_sentence():
    with pytest.raises(
        NetworkError, match=r"The training step of Sorting cannot be traced .*must not depend on the values"
    ):
        captured(Sorting(), {"pixel_values": torch.zeros(1)})


def test_what_is_no_classifier_and_no_language_model_is_told_in_one_sentence(tmp_path, monkeypatch):
    for config in (T5Config(), BertConfig()):  # BERT sees the words that follow
        with pytest.raises(NetworkError, match=r"A \w+ is neither an image classifier nor a causal language model"):
            build(config)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(NetworkError, match=re.escape(f"The checkpoint {str(tmp_path)!r} has no config.json")):
        config_of(str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DataError, match="no folder"):
        config_of("nobody/nothing at all")


@pytest.mark.parametrize(
    "wrong", [{"patch_size": 0}, {"hidden_size": -16}, {"hidden_size": "abc"}, {"hidden_act": "foo"}, None],
    ids=["patch 0", "a negative size", "a text", "no activation", "null"],
)  # fmt: skip
def test_a_configuration_that_makes_no_network_is_told_in_one_sentence(tmp_path, wrong):
    sizes = {"hidden_size": 24, "num_attention_heads": 2, "num_hidden_layers": 1, "model_type": "vit"}
    (tmp_path / "config.json").write_text(json.dumps(wrong and {**sizes, **wrong}))
    with pytest.raises(
        NetworkError, match=r"^The (network cannot be built|checkpoint .*) \(\w+(: .*)?\): name "
    ) as told:
        build(config_of(str(tmp_path)))
    assert "\n" not in str(told.value)


def test_a_checkpoint_need_not_name_its_architecture():
    """Of DeiT there are two classifiers, of which transformers looks for the one that is named."""
    config = DeiTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24)
    assert type(build(config)).__name__ == "DeiTForImageClassification"


def test_a_checkpoint_is_its_config_alone(tmp_path):
    ViTConfig(hidden_size=24, num_attention_heads=2).save_pretrained(tmp_path)
    assert config_of(str(tmp_path)).hidden_size == 24
    assert config_of("ViT-B/16").num_labels == 1000


def test_a_text_that_is_too_long_is_told_in_one_sentence():
    model = build(BertConfig(is_decoder=True, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, vocab_size=9))
    assert batch_of(model, 2, 7)["input_ids"].shape == (2, 7)
    with pytest.raises(NetworkError, match="at most 512 tokens, but 513 are asked for"):
        batch_of(model, 1, 513)
