"""The study behind the recorded averages, made small, and what the recording says."""

import re

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from grda_edu.data import digits
from grda_edu.models import digits_cnn
from grda_edu.optim import GRDA, AccumulatorAverage
from grda_edu.recordings import load_measurements
from grda_edu.shrinkage import soft_threshold
from grda_edu.studies.averages import AVERAGED, LAST, PARTS, QUANTITIES, Averages

ZEROS, ACCURACY = QUANTITIES.index("zeros"), QUANTITIES.index("accuracy")


def scores(model, data):
    return [
        (model(x).argmax(dim=1) == y).double().mean().item()
        for x, y in ((getattr(data, f"x_{part}"), getattr(data, f"y_{part}")) for part in PARTS)
    ]


def test_a_small_study_measures_what_it_says():
    """Against a loop of its own that keeps every accumulator and averages them at the end."""
    study = Averages(seeds=(3,), epochs=1, decays=(0.8,), c=0.1)
    arrays = study.arrays([study.measure(3)])
    data, kept = digits(), {}
    order = torch.randperm(len(data.y_train), generator=torch.Generator().manual_seed(3))
    for c in (0.1, 0.0):
        model = digits_cnn(3)
        optimizer = GRDA(model.parameters(), lr=study.lr, c=c, mu=study.mu)
        kept[c] = []
        for batch in order.split(study.batch_size):
            optimizer.zero_grad()
            cross_entropy(model(data.x_train[batch]), data.y_train[batch]).backward()
            optimizer.step()
            states = [optimizer.state[p] for p in model.parameters()]
            v = torch.cat([state["accumulator"].flatten() for state in states])
            w = torch.cat([p.detach().flatten() for p in model.parameters()])
            kept[c].append((v.clone(), w.clone(), states[0]["threshold"]))

    def mean(c, what):
        total, *rest = [row[what] for row in kept[c]]
        for k, value in enumerate(rest, start=2):
            share = max(1 / k, 0.2)
            total = (1 - share) * total + share * value
        return total

    v, w, g = (mean(0.1, what) for what in range(3))
    level = kept[0.1][-1][2]
    expected = {
        "averaged/weights": w,
        "averaged/accumulator": soft_threshold(v, g),
        "averaged/accumulator_now": soft_threshold(v, level),
        "averaged/sgd": mean(0.0, 1),
        "averaged/sgd_level": soft_threshold(mean(0.0, 1), g),
        "last/grda": kept[0.1][-1][1],
        "last/sgd": kept[0.0][-1][1],
        "last/sgd_level": soft_threshold(kept[0.0][-1][1], level),
    }
    for name, weights in expected.items():
        seen = arrays[name][0].reshape(len(PARTS), len(QUANTITIES))
        torch.nn.utils.vector_to_parameters(weights, model.parameters())
        np.testing.assert_allclose(seen[:, ACCURACY], scores(model, data), atol=0.006)
        share = (weights == 0).double().mean().item()
        np.testing.assert_allclose(seen[:, ZEROS], share, atol=2e-3)
    for place in ("averaged", "last"):
        grda = {"averaged": "accumulator", "last": "grda"}[place]
        zeros = arrays[f"{place}/{grda}"][..., ZEROS]
        for control in ("sgd_zeros", "sgd_magnitude"):
            np.testing.assert_array_equal(arrays[f"{place}/{control}"][..., ZEROS], zeros)


def test_what_ships_says_what_the_docstring_says():
    """An average of weights loses the zeros, one of the accumulator keeps them."""
    shipped, study = load_measurements("averages"), Averages()
    arrays = shipped.arrays
    assert shipped.configuration["decays"] == list(study.decays)
    assert {f"last/{name}" for name in LAST} | {f"averaged/{name}" for name in AVERAGED} == {
        name for name in arrays if "/" in name
    }
    last = arrays["last/grda"][:, None, 0, ZEROS]
    assert arrays["last/grda"].shape == (3, 3, 3) and (last > 0.6).all()
    kept, lost = (arrays[f"averaged/{name}"][:, :, 0, ZEROS] for name in ("accumulator", "weights"))
    assert kept.shape == (3, len(study.decays))
    assert (kept > lost).all() and (np.abs(kept - last) < 0.15).all()
    long = list(study.decays).index(0.99)
    assert (lost[:, long:] < 0.1).all()


def test_the_table_in_the_averages_docstring_is_what_ships():
    rows = re.findall(r"^ *(0\.\d+)  (.*\d with \d.*)$", AccumulatorAverage.__doc__, re.MULTILINE)
    arrays, decays = load_measurements("averages").arrays, Averages().decays
    assert len(rows) == 3
    for decay, cells in rows:
        of_this = decays.index(float(decay))
        said = re.findall(r"([\d.]+) with (\d+)", cells)
        for name, its in zip(
            ("accumulator", "weights", "sgd_level", "sgd_magnitude"), said, strict=True
        ):
            seen = 100 * arrays[f"averaged/{name}"][:, of_this, PARTS.index("test")].mean(axis=0)
            assert float(its[0]) == pytest.approx(seen[ACCURACY], abs=0.051), (decay, name)
            assert float(its[1]) == pytest.approx(seen[ZEROS], abs=0.51), (decay, name)
