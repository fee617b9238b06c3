"""The standard library's sources as text: whole files are held out, and tokens stand for all bytes."""

import sys

import pytest

from lsnotebook.sortednet import text

KNOWN = {"asyncore": "selection", "antigravity": "validation", "ast": "train"}


@pytest.fixture(scope="module")
def tokenizer():
    return text.trained_tokenizer(300)


def test_files_are_apart_and_each_part_has_some():
    parts = [set(text.files(part)) for part in text.PARTS]
    assert all(len(part) > 5 for part in parts)
    assert not parts[0] & (parts[1] | parts[2]) and not parts[1] & parts[2]
    assert sum(map(len, parts)) == len(text.sources()) and set(text.sources()) <= set(sys.stdlib_module_names)


def test_a_file_keeps_its_part_whatever_other_files_there_are():
    assert {name: text.part_of(name) for name in KNOWN} == KNOWN


def test_the_fingerprint_is_that_of_names_and_texts(monkeypatch):
    before = text.fingerprint()
    other = {**text.sources(), "this": "print('hello')"}
    text.fingerprint.cache_clear()
    monkeypatch.setattr(text, "sources", lambda: other)
    assert text.fingerprint() != before
    text.fingerprint.cache_clear()
    monkeypatch.undo()
    assert text.fingerprint() == before


def test_tokens_give_the_text_back_and_their_lengths_its_bytes(tokenizer):
    tokens, sizes = text.tokens_of(tokenizer, "validation"), text.lengths(tokenizer)
    whole = "".join(text.files("validation"))
    assert tokenizer.decode(tokens) == whole
    assert sum(sizes[token] for token in tokens) == len(whole.encode())
    assert tokens.count(tokenizer.token_to_id(text.END)) == len(text.files("validation"))
    assert tokenizer.decode(tokenizer.encode("ħ 東\t").ids) == "ħ 東\t", "any text has tokens"
    assert text.trained_tokenizer(300).to_str() == tokenizer.to_str()


def test_a_python_without_its_sources_is_told_in_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(text.sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(text.TextError, match="source files of Python's standard library are not in"):
        text.sources.__wrapped__()
