"""Sorted decoders: what is trained, kept and judged."""

import dataclasses

import pandas as pd
import pytest
import torch

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.sortednet import language_measures, language_runs, language_views
from lsnotebook.sortednet.language import BASE, ORDINARY, SORTED, initial, train
from lsnotebook.sortednet.language_runs import SMOKE, Decoder, scale_of
from lsnotebook.sortednet.submodels import extract

TINY = dataclasses.replace(SMOKE, vocabulary=300, pretrain_steps=2, refine_steps=3, passages=2, context=32)
TOKENS = torch.arange(3_000) % 300


def moved(before, network):
    return {name for name, one in network.state_dict().items() if not torch.equal(one, before[name])}


def test_the_layers_that_are_never_drawn_stay_as_they_are(monkeypatch):
    network = initial(TINY, 0)
    before = {name: one.clone() for name, one in network.state_dict().items()}

    class First:
        def integers(self, low, high, size=None):
            return low if size is None else torch.zeros(size).long().numpy()

    monkeypatch.setattr("lsnotebook.sortednet.language.stream", lambda *_: First())
    train(network, TOKENS, TINY, SORTED, 0)
    names = moved(before, network)
    assert {"model.norm.weight", "model.layers.0.mlp.up_proj.weight", "model.embed_tokens.weight"} <= names
    assert not [name for name in names if "layers.1" in name or "layers.2" in name]


def test_ordinary_training_moves_all_layers_and_is_repeatable():
    once, again = (train(initial(TINY, 0), TOKENS, TINY, ORDINARY, seed=1) for _ in range(2))
    assert not moved(once.state_dict(), again)
    assert len(moved(initial(TINY, 0).state_dict(), once)) == len(once.state_dict())
    assert moved(once.state_dict(), train(initial(TINY, 0), TOKENS, TINY, ORDINARY, seed=2))


def test_what_is_judged_at_a_depth_is_the_stock_class_of_that_depth():
    network = initial(dataclasses.replace(TINY, layers=3), 0).eval()
    those = TOKENS[:64].reshape(2, 32)
    table = language_measures.answers(network, those)
    for layers, there in table.groupby("layers"):
        output = extract(network, (layers, 4)).eval()(those, labels=those)
        assert there["nats"].mean() == pytest.approx(output.loss.item(), rel=1e-5)
        assert there["right"].tolist() == (output.logits[:, :-1].argmax(-1) == those[:, 1:]).flatten().tolist()
    assert table.query("layers == 3")["agrees"].all()


def test_a_decoder_is_trained_once_and_named_after_all_that_it_depends_on(monkeypatch):
    decoder = Decoder(TINY, SORTED, 1)
    assert not decoder.is_there
    weights = decoder.weights()
    assert decoder.is_there and decoder.base.is_there
    monkeypatch.setattr(language_runs, "train", lambda *_: pytest.fail("trained again"))
    assert not moved(weights, decoder.load())
    assert weights.keys() == initial(TINY, 0).state_dict().keys()
    with monkeypatch.context() as patch:
        patch.setattr(language_runs.text, "fingerprint", lambda: "another Python")
        assert not decoder.is_there
    more = dataclasses.replace(TINY, refine_steps=4)
    assert not Decoder(more, SORTED, 1).is_there
    assert Decoder(dataclasses.replace(TINY, seeds=7, passages=5), SORTED, 1).is_there, "these change no weight"


def test_an_unknown_scale_is_told_in_one_sentence():
    with pytest.raises(LsnotebookError, match=r"There is no profile 'langage': take one of language, language-smoke"):
        scale_of("langage")


@pytest.fixture
def depths():
    """Two networks of each kind, three layers."""
    rows = [
        {"approach": kind, "seed": seed, "layers": layers, "bits": 3 - 0.5 * layers * gain + 0.01 * seed * layers,
         "top1": 0.1 * layers * gain + 0.01 * seed, "agrees": 0.3 * layers + 0.01 * seed}
        for kind, gain in ((ORDINARY, 1), (SORTED, 1.5)) for seed in range(2) for layers in (1, 2, 3)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_tables_and_sentences_tell_the_frame(depths):
    shown = language_views.by_depth(depths)
    assert shown.loc[2, "ordinary"].startswith("2.01 [") and shown.loc[2, "sorted less ordinary"] == "−0.50"
    told = language_views.loss_found(depths)
    assert "2.25 bits a byte with half of the layers (1), sorted, against 2.50, ordinary" in told


def test_figures_draw_the_frame(depths):
    loss, draft = language_views.loss_by_depth(depths).axes
    assert [line.get_label() for line in loss.lines] == [ORDINARY, SORTED]
    assert loss.lines[1].get_ydata() == pytest.approx([2.255, 1.51, 0.765])
    assert draft.lines[0].get_ydata() == pytest.approx([69.5, 39.5])
    left, right = language_views.beside(depths).axes
    assert left.lines[1].get_ydata()[0] == 50.81 and right.lines[0].get_ydata() == pytest.approx([10.5, 20.5, 30.5])


def test_the_base_is_one():
    assert Decoder(TINY, ORDINARY, 3).base == Decoder(TINY, SORTED, 5).base == Decoder(TINY, BASE)
