"""The studies behind the theorem at finite time, made small: what they measure and how it is stored."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from grda_edu import (
    GRDA,
    FixedLoss,
    digits,
    magnitude_pruning,
    obs_pruning,
    small_digits_cnn,
    train,
)
from grda_edu.geometry.evidence import strength
from grda_edu.geometry.valley import measure_along, weights_of
from grda_edu.recordings import load_measurements
from grda_edu.studies.in_steps import InSteps, _surgery
from grda_edu.studies.time_limit import FiniteTime


@pytest.fixture
def few(monkeypatch):
    """A hundred and sixty images to train on, for the studies too."""
    whole = digits(validation=0)
    some = {f"{axis}_train": getattr(whole, f"{axis}_train")[:160] for axis in "xy"}
    data = replace(whole, **some)
    for study in ("time_limit", "in_steps"):
        monkeypatch.setattr(f"grda_edu.studies.{study}.digits", lambda validation: data)
    return data


def test_the_strength_is_held():
    study = FiniteTime()
    for lr, t in [(0.1, 450.0), (0.1, 900.0), (0.1, 1800.0), (0.2, 450.0), (0.05, 450.0)]:
        for (c, mu), (first, same) in zip(study.held(lr, t), study.pairs, strict=True):
            assert mu == same
            np.testing.assert_allclose(strength(lr, c, mu, t), strength(0.1, first, mu, 450))


def test_cells_are_labelled_apart_and_a_piece_is_what_it_says(few):
    study = FiniteTime(times=(0.5,), rates=(0.2,), large_t=0.2, seeds=(1,))
    cells = list(study.cells())
    assert len({study.label(cell) for cell in cells}) == len(cells) == 4
    piece = study.measure(("order", 0.5, 1))
    c, mu = study.pairs[1]
    model = small_digits_cnn(1)
    train(
        model,
        few,
        lambda weights: GRDA(weights, lr=0.1, c=c, mu=mu),
        epochs=1,
        batch_size=32,
        seed=101,
        device="cpu",
    )
    np.testing.assert_allclose(piece["grda"][1], weights_of(model).numpy(), atol=1e-4)
    assert piece["sgd"].shape == (1370,) and piece["grda"].shape == (3, 1370)
    large = study.measure(("large", 0.2, 1))
    assert large["s"].shape == (2, 13706) and large["values"].shape == (40,)


def test_networks_pruned_to_the_same_zeros(few):
    study = InSteps(
        epochs=(30, 40),
        c=((0.01,), (0.01,)),
        steps=2,
        zeros=0.1,
        seeds=(3,),
        products=4,
        epsilon=0.5,
    )
    piece = study.measure(("large", 3))
    np.testing.assert_allclose(piece["zeros"], [1 - 0.9**0.5, 0.1], atol=1e-3)
    assert "obs/train_loss" not in piece and piece["products"] == 8
    assert piece["grda/train_loss"].shape == (1,) and piece["steps/train_loss"].shape == (2,)
    small = study.measure(("small", 3))
    model, data = small_digits_cnn(3), few
    train(
        model,
        data,
        lambda weights: torch.optim.SGD(weights, lr=0.1),
        epochs=30,
        batch_size=32,
        seed=3,
        device="cpu",
    )
    pruned = magnitude_pruning(model, 0.1)
    seen = measure_along(model, [weights_of(pruned)], data, ("train", "test"))
    np.testing.assert_allclose(small["magnitude/train_loss"][1:], seen["train_loss"], rtol=1e-3)
    loss = FixedLoss(model, (data.x_train, data.y_train))
    np.testing.assert_allclose(small["sgd/train_loss"], [loss()], rtol=1e-3)
    assert small["obs/train_loss"].shape == (2,) and np.isfinite(small["obs/train_loss"]).all()


def test_one_order_of_the_surgeon_gives_its_weights_at_every_number_of_zeros():
    rng = np.random.default_rng(0)
    root, w = rng.standard_normal((9, 9)), rng.standard_normal(9)
    matrix = root @ root.T / 9
    model = torch.nn.Linear(9, 1, bias=False).double()
    inputs = torch.from_numpy(
        np.linalg.cholesky(matrix).T * 3
    )  # the mean of (xᵀu)²/2 has the Hessian Σ xxᵀ/9
    loss = FixedLoss(
        model, (inputs, torch.zeros(9)), lambda outputs, _: (outputs**2).sum() / 2 / len(outputs)
    )
    found = _surgery(w, loss, [2, 5], 0.01)
    for row, zeros in zip(found, (2, 5), strict=True):
        wanted = obs_pruning(w, matrix, zeros, epsilon=0.01).w
        np.testing.assert_allclose(row, wanted, atol=1e-9)


def test_what_the_recording_says_of_steps():
    """Losses at the zeros nearest to a share: [seeds]."""
    recorded = load_measurements("in_steps")
    assert recorded.configuration["seeds"] == [0, 1, 2, 3, 4]

    def loss(network, way, zeros):
        at = int(np.abs(recorded.arrays[f"{network}/zeros"][0] - zeros).argmin())
        return recorded.arrays[f"{network}/{way}/train_loss"][:, at]

    for network in ("small", "large"):
        for zeros in (0.8, 0.9):
            steps = loss(network, "steps", zeros)
            assert (steps < loss(network, "magnitude", zeros)).all()
            assert (steps < loss(network, "jump", zeros)).all()
    for zeros in (0.5, 0.6, 0.7, 0.8):  # the surgeon is better where its Hessian can be had,
        assert (loss("small", "obs", zeros) < loss("small", "steps", zeros)).all()
    assert (loss("small", "obs", 0.9) > loss("small", "steps", 0.9)).all()  # and not at the end
