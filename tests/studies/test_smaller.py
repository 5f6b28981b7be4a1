"""The studies behind lesson 11, made small, against loops of their own; and what ships."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from grda_edu.data import digits
from grda_edu.models import digits_cnn
from grda_edu.recordings import load_measurements
from grda_edu.sparse.clock import units_left
from grda_edu.studies.smaller import BY_UNIT, BY_WEIGHT, GRADUAL, PROXIMAL, WAYS, Smaller
from grda_edu.studies.timing import WAYS as TIMED
from grda_edu.studies.timing import Timing


def trained_by_hand(step):
    """One epoch of the digits CNN; ``step(parameters, n)`` after each gradient."""
    data, model = digits(), digits_cnn(3)
    parameters = list(model.parameters())
    order = torch.randperm(len(data.y_train), generator=torch.Generator().manual_seed(3))
    for n, batch in enumerate(order.split(32), start=1):
        model.zero_grad()
        cross_entropy(model(data.x_train[batch]), data.y_train[batch]).backward()
        with torch.no_grad():
            step(parameters, n)
    return torch.cat([p.detach().flatten() for p in parameters]).numpy()


def test_proximal_and_by_unit_are_what_they_are_called():
    study = Smaller(epochs=1, late=1)
    start = [p.detach().clone() for p in digits_cnn(3).parameters()]

    def proximal(parameters, n):
        for p in parameters:
            p -= 0.1 * p.grad
            p.copy_(p.sign() * (p.abs() - 0.1 * 0.05).clamp(min=0))

    v = [p.clone() for p in start]

    def by_unit(parameters, n):
        tau = 0.05 * 0.1 ** (0.5 + 0.65) * n**0.65
        for p, own in zip(parameters, v, strict=True):
            own -= 0.1 * p.grad
            if p.ndim == 1:
                p.copy_(own.sign() * (own.abs() - tau).clamp(min=0))
                continue
            rows = own.flatten(1)
            length = rows.norm(dim=1, keepdim=True)
            scale = (1 - tau * rows.shape[1] ** 0.5 / length).clamp(min=0)
            p.copy_((rows * scale).view_as(p))

    for way, step in ((PROXIMAL, proximal), (BY_UNIT, by_unit)):
        piece = study.measure((way, 0.05, 3))
        expected = trained_by_hand(step)
        np.testing.assert_allclose(piece["weights"], expected, atol=2e-5)
        assert (piece["weights"] == 0).any()


def test_gradual_reaches_its_share_and_arrays_have_their_places():
    study = Smaller(*((0.02,), (0.02,), (0.01,), (0.9,)), seeds=(1, 2), epochs=1, late=1)
    pieces = [study.measure(cell) for cell in study.cells()]
    arrays = study.arrays(pieces)
    assert arrays["weights"].shape == (5, 2, 13_706) and arrays["test"].shape == (5, 2)
    assert arrays["about"]["configuration"]["strengths"] == study.strengths()
    gradual = list(study.strengths()).index(GRADUAL)
    np.testing.assert_allclose((arrays["weights"][gradual] == 0).mean(axis=1), 0.9, atol=1e-4)
    np.testing.assert_array_equal(arrays["weights"][1, 1], pieces[3]["weights"])
    assert not (arrays["weights"][0] == 0).any()


def test_what_ships_are_the_plans_networks():
    shipped, study = load_measurements("smaller"), Smaller()
    assert shipped.configuration["ways"] == list(WAYS)
    strengths = {way: list(row) for way, row in study.strengths().items()}
    assert shipped.configuration["strengths"] == strengths
    zeros = (shipped.arrays["weights"] == 0).mean(axis=-1)
    recipes = [(way, s) for way, row in strengths.items() for s in row]
    at = recipes.index((BY_WEIGHT, 0.02))
    assert zeros[at] == pytest.approx(0.9, abs=0.01)
    for name in ("test", "val"):
        assert (shipped.arrays[name] > 0.9).all()


def test_timing_is_of_every_size_batch_way_and_share():
    study = Timing(sizes=(8, 16), batches=(1, 2, 3), zeros=(0.5, 0.9), budget=0.0)
    pieces = [study.measure(cell) for cell in study.cells()]
    arrays = study.arrays(pieces)
    assert arrays["times"].shape == (2, 3, len(TIMED), 2) and (arrays["times"] > 0).all()
    np.testing.assert_array_equal(arrays["times"][1, 0], pieces[3]["times"])
    assert arrays["about"]["configuration"]["processor"]


def test_the_shipped_times_are_of_one_thread_on_a_named_processor():
    shipped, study = load_measurements("timing"), Timing()
    made = shipped.configuration
    assert [made[k] for k in ("sizes", "batches", "zeros")] == [
        list(getattr(study, k)) for k in ("sizes", "batches", "zeros")
    ]
    assert made["processor"] and made["ways"] == list(TIMED)
    times = dict(zip(TIMED, np.moveaxis(shipped.arrays["times"], 2, 0), strict=True))
    ratios = times["dense"] / times["units removed"]
    half = made["zeros"].index(0.5)
    large = made["sizes"].index(1024)
    assert units_left(1024, 0.5) == 724
    assert ratios[large, :, half] == pytest.approx(2, abs=0.6)  # half of the multiplications
