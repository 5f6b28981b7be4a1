"""The transformer, the text it reads, and the recordings of how it is trained."""

from __future__ import annotations

import importlib
import itertools
import math
from collections import Counter

import numpy as np
import pytest
import torch

from grda_edu import recordings
from grda_edu.optim import GRDA
from grda_edu.studies import manual as texts
from grda_edu.studies.manual import from_topics
from grda_edu.studies.transformer import Transformer
from grda_edu.studies.words import (
    BY_NAME,
    DENSE,
    MU,
    WAYS,
    Reading,
    bits,
    choose,
    zeros,
)

SMALL = Reading(width=16, layers=2, context=8, batch_size=4, steps=20, looks=2)


@pytest.fixture(scope="module")
def text():
    """Sentences in which no paragraph stands twice."""
    words = ["if", "else", "for", "while", "try", "with", "return", "yield", "lambda", "pass"]
    pairs = itertools.product(words, repeat=3)
    return from_topics({"b": "\n\n".join(" ".join(p) for p in pairs), "a": "first of all"})


@pytest.fixture(scope="module")
def network():
    return Transformer(20, width=16, layers=2, context=8, seed=1)


# ------------------------------------------------- the text


def read(text, part):
    return "".join(text.alphabet[k] for k in part)


def test_the_parts_are_the_text_and_do_not_overlap(text):
    whole = read(text, torch.cat([text.train, text.val, text.test]))
    assert whole.startswith("first of all\n\nif if if\n\nif if else")
    assert len(whole) == sum(len(part) for part in (text.train, text.val, text.test))
    assert len(text.train) == round(0.8 * len(whole))
    assert abs(len(text.val) - len(text.test)) <= 1
    paragraphs = whole.split("\n\n")
    assert len(paragraphs) == len(set(paragraphs)) == 1001


def test_a_paragraph_of_two_topics_is_read_once():
    text = from_topics({"b": "one\n\ntwo\n\n\n\nthree", "a": "two\n\n  four\n"})
    whole = read(text, torch.cat([text.train, text.val, text.test]))
    assert whole == "two\n\nfour\n\none\n\nthree"


def test_another_text_has_another_checksum(text):
    assert from_topics({"a": "first"}).sha256 != from_topics({"a": "First"}).sha256
    assert from_topics({"a": "x", "b": "y"}).sha256 == from_topics({"b": "y", "a": "x"}).sha256


def test_base_rates_against_counts_by_hand(text):
    train, test = read(text, text.train), read(text, text.test)
    size, counts = len(text.alphabet), Counter(train)
    pairs = Counter(itertools.pairwise(train))
    first = Counter(train[:-1])
    alone = [(counts[b] + 1) / (len(train) + size) for b in test[1:]]
    after = [(pairs[a, b] + 1) / (first[a] + size) for a, b in itertools.pairwise(test)]
    rates = text.base_rates
    assert rates["uniform"] == pytest.approx(math.log2(size))
    assert rates["single characters"] == pytest.approx(-np.log2(alone).mean())
    assert rates["pairs"] == pytest.approx(-np.log2(after).mean())
    assert rates["uniform"] > rates["single characters"] > rates["pairs"]


def test_an_interpreter_without_its_documentation_says_so(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    texts.read_manual.cache_clear()
    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(
        ModuleNotFoundError, match=r"Python, 3\.\S+, was installed without pydoc_da"
    ):
        texts.read_manual()
    monkeypatch.undo()
    texts.read_manual.cache_clear()


# ------------------------------------------------- the transformer


def test_a_later_character_changes_no_earlier_guess(network):
    x = torch.randint(20, (3, 8), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before = network(x)
        for place in range(8):
            y = x.clone()
            y[:, place] = (y[:, place] + 1) % 20
            moved = (network(y) - before).abs().amax(dim=(0, 2))
            assert (moved[:place] == 0).all()
            assert (moved[place:] > 1e-5).all()  # and every character counts from its place on


def test_before_training_all_characters_are_about_alike(text):
    model = SMALL.model(text, 0)
    assert bits(model, text.val) == pytest.approx(math.log2(len(text.alphabet)), abs=0.5)
    even = {name: torch.zeros_like(p) for name, p in model.named_parameters()}
    model.load_state_dict(even)
    assert bits(model, text.val) == pytest.approx(math.log2(len(text.alphabet)), abs=1e-5)


def test_the_seed_makes_the_network_and_leaves_torch_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, same, other = (Transformer(20, 16, 1, 8, seed=k) for k in (3, 3, 4))
    assert torch.equal(torch.rand(3), expected)
    for name, p in one.named_parameters():
        assert torch.equal(p, same.get_parameter(name))
    assert not torch.equal(one.guess.weight, other.guess.weight)
    with pytest.raises(ValueError, match="seed"):
        Transformer(20, seed=-1)


def test_it_is_torchs_own_layer(network):
    """A block against ``nn.TransformerEncoderLayer`` with the same weights and a causal mask."""
    block = network.blocks[0]
    layer = torch.nn.TransformerEncoderLayer(
        16, 4, 64, dropout=0, activation="gelu", batch_first=True, norm_first=True
    )
    layer.self_attn.in_proj_weight, layer.self_attn.in_proj_bias = (
        block.attend.weight,
        block.attend.bias,
    )
    layer.self_attn.out_proj, layer.linear1, layer.linear2 = block.mix, block.up, block.down
    layer.norm1, layer.norm2 = block.norm1, block.norm2
    x = torch.randn(2, 8, 16, generator=torch.Generator().manual_seed(2))
    mask = torch.nn.Transformer.generate_square_subsequent_mask(8)
    with torch.no_grad():
        torch.testing.assert_close(block(x), layer(x, src_mask=mask))


def test_bits_by_hand(text, network):
    part = torch.arange(19) % 20
    with torch.no_grad():
        logs = torch.log_softmax(network(torch.stack([part[:8], part[8:16]])).double(), dim=-1)
    told = [float(logs[k // 8, k % 8, part[k + 1]]) for k in range(16)]
    assert bits(network, part) == pytest.approx(-sum(told) / 16 / math.log(2), rel=1e-5)


# ------------------------------------------------- the ways


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_seed_trains_the_same_network_again(way, text):
    one, again = (SMALL.train(way, way.rates[0], way.strengths[-1], 2, text) for _ in range(2))
    assert one.val == again.val and one.step == [0, 10, 20]
    for p, q in zip(one.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(p, q)
    assert one.val[-1] < one.val[0]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_only_matrices_and_embeddings_get_zeros(way, text):
    strength = 0.6 if way.gradual else 0.2 if way.strengths != (DENSE,) else DENSE
    learned = SMALL.train(way, way.rates[0], strength, 0, text)
    weights = {n: p for n, p in learned.model.named_parameters()}
    dead = {n: int((p == 0).sum()) for n, p in weights.items()}
    assert {n for n, count in dead.items() if count} <= {
        n for n, p in weights.items() if p.ndim > 1
    }
    share = sum(dead.values()) / sum(p.numel() for p in weights.values() if p.ndim > 1)
    assert zeros(learned.model) == share == learned.zeros[-1]
    if way.gradual:
        assert share == pytest.approx(strength, abs=1e-3)
    else:
        assert (share > 0.3) == (strength > 0)


@pytest.mark.parametrize("lr", [0.5, 0.003])
def test_a_strength_is_where_the_threshold_ends(lr, text):
    model = SMALL.model(text, 0)
    optimizer = BY_NAME["gRDA"].optimizer(model, lr, 0.3, 7)
    assert isinstance(optimizer, GRDA)
    for _ in range(7):
        for p in model.parameters():
            p.grad = torch.zeros_like(p)
        optimizer.step()
    thresholds = {p.ndim > 1: optimizer.state[p]["threshold"] for p in model.parameters()}
    assert thresholds == {True: pytest.approx(0.3), False: 0.0}
    assert 0.5 < MU < 1


def test_without_strength_the_ways_are_their_bases(text):
    """Bit for bit: gRDA is SGD, gRDAM is SGD with momentum, the others are AdamW."""
    for names in (
        ("gRDA", "SGD"),
        ("gRDAM", "SGD with momentum"),
        ("two spaces around AdamW", "AdamW"),
        ("gradual magnitude, AdamW", "AdamW"),
    ):
        one, base = (SMALL.train(BY_NAME[name], 0.01, 0.0, 0, text).model for name in names)
        for p, q in zip(one.parameters(), base.parameters(), strict=True):
            assert torch.equal(p, q)


def test_watching_can_end_it(text):
    seen = []

    def watch(learned, step):
        seen.append((step, learned.step[-1]))
        return step == 11

    learned = SMALL.train(WAYS[0], 0.1, 0.0, 0, text, watch)
    assert seen == [(step, 0 if step < 10 else 10) for step in range(1, 12)]
    assert learned.step == [0, 10]


# ------------------------------------------------- the choice


def test_the_choice_takes_the_best_with_enough_zeros():
    sgd = [("SGD", lr, 0.0) for lr in (0.1, 0.2, 0.4)]
    grda = [("gRDA", lr, g) for lr in (1, 2) for g in (3, 4)]
    val = [3.0, math.nan, 2.5, 3.1, 3.3, 3.0, 3.2]
    share = [0, 0, 0, 0.6, 0.81, 0.4, 0.796]
    for order in (range(7), (1, 0, 2, 3, 4, 5, 6)):  # a diverged one first, too
        trials = [(sgd + grda)[k] for k in order]
        found = choose(trials, [val[k] for k in order], [share[k] for k in order], (0.5, 0.8, 0.9))
        assert found == [(0.0, sgd[2]), (0.5, grda[0]), (0.8, grda[3])]


def test_every_way_has_the_same_number_of_trials():
    assert len({len(way.rates) * len(way.strengths) for way in WAYS}) == 1
    assert all(len({*way.rates}) == len(way.rates) for way in WAYS)


# ------------------------------------------------- the recordings


@pytest.fixture(scope="module")
def search():
    return recordings.load_measurements("words_search")


@pytest.fixture(scope="module")
def chosen():
    return recordings.load_measurements("words")


def test_every_way_was_tuned_with_the_same_budget(search):
    """As many trials, of as many steps, with one seed: by what was recorded, not by the plan."""
    trials = search.configuration["trials"]
    assert len({tuple(trial) for trial in trials}) == len(trials) == len(search.arrays["val"])
    count = Counter(way for way, *_ in trials)
    assert len(count) == 7 and set(count.values()) == {9}
    assert {seed for *_, seed in trials} == {0}
    reading = search.configuration["reading"]
    assert search.arrays["val"].shape == search.arrays["zeros"].shape == (63, reading["looks"] + 1)


def test_what_was_chosen_is_the_best_on_validation(search, chosen):
    trials = [tuple(row[:3]) for row in search.configuration["trials"]]
    val, zero = (search.arrays[name][:, -1] for name in ("val", "zeros"))
    for level, way, lr, strength in chosen.configuration["chosen"]:
        row = trials.index((way, lr, strength))
        assert zero[row] > level - 0.005
        others = [k for k, t in enumerate(trials) if t[0] == way and zero[k] > level - 0.005]
        assert val[row] == np.nanmin(val[others])


def test_what_was_chosen_was_trained_with_seeds_of_its_own(search, chosen):
    runs = chosen.configuration["trials"]
    seeds = {seed for *_, seed in runs}
    assert seeds == {1, 2, 3} == set(chosen.configuration["seeds"])
    assert seeds.isdisjoint(seed for *_, seed in search.configuration["trials"])
    asked = {tuple(row[1:]) for row in chosen.configuration["chosen"]}
    assert Counter(tuple(run[:3]) for run in runs) == dict.fromkeys(asked, 3)
    assert chosen.configuration["reading"] == search.configuration["reading"]
    assert chosen.configuration["sha256"] == search.configuration["sha256"]


def test_recorded_zeros_are_those_of_the_matrices(chosen):
    sizes = chosen.configuration["weights"]
    dead = chosen.arrays["by_matrix"].sum(axis=1) / sum(sizes.values())
    np.testing.assert_allclose(dead, chosen.arrays["zeros"][:, -1], rtol=1e-6)
    assert chosen.configuration["parameters"] > sum(sizes.values())


def test_every_network_began_near_the_uniform_guess(search, chosen):
    for recorded in (search, chosen):
        uniform = math.log2(recorded.configuration["alphabet"])
        np.testing.assert_allclose(recorded.arrays["val"][:, 0], uniform, atol=0.5)


def test_a_recorded_training_begins_like_one_of_today(chosen):
    try:
        text = texts.read_manual()
    except ModuleNotFoundError:
        pytest.skip("this interpreter has no text")
    if text.sha256 != chosen.configuration["sha256"]:
        pytest.skip("this interpreter has another text")
    assert text.base_rates == pytest.approx(chosen.configuration["base_rates"])
    reading = Reading(**chosen.configuration["reading"])
    runs = chosen.configuration["trials"]
    row = next(k for k, run in enumerate(runs) if run[0].startswith("two spaces"))
    learned = reading.train(
        BY_NAME[runs[row][0]], *runs[row][1:], text, lambda _, step: step == 200
    )
    assert learned.val == pytest.approx(chosen.arrays["val"][row, :2], abs=0.01)
    assert learned.zeros == pytest.approx(chosen.arrays["zeros"][row, :2], abs=0.005)
