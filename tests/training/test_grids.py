"""sweep() against train(), network by network, and whatever may interrupt it."""

import itertools
import math
import time
import weakref
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from grda_edu import GRDA, sweep, train
from grda_edu.data import digits
from grda_edu.models import digits_cnn, small_digits_cnn
from grda_edu.training import grids, loop
from grda_edu.training.grids import bytes_per_network
from grda_edu.training.run import CURVES

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


def test_at_the_end_rounding_makes_no_more_difference_than_a_seed_does(data):
    seeds, recipe = range(6), RECIPE | {"epochs": 30}
    runs = sweep(small_digits_cnn, data, c=0.02, mu=0.6, seeds=seeds, **recipe).values()
    single = [alone(small_digits_cnn, data, (0.02, 0.6, seed), epochs=30) for seed in seeds]
    for curve in ("test_accuracy", "total_zeros"):
        mine = np.array([getattr(run, curve)[-1] for run in runs])
        theirs = np.array([getattr(run, curve)[-1] for run in single])
        assert (np.abs(mine - theirs) <= theirs.std()).all()


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
        ({"c": []}, r"c = \[\]: accepted is a list of at least one value"),
        ({"mu": ()}, r"mu = \[\]: accepted"),
        ({"seeds": []}, r"seeds = \[\]: accepted"),
        ({"c": [0.01, math.nan]}, r"c = nan: accepted is a finite number >= 0"),
        ({"mu": [math.nan]}, r"mu = nan: accepted is a finite number > 0"),
        ({"c": [0.01, 0.02, 0.01]}, r"c = .*0.01 is there twice"),
        ({"mu": [0.51, 0.51]}, r"mu = .*0.51 is there twice"),
        ({"seeds": [1, 2, 1]}, r"seeds = .*1 is there twice"),
        ({"c": [0.01, -1.0]}, r"c = -1.0: accepted is a finite number >= 0"),
        ({"lr": -0.1}, r"lr = -0.1: accepted is a finite number >= 0"),
        ({"seeds": [0, 1.5]}, r"seed = 1.5: accepted is an integer >= 0"),
        ({"epochs": 0}, r"epochs = 0: accepted is an integer >= 1"),
        ({"batch_size": 101}, r"batch_size = 101: accepted is an integer from 1 to 100"),
        ({"memory": 1000}, r"memory = 1000: accepted is a number of bytes >= \d+, one network"),
        ({"device": "abacus"}, r"device = 'abacus': accepted is"),
    ],
)
def test_bad_arguments_are_named(data, change, message):
    with pytest.raises(ValueError, match=message):
        sweep(small_digits_cnn, data, **{**GRID, **RECIPE, **change})


def test_labels_must_fit_the_outputs_and_be_of_two_classes(data):
    def five(seed):
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 5))

    with pytest.raises(
        ValueError, match=r"labels 0 to 9: accepted are 0 to 4, as model has 5 outputs"
    ):
        sweep(five, data, **GRID, **RECIPE)
    same = replace(data, y_train=torch.full_like(data.y_train, 3))
    with pytest.raises(ValueError, match=r"data has one class to train on, label 3"):
        sweep(small_digits_cnn, same, **GRID, **RECIPE)
    with pytest.raises(ValueError, match=r"data has one class to train on, label 3"):
        alone(small_digits_cnn, same, (0.0, 0.51, 0))


def test_make_model_must_give_new_networks_of_one_architecture(data):
    model = small_digits_cnn()
    with pytest.raises(
        ValueError, match=r"make_model gave one network twice: accepted is a new one at each call"
    ):
        sweep(lambda seed: model, data, **GRID, **RECIPE)

    def grows(seed):
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 10 + seed))

    with pytest.raises(
        ValueError, match=r"shapes .*\(10, 64\).* and .*\(13, 64\).*: accepted are the same"
    ):
        sweep(grows, data, **GRID, **RECIPE)


def test_numbers_of_numpy_are_numbers(data):
    runs = sweep(small_digits_cnn, data, c=np.array([0.01]), mu=0.6, seeds=np.arange(2), **RECIPE)
    assert list(runs) == [(0.01, 0.6, 0), (0.01, 0.6, 1)]
    assert all(type(seed) is int for _, _, seed in runs)


# One by one


def with_batch_norm(seed):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 20), nn.BatchNorm1d(20), nn.Linear(20, 10))


def with_dropout(seed):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 20), nn.Dropout(0.3), nn.Linear(20, 10))


class Branching(nn.Module):
    """What vmap cannot take: it decides by a value."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(64, 10)

    def forward(self, x):
        x = x.flatten(1)
        return self.last(x if x.sum() > 0 else -x)


class Counting(nn.Module):
    """Its answers depend on what it was asked before."""

    def __init__(self):
        super().__init__()
        self.last, self.calls = nn.Linear(64, 10), 0

    def forward(self, x):
        self.calls += 1
        return self.last(x.flatten(1)) + self.calls


class WithSpare(nn.Module):
    """One of its layers is not used: gRDA leaves what has no gradient as it is."""

    def __init__(self):
        super().__init__()
        self.spare, self.last = nn.Linear(64, 3), nn.Linear(64, 10)

    def forward(self, x):
        return self.last(x.flatten(1))


def wide(seed):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 500), nn.ReLU(), nn.Linear(500, 10))


@pytest.mark.parametrize(
    ("make_model", "note"),
    [
        (with_batch_norm, "buffers"),
        (with_dropout, "at random"),
        (lambda seed: Branching(), "cannot hold"),
        (lambda seed: Counting(), "answers otherwise"),
        (lambda seed: WithSpare(), "without a gradient"),
        (wide, "with 37,510 parameters"),
    ],
)
def test_what_a_stack_cannot_do_or_not_faster_is_trained_one_by_one(data, make_model, note):
    def seeded(seed):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return make_model(seed)

    runs = sweep(seeded, data, c=0.02, mu=0.6, seeds=[0, 1], **RECIPE)
    for cell, run in runs.items():
        assert run.configuration["sweep"]["method"] == "loop"
        assert note in run.configuration["sweep"]["note"]
        if not isinstance(seeded(0), Counting):  # which depends on how often it is asked
            assert_same_bits(run, alone(seeded, data, cell))


def test_large_batches_are_trained_one_by_one():
    whole = digits()
    recipe = RECIPE | {"epochs": 1, "batch_size": 129}
    runs = sweep(small_digits_cnn, whole, c=0.02, mu=0.6, seeds=[0, 1], **recipe)
    for cell, run in runs.items():
        assert "129 images a batch" in run.configuration["sweep"]["note"]
        assert_same_bits(run, alone(small_digits_cnn, whole, cell, **recipe))


def test_a_model_with_hooks_is_no_plain_sequence(data):
    """A stack that knows its layers would pass the hooks over."""

    def doubled(seed):
        model = small_digits_cnn(seed)
        model.relu.register_forward_hook(lambda module, inputs, outputs: 2 * outputs)
        return model

    runs = sweep(doubled, data, c=0.02, mu=0.6, seeds=[0, 1], **RECIPE)
    for cell, run in runs.items():
        assert furthest(run, alone(doubled, data, cell)) < 1e-4


def test_frozen_parameters_are_left_as_they_are(data):
    def frozen(seed):
        model = small_digits_cnn(seed)
        model.conv.requires_grad_(False)
        return model

    runs = sweep(frozen, data, c=0.02, mu=0.6, seeds=[0, 1], **RECIPE)
    assert method(runs) == {"stack"}
    for cell, run in runs.items():
        assert torch.equal(weights_of(run)["conv.weight"], frozen(cell[2]).conv.weight)
        assert furthest(run, alone(frozen, data, cell)) < 1e-4


# Stop, progress, divergence


@pytest.mark.parametrize("make_model", [small_digits_cnn, with_dropout])
def test_stop_ends_all_before_the_next_batch(data, make_model):
    options = GRID | RECIPE
    runs = sweep(make_model, data, **options, stop=StopAfter(7))
    assert len(runs) == 8
    first = next(iter(runs.values()))
    assert first.message == "stopped in epoch 2, after batch 2 of 5"
    assert first.epoch.tolist() == [0, 1]
    for run in runs.values():
        assert not run.finished
        assert run.message.startswith("stopped in epoch ")


def test_a_stopped_network_goes_on_where_it_stopped(data):
    cell = (0.02, 0.6, 1)
    grid = {"c": cell[0], "mu": cell[1], "seeds": cell[2]}
    stopped = sweep(small_digits_cnn, data, **grid, **RECIPE, stop=StopAfter(7))[cell]
    make = partial(GRDA, lr=0.1, c=cell[0], mu=cell[1])
    options = {"epochs": 2, "batch_size": BATCH, "seed": cell[2], "device": "cpu"}
    resumed = train(small_digits_cnn(9), data, make, **options, resume=stopped)
    assert furthest(resumed, alone(small_digits_cnn, data, cell)) < 1e-4


@pytest.mark.parametrize("make_model", [small_digits_cnn, with_dropout])
def test_progress_is_told_copies_of_the_histories(data, make_model, monkeypatch):
    seconds = itertools.count(step=0.05)  # between two looks at the clock
    clock = SimpleNamespace(monotonic=lambda: next(seconds), perf_counter=time.perf_counter)
    monkeypatch.setattr(loop, "time", clock)
    told, at = [], []

    def progress(runs, fraction):
        told.append((runs, fraction))
        at.append(next(seconds))

    runs = sweep(make_model, data, **GRID, **RECIPE, progress=progress)
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] < 0.2
    assert fractions[-1] == pytest.approx(1)
    assert list(told[-1][0]) == list(runs)
    assert len(told) > 3
    assert (np.diff(at)[:-1] >= 0.2).all()  # but for the last, which comes at the end
    lengths = [sum(len(run.epoch) for run in histories.values()) for histories, _ in told]
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[-1] == 8 * 3


class TurnsBad(nn.Module):
    """A network that answers NaN to whoever has large weights."""

    def __init__(self, seed):
        super().__init__()
        self.network = small_digits_cnn(seed)

    def forward(self, x):
        size = self.network.fc.bias.abs().max()
        return self.network(x) * torch.where(size > 0.1, math.nan, 1.0)


def test_a_network_that_diverges_ends_and_the_others_go_on(data):
    grid = {"c": [0.0, 0.02], "mu": [0.7], "seeds": [0, 1, 2, 3, 4, 5]}
    recipe = RECIPE | {"epochs": 4}
    runs = sweep(TurnsBad, data, **grid, **recipe)
    assert method(runs) == {"stack"}
    ended = [cell for cell, run in runs.items() if run.message]
    assert 0 < len(ended) < len(runs)
    for cell, run in runs.items():
        expected = alone(TurnsBad, data, cell, epochs=4)
        assert run.message == expected.message
        assert run.epoch.tolist() == expected.epoch.tolist()
        assert furthest(run, expected) < 1e-3
        steps = [state["step"] for state in run.checkpoint.optimizer["state"].values()]
        theirs = [state["step"] for state in expected.checkpoint.optimizer["state"].values()]
        assert steps == theirs


def test_all_may_diverge(data):
    runs = sweep(small_digits_cnn, data, c=0, mu=0.6, seeds=[0, 1], **RECIPE | {"lr": 1e20})
    for run in runs.values():
        assert run.message.startswith("diverged: the loss became ")
        assert not run.finished
        assert all(torch.isfinite(w).all() for w in weights_of(run).values())


def test_snapshots_are_pictures_of_each_network(data):
    runs = sweep(digits_cnn, data, **GRID, **RECIPE, snapshot_epochs=[0, 2])
    for cell, run in runs.items():
        for name, p in digits_cnn(cell[2]).named_parameters():
            np.testing.assert_array_equal(run.snapshots[0][name], p.detach().numpy())
            np.testing.assert_array_equal(run.snapshots[2][name], weights_of(run)[name].numpy())


# Memory


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of all tensors that are alive, and remembers the most."""

    def __init__(self):
        super().__init__()
        self.sizes, self.now, self.most = {}, 0, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **kwargs or {})
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self.see(tensor.untyped_storage())
        return result

    def see(self, storage):
        if (key := storage._cdata) not in self.sizes:
            self.sizes[key] = storage.nbytes(), weakref.ref(storage, lambda _: self.forget(key))
            self.now += storage.nbytes()
            self.most = max(self.most, self.now)

    def forget(self, key):
        self.now -= self.sizes.pop(key)[0]


@pytest.mark.parametrize("name", MODELS)
def test_memory_grows_by_the_stated_bytes_with_each_network(data, name, monkeypatch):
    monkeypatch.setattr(grids, "_keep_memory", lambda: None)  # would be the most by far

    def most(networks):
        with LiveBytes() as live:
            sweep(MODELS[name], data, c=0.02, mu=0.6, seeds=range(networks), **RECIPE)
        return live.most

    grows = (most(8) - most(4)) / 4
    stated = bytes_per_network(MODELS[name](0), data, BATCH)
    assert 0.4 * stated < grows <= stated


def test_a_grid_too_large_for_the_memory_is_trained_in_parts(data):
    whole = sweep(small_digits_cnn, data, **GRID, **RECIPE)
    size = bytes_per_network(small_digits_cnn(), data, BATCH)
    runs = sweep(small_digits_cnn, data, **GRID, **RECIPE, memory=3 * size)
    assert list(runs) == list(whole)
    for cell, run in runs.items():
        how = run.configuration["sweep"]
        assert (how["parts"], how["networks"], how["bytes_per_network"]) == (3, 8, size)
        assert "3 parts: 8 networks" in how["note"]
        assert whole[cell].configuration["sweep"]["parts"] == 1
        assert whole[cell].configuration["sweep"]["note"] == ""
        assert furthest(run, whole[cell]) < 1e-4
