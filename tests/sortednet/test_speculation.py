"""Drafting with a prefix: what is counted, and that it changes no text."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from lsnotebook.pages.statements import HOLDS, judged
from lsnotebook.sortednet import claims, language_views, paper, speculation
from lsnotebook.sortednet.language import initial
from lsnotebook.sortednet.language_runs import SMOKE
from lsnotebook.sortednet.speculation import PLAIN, compared, continued


@pytest.fixture(scope="module")
def network():
    """A random decoder whose layers matter."""
    made = initial(dataclasses.replace(SMOKE, vocabulary=300), 0).eval()
    with torch.no_grad():
        for name, one in made.named_parameters():
            if "norm" not in name:
                one.mul_(6)
    return made


@pytest.fixture(scope="module")
def prompts():
    return torch.randint(300, (3, 12), generator=torch.Generator().manual_seed(0))


def test_drafted_text_is_that_of_greedy_decoding_step_by_step(network, prompts, new=12):
    for prompt in prompts:
        tokens = prompt.tolist()
        with torch.no_grad():
            for _ in range(new):
                tokens.append(network(torch.tensor([tokens])).logits[0, -1].argmax().item())
        for draft in (PLAIN, 1, 2):
            assert continued(network, prompt, new, draft).tolist() == tokens[len(prompt) :]
    assert network.config.num_hidden_layers == 3, "the draft is over"


def test_passes_tokens_and_layers_are_counted(network, prompts, new=12):
    table = compared(network, prompts[:2], [1, 2], new, ahead=3, rounds=2)
    plain = table.query("draft == @PLAIN")
    assert plain[["passes", "drafted", "accepted", "layers"]].to_numpy().tolist() == [[12, 0, 0, 3]] * 2
    drafted = table.query("draft != @PLAIN")
    assert (drafted["passes"] + drafted["accepted"] == new).all() and (drafted["drafted"] > 0).all()
    assert (drafted["accepted"] <= drafted["drafted"]).all() and drafted["same"].all() and drafted["gap"].isna().all()
    layers = (drafted["drafted"] * drafted["draft"] + 3 * drafted["passes"]) / new
    assert np.allclose(drafted["layers"], layers) and (table["ms"] > 0).all()


def test_where_texts_part_the_gap_is_that_of_the_two_first_choices(network, prompts):
    one = continued(network, prompts[0], 8)
    other = one.clone()
    other[5] += 1
    seen = torch.cat([prompts[0], one[:5]])
    with torch.no_grad():
        first, second = network(seen[None]).logits[0, -1].topk(2).values
    assert speculation.gap(network, prompts[0], one, other) == pytest.approx((first - second).item())


@pytest.fixture
def measured():
    """Two networks, two prompts: with a draft of 1, half of the time, and one text that parts."""
    rows = [
        {"approach": "sorted", "seed": seed, "prompt": prompt, "draft": draft, "ms": ms + seed + prompt / 10,
         "passes": passes, "drafted": drafted, "accepted": 20 - passes, "layers": layers,
         "same": (draft, seed, prompt) != (1, 1, 1), "gap": 1e-6 if (draft, seed, prompt) == (1, 1, 1) else np.nan,
         "repeats": 0.5}
        for seed in range(2) for prompt in range(2)
        for draft, ms, passes, drafted, layers in ((0, 10, 20, 0, 6.0), (1, 5, 10, 20, 4.0))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_the_table_and_the_sentences_tell_it(measured):
    shown = language_views.speculative(measured, 6).loc["1 of 6 layers draft"]
    assert shown[["rejected", "tokens a pass", "layers run a token", "same text"]].tolist() == [
        "50.0\u00a0%", "2.00", "4.0", "3 of 4"]  # fmt: skip
    told = language_views.same(measured)
    assert "Of 4 texts" in told and "3 are, token for token" in told and "1e-06" in told
    assert language_views.same(measured[measured["same"]]).startswith("**Speculation changed nothing.** All 3 texts")
    assert "a draft of 1 it takes 4.0, which is 67\u00a0%. In" in language_views.speed_found(measured)
    assert "50\u00a0% stood" in language_views.repeats(measured)


def test_the_papers_numbers_stand_in_its_claims(measured):
    rows = [{"approach": kind, "seed": seed, "layers": layers, "top1": top1 + seed / 100}
            for kind, top1 in (("ordinary", 0.1), ("sorted", 0.2)) for seed in range(3)
            for layers in (1, 2)]  # fmt: skip
    rows[-1]["top1"] += 0.01
    rows[-2]["top1"] += 0.01
    statements = judged(claims.decoders(pd.DataFrame(rows), measured)).set_index("id")
    table = paper.table3().iloc[:-1]
    assert statements.loc["S8", "paper"] == pytest.approx((table["average"] - table["average without"]).mean())
    assert statements.loc["S8", "verdict"] == HOLDS and statements.loc["S8", "over"] == "3 networks"
    assert statements.loc["S9", "paper"] == pytest.approx(100 * (96.41 / 58.86 - 1))
    assert statements.loc["S9", "build"] == pytest.approx(
        np.mean([100 * (ms / (ms - 5) - 1) for ms in (10, 10.1, 11, 11.1)])
    )
    assert language_views.table3().iloc[0].tolist() == [50.81, 40.33]
    eight = paper.table8()
    base = eight[eight.index.str.contains("BERT-base")]["GFLOPs"]
    assert base.tolist() == [78.96, *[22.36] * 5], "the first is told below the table"
    assert language_views.table4().loc["early exit, 12:40", "times as fast"] == "2.09"
