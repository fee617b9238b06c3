"""What is recorded is what the model does."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GroupKFold
from torch.utils.data import TensorDataset

from lsnotebook.core.statistics import crossed
from lsnotebook.data.splits import Splits
from lsnotebook.layershuffle import analysis
from lsnotebook.layershuffle.analysis import AnalysisError, Trace, attention_maps, outputs_of, trace

ORDERS = [(0, 1, 2, 3), (3, 2, 1, 0), (0, 1, 2, 3), (2, 0, 3, 1), (1, 1, 2, 0), (3, 0, 0, 2)]


@pytest.mark.parametrize("options", [{}, {"encode_position": True}, {"predict_position": True}])
def test_each_image_runs_in_its_own_order_as_the_model_runs_it(toy, images, options):
    model = toy(**options)
    traced = trace(model, images, ORDERS)
    assert traced.layers.tolist() == [list(order) for order in ORDERS]
    for image, order in enumerate(ORDERS):
        logits = model(images[image : image + 1], order=order).logits
        last = torch.from_numpy(traced.outputs[image, -1])
        assert torch.allclose(model.classifier(model.vit.layernorm(last)), logits[0], atol=1e-5)


def test_norms_are_of_what_the_layer_adds_to_the_class_token(toy, images):
    model = toy()
    traced = trace(model, images, ORDERS)
    before = np.concatenate([model.vit.embeddings(images)[:, :1].detach().numpy(), traced.outputs[:, :-1]], axis=1)
    assert np.allclose(traced.contribution, np.linalg.norm(traced.outputs - before, axis=-1), atol=1e-5)
    assert (traced.contribution <= traced.attention + traced.mlp + 1e-5).all()
    assert traced.weights.shape == (6, 4, 4, 5)
    assert np.allclose(traced.weights.sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("variant", [{}, {"distilled": True}], ids=["ViT", "DeiT"])
def test_an_attention_map_is_of_the_patches_alone(toy, images, variant):
    traced = trace(toy(**variant), images, ORDERS)
    maps = attention_maps(traced, 2)
    assert maps.shape == (2, 4, 2, 2)
    assert np.allclose(maps[1, 3].ravel(), traced.weights[1, 3].mean(0)[-4:])


def test_the_outputs_of_a_layer_come_with_its_positions(toy, images):
    traced = trace(toy(), images, ORDERS)
    vectors, positions = outputs_of(traced, 3)
    assert positions.tolist() == [3, 0, 3, 2, 0]
    assert np.array_equal(vectors[1], traced.outputs[1, 0])


def recorded(monkeypatch, outputs, layers):
    """Let `outputs` (B, P, D) of `layers` (B, P) be what any model is recorded to do."""
    traced = Trace(layers, outputs, *[None] * 5)
    monkeypatch.setattr(analysis, "trace_images", lambda model, splits, images: traced)


def orders_of(images, layers=12, seed=0):
    """An order of its own for each image (B, L)."""
    return np.random.default_rng(seed).permuted(np.tile(np.arange(layers), (images, 1)), axis=1)


def test_a_position_in_the_norm_alone_is_read_from_the_norm_and_not_from_the_direction(monkeypatch):
    rng, layers = np.random.default_rng(0), orders_of(600)
    directions = rng.normal(size=(600, 12, 16))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    norm = np.exp(0.3 * np.arange(12) + rng.normal(0, 0.03, (600, 12)))
    recorded(monkeypatch, directions * norm[..., None], layers)
    found = analysis.readability([None], None, 5, 600)
    assert found["position"].tolist() == np.nonzero(layers == 5)[1].tolist() and found["image"].tolist() == [
        *range(600)
    ]
    assert (found["norm"] == found["position"]).mean() > 0.95
    assert (found["direction"] == found["position"]).mean() < 2 / 12


def test_a_position_in_the_direction_alone_is_read_from_the_direction_and_not_from_the_norm(monkeypatch):
    rng, layers = np.random.default_rng(0), orders_of(600)
    directions = rng.normal(size=(12, 16)) + rng.normal(0, 0.1, (600, 12, 16))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    recorded(monkeypatch, directions * rng.lognormal(0, 0.5, (600, 12, 1)), layers)
    found = analysis.readability([None], None, 5, 600)
    assert (found["direction"] == found["position"]).mean() > 0.95
    assert (found["norm"] == found["position"]).mean() < 2 / 12


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("names", [[3, 2, 1, 0], [7, 40, 0, 13]], ids=["reversed", "renamed"])
def test_the_probe_does_not_depend_on_how_the_labels_are_named(names, grouped):
    """Nearest neighbours did: ties went to the smallest label."""
    rng, names = np.random.default_rng(0), np.array(names)
    labels, vectors = np.repeat(np.arange(4), 50), rng.normal(size=(200, 3))
    vectors[:, 0] += 0.3 * labels  # so little that most are mistaken
    groups = rng.permutation(200) // 4 if grouped else None
    predicted = analysis.probe(vectors, labels, groups)
    assert 0.2 < (predicted == labels).mean() < 0.6
    assert (analysis.probe(vectors, names[labels], groups) == names[predicted]).all()


def test_the_probe_reads_separated_positions_and_guesses_where_there_is_only_noise():
    rng, positions = np.random.default_rng(0), np.repeat(np.arange(4), 100)
    separated = positions[:, None] + 0.01 * rng.normal(size=(400, 3))
    assert (analysis.probe(separated, positions) == positions).mean() == 1
    assert (analysis.probe(rng.normal(size=(400, 3)), positions) == positions).mean() < 0.35


@pytest.mark.filterwarnings("ignore:The least populated class")
def test_too_few_images_are_refused_in_one_sentence_and_a_rare_position_is_not():
    rng, positions = np.random.default_rng(0), np.array([*np.repeat([0, 1], 20), 2])
    separated = positions[:, None] + 0.01 * rng.normal(size=(41, 3))
    assert (analysis.probe(separated, positions) == positions).mean() == 40 / 41, "no fold has seen the third"
    for vectors, labels in ((separated[:3], positions[-3:]), (np.ones((40, 3)), positions[:40])):
        with pytest.raises(AnalysisError, match="take more images"):
            analysis.probe(vectors, labels)
    few = TensorDataset(torch.zeros(4, 1, 8, 8), torch.zeros(4))
    with pytest.raises(AnalysisError, match="4 validation images are too few"):
        analysis.trace_images(None, Splits(few, few, few), 100)


def test_norms_that_do_not_vary_are_explained_by_nothing():
    constant = synthetic_norms().assign(contribution=0.0)
    gain = np.tile(100 * analysis.explained_by_distance(constant, "contribution"), (5, 1))
    assert np.abs(gain).max() < 1e-9 and np.isnan(crossed(gain)[1:]).all()


def test_no_image_is_in_both_training_and_test_folds(monkeypatch):
    folds, split = [], GroupKFold.split

    def spy(splitter, vectors, labels=None, groups=None):
        for fit, test in split(splitter, vectors, labels, groups):
            folds.append((set(np.asarray(groups)[fit]), set(np.asarray(groups)[test])))
            yield fit, test

    monkeypatch.setattr(GroupKFold, "split", spy)
    rng = np.random.default_rng(0)
    recorded(monkeypatch, rng.normal(size=(40, 4, 8)), orders_of(40, 4))
    found = analysis.joint_readability([None], None, 40)
    assert len(folds) == 2 * analysis.FOLDS, "for position and layer"
    assert all(not fit & test and len(fit | test) == 40 for fit, test in folds)
    assert found["image"].tolist() == [*range(40)] and list(found) == ["image", "position", "layer"]

    folds.clear()
    analysis.explained_by_distance(synthetic_norms(), "contribution")
    assert len(folds) == analysis.FOLDS and all(not fit & test for fit, test in folds)


def test_what_outputs_of_one_image_have_in_common_helps_nobody():
    """Each image's outputs lie together and share a random label: who has seen the image knows the label."""
    rng, count = np.random.default_rng(0), 60
    images = np.repeat(np.arange(count), 10)
    vectors = rng.normal(size=(count, 50))[images] + 0.01 * rng.normal(size=(600, 50))
    labels = rng.permutation(np.arange(count) % 3)[images]
    assert (analysis.probe(vectors, labels) == labels).mean() > 0.8, "folds that leak are fooled"
    assert abs((analysis.probe(vectors, labels, images) == labels).mean() - 1 / 3) < 0.15


def test_joint_readability_is_the_share_of_each_images_outputs(monkeypatch):
    rng, layers = np.random.default_rng(0), orders_of(50, 4)
    outputs = rng.normal(size=(50, 4, 6))
    outputs[..., :4] += 20 * np.eye(4)[layers]  # the layer, and nothing of the position
    recorded(monkeypatch, outputs, layers)
    found = analysis.joint_readability([None], None, 50)
    assert (found["layer"] == 1).all() and abs(found["position"].mean() - 1 / 4) < 0.1


def synthetic_norms(by_position=0.0, by_distance=0.0, noise=0.3, images=300):
    """Norms whose logarithm has these effects, a layer's own beside them."""
    rng, layers = np.random.default_rng(0), orders_of(images)
    table = pd.DataFrame({"image": np.repeat(np.arange(images), 12), "layer": layers.ravel()})
    table["position"] = np.tile(np.arange(12), images)
    table["distance"] = table["position"] - table["layer"]
    own, places = rng.normal(0, 0.3, 12), (np.arange(12) - 5.5) ** 2 / 10
    logs = own[table["layer"]] + by_position * places[table["position"]] + by_distance * table["distance"].abs()
    table["contribution"] = np.exp(logs + rng.normal(0, noise, len(table)))
    return table


def test_norms_of_position_and_layer_alone_are_not_explained_by_the_distance():
    """Although they go together with it: the outer positions are the farthest from most layers."""
    norms = synthetic_norms(by_position=0.5)
    assert stats.spearmanr(norms["distance"].abs(), norms["contribution"]).statistic > 0.15
    gain = analysis.explained_by_distance(norms, "contribution")
    assert gain.shape == (300,) and -0.01 < gain.mean() < 0.001


@pytest.mark.parametrize("by_position", [0.0, 0.2])
def test_norms_that_depend_on_the_distance_too_are_explained_by_as_much_as_it_adds(by_position):
    norms = synthetic_norms(by_position, by_distance=-0.2)
    distance = norms["distance"].abs()
    others = pd.get_dummies(norms[["layer", "position"]].astype("category"), dtype=float)
    beyond = distance - LinearRegression().fit(others, distance).predict(others)
    expected = 0.2**2 * beyond.var() / np.log(norms["contribution"]).var()
    gain = analysis.explained_by_distance(norms, "contribution").mean()
    assert gain == pytest.approx(expected, rel=0.1) and gain > 0.02


def test_norms_have_two_normalisations(toy, monkeypatch, images):
    model = toy()
    monkeypatch.setattr(analysis, "trace_images", lambda *_: trace(model, images, ORDERS))
    table, traced = analysis.norms([model], None, 6), trace(model, images, ORDERS)
    assert table["image"].tolist() == np.repeat(range(6), 4).tolist() and table["position"].tolist() == [0, 1, 2, 3] * 6
    assert table["layer"].tolist() == traced.layers.ravel().tolist()
    before = np.concatenate([model.vit.embeddings(images)[:, :1].detach().numpy(), traced.outputs[:, :-1]], axis=1)
    share = traced.contribution / np.linalg.norm(before, axis=-1)
    assert np.allclose(table["relative"], share.ravel(), rtol=1e-4)
    assert np.allclose(table.groupby("layer")["contribution"].mean(), 1)
    assert (table["distance"] == table["position"] - table["layer"]).all()
