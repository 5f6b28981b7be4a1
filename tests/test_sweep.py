"""sweep() against train(), network by network, and whatever may interrupt it."""

import math
from dataclasses import replace
from functools import partial
from importlib import import_module

import numpy as np
import pytest
import torch
from torch import nn

import grda_edu
from grda_edu import GRDA, sweep, train
from grda_edu.data import digits
from grda_edu.models import digits_cnn, small_digits_cnn
from grda_edu.run import CURVES

sweep_module = import_module("grda_edu.sweep")  # the package's name of it is the function

IMAGES, BATCH = 100, 24  # five batches an epoch, the last one of four images
GRID = {"c": [0.0, 0.02], "mu": [0.51, 0.7], "seeds": [0, 3]}
RECIPE = {"lr": 0.1, "epochs": 2, "batch_size": BATCH, "device": "cpu"}


@pytest.fixture(scope="module")
def data():
    whole = digits()
    parts = {f"{xy}_train": getattr(whole, f"{xy}_train")[:IMAGES] for xy in "xy"}
    return replace(whole, **parts)


class StopAfter:
    """A stop event that is set once it has been looked at ``batches`` times."""

    def __init__(self, batches):
        self.left = batches

    def is_set(self):
        self.left -= 1
        return self.left < 0


def alone(make_model, data, cell, **recipe):
    """The same network by ``train``."""
    c, mu, seed = cell
    recipe = {**RECIPE, **recipe}
    make = partial(GRDA, lr=recipe.pop("lr"), c=c, mu=mu)
    return train(make_model(seed), data, make, seed=seed, **recipe)


def weights_of(run):
    return run.checkpoint.model


def furthest(run, other):
    """The largest difference of a weight."""
    one, two = weights_of(run), weights_of(other)
    assert one.keys() == two.keys()
    return max(float((one[name] - two[name]).abs().max()) for name in one)


def assert_same_bits(run, other):
    for name in ("epoch", *CURVES, "zeros"):
        np.testing.assert_array_equal(getattr(run, name), getattr(other, name), err_msg=name)
    for name, weights in weights_of(run).items():
        assert torch.equal(weights, weights_of(other)[name]), name


def without_sweep(run):
    return {name: value for name, value in run.configuration.items() if name != "sweep"}


def method(runs):
    return {run.configuration["sweep"]["method"] for run in runs.values()}


def test_public_name_is_the_function():
    assert grda_edu.sweep is sweep_module.sweep


# What it computes


def residual(seed):
    """No sequence of layers: done by vmap."""

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(64, 64), nn.Linear(64, 10)

        def forward(self, x):
            x = x.flatten(1)
            return self.last(x + torch.tanh(self.first(x)))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Residual()


def odd_layers(seed):
    """Everything that a stack knows, with strides, padding and no bias."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(1, 5, (3, 2), stride=(2, 1), padding=(2, 1)),
            nn.ReLU(),
            nn.MaxPool2d(2, stride=1),
            nn.Conv2d(5, 6, (2, 3), stride=2, padding=(0, 1), bias=False),
            nn.AvgPool2d((1, 2)),
            nn.GELU(),
            nn.Flatten(),
            nn.Linear(24, 12, bias=False),
            nn.Tanh(),
            nn.Linear(12, 10),
        )


MODELS = {"small": small_digits_cnn, "digits": digits_cnn, "odd": odd_layers, "vmap": residual}


@pytest.mark.parametrize("name", MODELS)
def test_fifty_steps_are_those_of_single_runs(data, name):
    runs = sweep(MODELS[name], data, **GRID, **RECIPE | {"epochs": 10})
    assert method(runs) == {"stack"}
    assert list(runs) == [(c, m, s) for c in GRID["c"] for m in GRID["mu"] for s in GRID["seeds"]]
    for cell, run in runs.items():
        expected = alone(MODELS[name], data, cell, epochs=10)
        assert run.checkpoint.optimizer["state"][0]["step"] == 50
        assert furthest(run, expected) < 1e-4
        assert run.finished
        assert run.epoch.tolist() == list(range(11))
        for curve in CURVES:
            mine, theirs = getattr(run, curve), getattr(expected, curve)
            np.testing.assert_allclose(mine, theirs, atol=2e-3, err_msg=curve)
        assert np.abs(run.zeros - expected.zeros).max() <= 2
        assert without_sweep(run) == expected.configuration
        assert (run.layers, run.device) == (expected.layers, expected.device)
        assert run.sizes.tolist() == expected.sizes.tolist()


def test_the_order_of_the_grid_changes_no_bit(data):
    shuffled = {"c": [0.02, 0.0], "mu": [0.7, 0.51], "seeds": [3, 0]}
    one = sweep(digits_cnn, data, **GRID, **RECIPE)
    other = sweep(digits_cnn, data, **shuffled, **RECIPE)
    assert list(one) != list(other)
    for cell, run in one.items():
        assert_same_bits(run, other[cell])


def test_no_network_sees_another_ones_images(data):
    """Seeds differ in weights and batches; c and mu in neither."""
    runs = sweep(small_digits_cnn, data, **GRID, **RECIPE)
    for seed in GRID["seeds"]:
        sgd = [runs[0.0, mu, seed] for mu in GRID["mu"]]
        assert_same_bits(*sgd)
    assert furthest(runs[0.0, 0.51, 0], runs[0.0, 0.51, 3]) > 0.1
    assert furthest(runs[0.0, 0.51, 0], runs[0.02, 0.51, 0]) > 1e-3


def test_a_run_goes_on_where_the_sweep_left_it(data):
    runs = sweep(small_digits_cnn, data, c=0.02, mu=0.6, seeds=[4], **RECIPE)
    make = partial(GRDA, lr=0.1, c=0.02, mu=0.6)
    options = {"epochs": 4, "batch_size": BATCH, "seed": 4, "device": "cpu"}
    resumed = train(small_digits_cnn(9), data, make, **options, resume=runs[0.02, 0.6, 4])
    expected = alone(small_digits_cnn, data, (0.02, 0.6, 4), epochs=4)
    assert furthest(resumed, expected) < 1e-4
    assert resumed.epoch.tolist() == [0, 1, 2, 3, 4]


# Bad input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"c": []}, r"c is empty: accepted is at least one value"),
        ({"mu": ()}, r"mu is empty"),
        ({"seeds": []}, r"seeds is empty"),
        ({"c": [0.01, math.nan]}, r"c = \[0.01, nan\]: .*got a NaN"),
        ({"mu": [math.nan]}, r"mu = \[nan\]: .*got a NaN"),
        ({"c": [0.01, 0.02, 0.01]}, r"c = .*0.01 is there twice"),
        ({"mu": [0.51, 0.51]}, r"mu = .*0.51 is there twice"),
        ({"seeds": [1, 2, 1]}, r"seeds = .*1 is there twice"),
        ({"c": [0.01, -1.0]}, r"c = -1.0: accepted is a finite number >= 0"),
        ({"lr": -0.1}, r"lr = -0.1: accepted is a finite number >= 0"),
        ({"seeds": [0, 1.5]}, r"seed must be an integer >= 0, got 1.5"),
        ({"epochs": 0}, r"epochs must be an integer >= 1, got 0"),
        ({"batch_size": 101}, r"batch_size must be an integer from 1 to 100, got 101"),
        ({"memory": 1000}, r"memory = 1000 bytes: accepted is \d+ \(one network\) or more"),
        ({"device": "abacus"}, r"device must be"),
    ],
)
def test_bad_arguments_are_named(data, change, message):
    with pytest.raises(ValueError, match=message):
        sweep(small_digits_cnn, data, **{**GRID, **RECIPE, **change})


def test_labels_must_fit_the_outputs_and_be_of_two_classes(data):
    def five(seed):
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 5))

    with pytest.raises(ValueError, match=r"labels 0 to 9, but model has 5 outputs"):
        sweep(five, data, **GRID, **RECIPE)
    same = replace(data, y_train=torch.full_like(data.y_train, 3))
    with pytest.raises(ValueError, match=r"data has one class to train on, label 3"):
        sweep(small_digits_cnn, same, **GRID, **RECIPE)
    with pytest.raises(ValueError, match=r"data has one class to train on, label 3"):
        alone(small_digits_cnn, same, (0.0, 0.51, 0))
