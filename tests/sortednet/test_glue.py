"""Sorted BERT on a tiny task of one's own: no checkpoint and no data from elsewhere."""

import copy
import json

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from lsnotebook.sortednet import glue
from lsnotebook.sortednet.submodels import extract


@pytest.fixture
def profile(tmp_path):
    """Sentences of four words, and whether there is a good one: a BERT of two layers learns it in a moment."""
    words = ["[PAD]", "[UNK]", "good", "bad", "film", "plot"]
    tokenizer = Tokenizer(models.WordLevel({word: k for k, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(tmp_path)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    BertForSequenceClassification(BertConfig(vocab_size=6, num_labels=2, **sizes)).save_pretrained(tmp_path)
    rows = [{"sentence": f"{word} {thing}", "label": int(word == "good")}
            for word in ("good", "bad") for thing in ("film", "plot", "plot film")]  # fmt: skip
    for part in ("train", "validation"):
        (tmp_path / f"{part}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return glue.GlueProfile(str(tmp_path), "sst2", tmp_path, batch_size=3, learning_rate=1e-2, epochs=20)


def test_every_prefix_learns_and_is_the_stock_class_of_its_depth(profile):
    # A copy, because what is read from a file may lie at any address, and sums depend on that in the last bit.
    network = copy.deepcopy(glue.train(profile, seed=10))
    assert glue.scores(profile, network)["score"].tolist() == [100, 100]
    tokens = torch.tensor([[2, 4, 5]])
    for layers, small in enumerate(glue.prefixes(network), start=1):
        stock = extract(network, (layers, 2)).eval()
        assert torch.equal(
            glue.run(small.eval(), tokens).logits, stock(tokens).logits
        ) and len(stock.bert.encoder.layer) == layers  # fmt: skip


def test_missing_data_are_told_in_one_sentence(profile, tmp_path):
    (tmp_path / "train.jsonl").unlink()
    with pytest.raises(glue.GlueError, match=r"put the train examples of sst2 there"):
        glue.examples(profile, "train")


def test_batches_of_pairs_and_numbers(profile, tmp_path):
    from dataclasses import replace

    table = glue.pd.DataFrame({"sentence1": ["good film"], "sentence2": ["bad"], "label": [2.5]})
    (batch,) = glue.batches(replace(profile, task="stsb"), glue.AutoTokenizer.from_pretrained(tmp_path), table, [0])
    assert batch["input_ids"].tolist() == [[2, 4, 3]] and batch["labels"].tolist() == [2.5]
