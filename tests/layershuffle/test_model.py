"""ShuffleViT against the stock class, and against the paper's equations read anew from the raw weights."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import ViTForImageClassification

from lsnotebook.core.orders import OrderError
from lsnotebook.core.seeding import seeded
from lsnotebook.layershuffle.model import ShuffleViT

orders = st.lists(st.integers(0, 3), min_size=1, max_size=7)
unhurried = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def layernorm(x, weights, name):
    mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
    return (x - mean) / torch.sqrt(variance + 1e-12) * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def linear(x, weights, name):
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def gelu(x):
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def block(z, w, index, heads=4):
    """§3: z' = MSA(LN(z)) + z; z = MLP(LN(z')) + z'."""
    name, width = f"vit.layers.{index}", z.shape[-1] // heads
    h = layernorm(z, w, f"{name}.layernorm_before")
    q, k, v = (linear(h, w, f"{name}.attention.{part}_proj") for part in "qkv")
    heads_out = []
    for head in range(heads):
        part = slice(head * width, (head + 1) * width)
        scores = q[..., part] @ k[..., part].transpose(-1, -2) / math.sqrt(width)
        heads_out.append(torch.softmax(scores, -1) @ v[..., part])
    z = linear(torch.cat(heads_out, -1), w, f"{name}.attention.o_proj") + z
    hidden = gelu(linear(layernorm(z, w, f"{name}.layernorm_after"), w, f"{name}.mlp.fc1"))
    return linear(hidden, w, f"{name}.mlp.fc2") + z


def embedded(images, w, patch=4):
    """Patches in rows, each a vector of its pixels; the class token before them; a learned position for each."""
    patches = F.unfold(images, patch, stride=patch).transpose(1, 2)  # (B, N, channels * patch * patch)
    kernel = w["vit.embeddings.patch_embeddings.projection.weight"].flatten(1)
    tokens = patches @ kernel.T + w["vit.embeddings.patch_embeddings.projection.bias"]
    first = w["vit.embeddings.cls_token"].expand(len(images), -1, -1)
    return torch.cat((first, tokens), 1) + w["vit.embeddings.position_embeddings"]


def by_the_paper(images, w, order, before=lambda z, index, position: z, after=lambda z, index: None):
    z = embedded(images, w)
    for position, index in enumerate(order):
        z = block(before(z, index, position), w, index)
        after(z, index)
    return linear(layernorm(z, w, "vit.layernorm")[:, 0], w, "classifier")


def as_trained(model):
    """Every weight, also those that start at zero or one, is moved: no term of an equation hides behind its start."""
    noise = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.2 * torch.randn(weight.shape, generator=noise)
    return model


@unhurried
@given(order=orders)
def test_in_any_order_the_logits_are_those_of_the_papers_equations(toy, images, order):
    model = as_trained(toy())
    expected = by_the_paper(images, model.state_dict(), order)
    assert torch.allclose(model(images, order=order).logits, expected, atol=1e-5)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("training", [False, True])
def test_in_sequence_it_is_the_stock_class_bit_for_bit(toy, images, training, dropout):
    model, labels = toy(hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout), torch.arange(6)
    stock = ViTForImageClassification(model.config)
    stock.load_state_dict(model.state_dict())

    def outputs(classifier, **options):
        with seeded(0, "dropout"):
            return classifier.train(training)(images, **options)

    ours, theirs = outputs(model, labels=labels), outputs(stock, labels=labels)
    assert torch.equal(ours.logits, theirs.logits) and torch.equal(ours.loss, theirs.loss)
    assert torch.equal(outputs(model, order=[0, 1, 2, 3]).logits, theirs.logits)
    ours.loss.backward()
    theirs.loss.backward()
    gradients = dict(stock.named_parameters())
    assert all(torch.equal(weight.grad, gradients[name].grad) for name, weight in model.named_parameters())


@pytest.mark.parametrize("shard", ["50GB", "20KB"])
def test_it_reads_what_the_stock_class_saved(toy, images, tmp_path, shard):
    stock = ViTForImageClassification(toy().config).eval()
    stock.save_pretrained(tmp_path, max_shard_size=shard)
    assert (len(list(tmp_path.glob("*.safetensors"))) > 1) == (shard == "20KB")
    model = ShuffleViT.from_pretrained(tmp_path)
    assert torch.equal(model(images).logits, stock(images).logits)
    read = ShuffleViT.from_pretrained(tmp_path)(images, order=[2, 1, 1, 3]).logits
    assert torch.allclose(read, by_the_paper(images, stock.state_dict(), [2, 1, 1, 3]), atol=1e-5)


@pytest.mark.parametrize("shared", [False, True])
@unhurried
@given(order=st.lists(st.integers(0, 3), min_size=1, max_size=4))
def test_position_encoding_is_section_3_3(toy, images, order, shared):
    model = as_trained(toy(encode_position=True, share_position_table=shared))
    w = model.state_dict()
    assert w["position_table.weight"].shape == (1 if shared else 4, 4, 32)

    def before(z, index, position):
        e = w["position_table.weight"][0 if shared else index, position].repeat(z.shape[0], z.shape[1], 1)
        h = layernorm(torch.cat((z, e), -1), w, f"position_encodings.{index}.layernorm")
        return gelu(h @ w[f"position_encodings.{index}.projection.weight"].T) + z

    expected = by_the_paper(images, w, order, before)
    assert torch.allclose(model(images, order=order).logits, expected, atol=1e-5)


def test_position_encoding_drops_out_before_it_adds(toy):
    encoding, z = toy(encode_position=True, hidden_dropout_prob=1.0).position_encodings[0], torch.randn(2, 5, 32)
    assert not torch.equal(encoding(z, torch.zeros(32)), z)
    assert torch.equal(encoding.train()(z, torch.zeros(32)), z)


@pytest.mark.parametrize("average", [False, True])
def test_position_prediction_is_section_3_4(toy, images, average):
    model, order = as_trained(toy(predict_position=True, average_position_loss=average)), [2, 0, 2]
    w, labels, guesses = model.state_dict(), torch.arange(6), []

    def after(z, index):
        u = layernorm(z.mean(1), w, f"position_predictions.{index}.layernorm")
        guesses.append(u @ w[f"position_predictions.{index}.projection.weight"].T)

    logits = by_the_paper(images, w, order, after=after)
    output = model(images, order=order, labels=labels)
    assert torch.allclose(output.logits, logits, atol=1e-5)
    assert torch.allclose(output.position_logits, torch.stack(guesses, 1), atol=1e-5)
    position = [-torch.log_softmax(u, -1)[:, p].mean() for p, u in enumerate(guesses)]
    loss = -torch.log_softmax(logits, -1)[torch.arange(6), labels].mean() + sum(position) / (3 if average else 1)
    assert torch.allclose(output.loss, loss, atol=1e-5)


def test_the_tables_start_at_zero_also_from_a_stock_checkpoint(toy, tmp_path):
    toy().save_pretrained(tmp_path)
    options = {"encode_position": True, "predict_position": True}
    for model in (toy(**options), ShuffleViT.from_pretrained(tmp_path, **options)):
        assert not model.position_table.weight.any()
        for new in (model.position_encodings[1].projection, model.position_predictions[1].projection):
            assert new.weight.std().item() == pytest.approx(0.02, rel=0.25)


@pytest.mark.parametrize("variant", ["encode_position", "predict_position"])
def test_a_variant_comes_back_from_disk(toy, images, tmp_path, variant):
    model = as_trained(toy(**{variant: True}))
    model.save_pretrained(tmp_path)
    again, labels = ShuffleViT.from_pretrained(tmp_path), torch.arange(6)
    read, kept = (m(images, order=[3, 0], labels=labels) for m in (again, model))
    assert torch.equal(read.logits, kept.logits) and torch.equal(read.loss, kept.loss)
    assert getattr(again.config, variant)


def test_autograd_runs_the_drawn_order_backwards(toy, images):
    model, went_back = toy(), []
    for index, layer in enumerate(model.vit.layers):
        layer.register_full_backward_hook(lambda *_, index=index: went_back.append(index))
    model(images, order=[2, 0, 3, 3]).logits.sum().backward()
    assert went_back == [3, 3, 0, 2]
    assert model.vit.layers[1].mlp.fc1.weight.grad is None, "a layer that did not run has no gradient"


def test_a_layer_that_runs_twice_gets_the_gradients_of_both(toy, images):
    model, unrolled = toy(), toy()
    unrolled.vit.layers[2].load_state_dict(model.vit.layers[1].state_dict())
    model(images, order=[1, 0, 1]).logits.square().sum().backward()
    unrolled(images, order=[1, 0, 2]).logits.square().sum().backward()
    first, second = unrolled.vit.layers[1].parameters(), unrolled.vit.layers[2].parameters()
    for weight, one, two in zip(model.vit.layers[1].parameters(), first, second, strict=True):
        assert torch.allclose(weight.grad, one.grad + two.grad, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("order", [[4], [-1, 0], [], "02"])
def test_no_forward_pass_in_what_is_no_order(toy, images, order):
    with pytest.raises(OrderError):
        toy()(images, order=order)


@pytest.mark.parametrize("variant", ["encode_position", "predict_position"])
def test_a_variant_says_that_it_knows_only_so_many_positions(toy, images, variant):
    with pytest.raises(OrderError, match="has 5 positions, but this variant knows only the positions 0 to 3"):
        toy(**{variant: True})(images, order=[0] * 5)
    assert toy()(images, order=[0] * 5).logits.shape == (6, 10)
