import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from grda_edu.shrinkage import (
    PowerTuning,
    hard_threshold,
    soft_threshold,
    tuning_function,
    tuning_increment,
)

numbers = st.floats(-1e3, 1e3)
thresholds = st.floats(0, 1e3)
vectors = arrays(np.float64, array_shapes(max_dims=3), elements=numbers)


@given(numbers, thresholds, numbers)
def test_soft_threshold_is_the_argmin(x, tau, other):
    def objective(w):
        return 0.5 * (w - x) ** 2 + tau * abs(w)

    s = soft_threshold(x, tau)
    # the objective is strongly convex: any other point is worse by half the squared distance
    assert objective(other) >= objective(s) + 0.5 * (other - s) ** 2 - 1e-9 * (1 + objective(other))


@given(vectors, thresholds)
def test_soft_threshold_moves_by_tau_or_to_zero(x, tau):
    s = soft_threshold(x, tau)
    assert np.array_equal(s, x - np.clip(x, -tau, tau))
    assert np.allclose(s, np.sign(x) * np.maximum(np.abs(x) - tau, 0), rtol=0, atol=1e-12)
    assert np.array_equal(s == 0, np.abs(x) <= tau)


@given(vectors, thresholds)
def test_hard_threshold_keeps_or_kills(x, tau):
    expected = [value if abs(value) > tau else 0.0 for value in x.ravel()]
    assert np.array_equal(hard_threshold(x, tau).ravel(), expected)


@pytest.mark.parametrize("function", [soft_threshold, hard_threshold])
@given(vectors, thresholds)
def test_numpy_torch_and_floats_agree(function, x, tau):
    by_numpy = function(x, tau)
    by_torch = function(torch.from_numpy(x), tau)
    by_float = [function(float(value), tau) for value in x.ravel()]
    assert isinstance(by_torch, torch.Tensor)
    assert np.array_equal(by_numpy, by_torch.numpy())
    assert np.array_equal(by_numpy.ravel(), by_float)


@pytest.mark.parametrize("function", [soft_threshold, hard_threshold])
@given(vectors)
def test_zero_threshold_changes_nothing(function, x):
    assert np.array_equal(function(x, 0), x)


@pytest.mark.parametrize("function", [soft_threshold, hard_threshold])
@pytest.mark.parametrize("kind", [float, np.array, torch.tensor])
def test_nan_and_infinity_stay(function, kind):
    assert math.isnan(function(kind(math.nan), 1.0))
    assert function(kind(-math.inf), 1.0) == -math.inf


def test_an_array_of_thresholds_broadcasts():
    x = np.array([[3.0], [-1.0]])
    assert np.array_equal(soft_threshold(x, np.array([0.0, 2.0])), [[3.0, 1.0], [-1.0, 0.0]])
    assert np.array_equal(hard_threshold(x, np.array([0.0, 2.0])), [[3.0, 3.0], [-1.0, 0.0]])


def test_the_argument_is_not_changed():
    x = np.array([1.0, -0.1])
    soft_threshold(x, 0.5)
    hard_threshold(x, 0.5)
    assert np.array_equal(x, [1.0, -0.1])


@pytest.mark.parametrize("function", [soft_threshold, hard_threshold])
@pytest.mark.parametrize("tau", [-0.1, math.nan, np.array([0.1, -0.1]), torch.tensor([math.nan])])
def test_a_bad_threshold_is_named(function, tau):
    with pytest.raises(ValueError, match=r"tau = .*: accepted is a number >= 0"):
        function(np.ones(2), tau)


@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 2))
def test_tuning_function_is_c_root_lr_time_to_the_mu(n, lr, c, mu):
    assert tuning_function(n, lr, c, mu) == pytest.approx(
        c * math.sqrt(lr) * (n * lr) ** mu, rel=1e-12
    )


@given(st.integers(1, 300), st.floats(1e-4, 1), st.floats(0, 1), st.floats(0.01, 2))
def test_increments_add_up_to_the_tuning_function(n, lr, c, mu):
    total = sum(tuning_increment(k, lr, c, mu) for k in range(1, n + 1))
    assert total == pytest.approx(tuning_function(n, lr, c, mu), rel=1e-11)


def test_increments_of_arrays_and_tensors():
    n = np.arange(1, 50)
    expected = [tuning_increment(int(k), 0.1, 0.02, 0.7) for k in n]
    assert np.allclose(tuning_increment(n, 0.1, 0.02, 0.7), expected, rtol=1e-12)
    by_torch = tuning_increment(torch.from_numpy(n).double(), 0.1, 0.02, 0.7)
    assert np.allclose(by_torch.numpy(), expected, rtol=1e-12)


def test_the_authors_schedule_example():
    """5,005 steps an epoch, lr .1 for 140 epochs, then .01."""
    n = np.arange(1, 150 * 5005 + 1)
    lr = np.where(n <= 140 * 5005, 0.1, 0.01)
    accumulated = np.cumsum(tuning_increment(n, lr, 0.005, 0.51))
    assert round(accumulated[140 * 5005 - 1], 3) == 0.468
    assert round(accumulated[-1], 3) == 0.470
    assert round(tuning_function(140 * 5005, 0.01, 0.005, 0.51), 3) == 0.046


@pytest.mark.parametrize("function", [tuning_function, tuning_increment])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", -1),
        ("lr", -0.1),
        ("lr", math.nan),
        ("c", -1e-9),
        ("c", math.nan),
        ("mu", 0.0),
        ("mu", math.nan),
    ],
)
def test_a_bad_hyperparameter_is_named(function, name, value):
    arguments = {"n": 3, "lr": 0.1, "c": 0.01, "mu": 0.7, name: value}
    with pytest.raises(ValueError, match=f"{name} = {value}: accepted is a number >"):
        function(**arguments)


@given(
    st.integers(0, 10**6),
    st.floats(1e-4, 1),
    st.floats(0, 1),
    st.floats(0.5, 1),
    st.floats(0, 0.99),
)
def test_power_tuning_takes_the_effective_step(n, lr, c, mu, beta):
    effective = lr / (1 - beta)
    expected = c * math.sqrt(effective) * (n * effective) ** mu
    assert PowerTuning(c, mu, momentum=beta)(n, lr) == pytest.approx(expected, rel=1e-9)
    assert PowerTuning(c, mu)(n, lr) == tuning_function(n, lr, c, mu)


def test_power_tunings_are_told_apart_by_their_words():
    assert repr(PowerTuning(0.02, 0.65, 0.9)) == "PowerTuning(c=0.02, mu=0.65, momentum=0.9)"
    assert PowerTuning(0.02, 0.65) == PowerTuning(0.02, 0.65, momentum=0.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [("c", -0.1), ("c", math.nan), ("mu", 0.0), ("momentum", 1.0), ("momentum", math.nan)],
)
def test_a_bad_argument_of_power_tuning_is_named(name, value):
    with pytest.raises(ValueError, match=f"{name} = {value}: accepted is a number (>|in)"):
        PowerTuning(**{"c": 0.02, "mu": 0.65, name: value})


def test_the_formulas_do_not_need_torch():
    code = (
        "import sys, grda_edu; grda_edu.soft_threshold(1.0, 0.5); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
