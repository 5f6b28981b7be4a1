"""The two rules against brute force."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grda_edu.training.rules import (
    STEPS,
    c_steps,
    choose,
    difference_error,
    greatest_comparable,
    is_comparable,
    longest_way,
    stopping_epoch,
    stopping_regret,
)
from grda_edu.training.run import Run

# ------------------------------------------------- steps of c


def test_the_steps_are_round_and_differ_by_about_a_half():
    steps = c_steps()
    assert steps[0] == 1e-4 and steps[-1] == 0.1
    assert {0.001, 0.0015, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05} <= set(steps)
    ratios = np.diff(np.log(steps))
    assert (ratios > np.log(1.3)).all() and (ratios < np.log(2.01)).all()
    assert len(steps) == 3 * len(STEPS) + 1


def test_odd_ends_are_kept():
    assert c_steps(0.0007, 0.004) == (0.0007, 0.001, 0.0015, 0.002, 0.003, 0.004)
    assert c_steps(0.02, 0.02) == (0.02,)


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ((0.0, 0.1), "start = 0.0"),
        ((math.nan, 0.1), "start = nan"),
        ((1e-4, math.inf), "largest = inf"),
        ((0.1, 0.01), "largest = 0.01: accepted is a finite number >= start = 0.1"),
    ],
)
def test_ends_that_are_none_are_named(ends, words):
    with pytest.raises(ValueError, match=words):
        c_steps(*ends)


# ------------------------------------------------- the search


def tried_for(edge, steps):
    """What the search tries, and finds, if all c below position ``edge`` are comparable."""
    tried = []

    def comparable(c):
        tried.append(c)
        return steps.index(c) < edge

    return tried, choose(comparable, steps)


@given(st.integers(1, 40), st.data())
def test_the_search_finds_the_edge_wherever_it_is(count, data):
    ratios = data.draw(st.lists(st.floats(1.05, 4), min_size=count, max_size=count))
    steps = tuple(1e-4 * np.cumprod(ratios))
    edge = data.draw(st.integers(0, count))
    tried, found = tried_for(edge, steps)
    assert found == (steps[edge - 1] if edge else None)
    assert len(tried) == len(set(tried)) <= longest_way(steps)
    assert tried[0] == steps[0]


def test_the_search_of_the_defaults_takes_a_handful_of_probes():
    steps = c_steps()
    counts = [len(tried_for(edge, steps)[0]) for edge in range(len(steps) + 1)]
    assert longest_way(steps) == max(counts) == 7
    assert counts[0] == 1  # even the smallest is too large: nothing else is tried


def test_the_search_leaps_by_ten_and_then_halves():
    tried, found = tried_for(c_steps().index(0.02) + 1, c_steps())
    assert tried == [0.0001, 0.001, 0.01, 0.1, 0.02, 0.03] and found == 0.02


def test_nothing_beyond_the_first_failure_is_tried_above_it():
    candidates = greatest_comparable((1.0, 2.0, 3.0, 4.0), growth=2.0)
    assert next(candidates) == 1.0
    assert candidates.send(True) == 2.0
    assert candidates.send(True) == 4.0
    assert candidates.send(False) == 3.0
    with pytest.raises(StopIteration):
        candidates.send(True)


@pytest.mark.parametrize(
    ("difference", "tolerance", "right"),
    [(0.1, 0.0, True), (0.0, 0.0, True), (-0.01, 0.01, True), (-0.011, 0.01, False)],
)
def test_comparable(difference, tolerance, right):
    assert is_comparable(difference, tolerance) == right
    assert not is_comparable(math.nan, tolerance)
    assert is_comparable(0.97 - 0.98, 0.01)  # rounding does not decide


def test_the_standard_error_is_that_of_two_samples_of_images():
    rng = np.random.default_rng(0)
    one, other = (rng.binomial(157, p, 200_000) / 157 for p in (0.5, 0.8))
    assert difference_error(0.5, 0.8, 157) == pytest.approx((one - other).std(), rel=0.01)


def test_on_the_same_images_the_error_is_smaller():
    """Two networks that mostly err on the same images, measured on the same ones."""
    rng = np.random.default_rng(0)
    difficulty = rng.random((20_000, 157))
    one, other = (difficulty < 0.5).mean(axis=1), (difficulty < 0.6).mean(axis=1)
    assert (one - other).std() < 0.6 * difference_error(0.5, 0.6, 157)


# ------------------------------------------------- stopping


def by_definition(trace, patience, tolerance):
    """Slow: the first epoch whose last ``patience`` epochs hold no rise that counts."""
    rises, best = [0], trace[0]
    for k, value in enumerate(trace[1:], start=1):
        if value > best + tolerance + 1e-9:
            rises.append(k)
            best = value
    for epoch in range(1, len(trace)):
        if epoch - max(k for k in rises if k <= epoch) >= patience:
            return epoch
    return len(trace) - 1


@given(
    st.lists(st.integers(0, 157), min_size=1, max_size=40),
    st.integers(1, 10),
    st.sampled_from([0.0, 0.005, 0.02]),
)
def test_stopping_is_what_it_says(images, patience, tolerance):
    trace = np.array(images) / 157
    assert stopping_epoch(trace, patience, tolerance) == by_definition(trace, patience, tolerance)


@pytest.mark.parametrize(
    ("trace", "epoch"),
    [
        ([0.1, 0.5, 0.9, 0.9, 0.9, 0.9], 4),
        ([0.1, 0.5, 0.9, 0.904, 0.908, 0.9], 5),  # small steps count once they add up
        ([0.1, 0.2, 0.3, 0.4], 3),  # still rising: to the end
        ([0.1, 0.1, 0.1, 0.9], 2),  # it cannot know what comes
        ([0.5], 0),
    ],
)
def test_stopping_by_hand(trace, epoch):
    assert stopping_epoch(trace, patience=2, tolerance=0.005) == epoch


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([], 5, 0.0), "accuracy"),
        (([0.1, math.nan], 5, 0.0), "accuracy"),
        (([0.1], 0, 0.0), "patience = 0"),
        (([0.1], 2.5, 0.0), "patience = 2.5"),
        (([0.1], True, 0.0), "patience = True"),
        (([0.1], 5, -0.1), "tolerance = -0.1"),
        (([0.1], 5, math.nan), "tolerance = nan"),
    ],
)
def test_bad_settings_of_stopping_are_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        stopping_epoch(*arguments)


def test_the_regret_is_what_the_rest_of_the_run_brings():
    curve = np.array([0.1, 0.6, 0.9, 0.85])
    run = Run(
        configuration={},
        device="cpu",
        versions={},
        layers=("w",),
        sizes=np.array([10]),
        epoch=np.arange(4),
        train_loss=curve,
        train_accuracy=curve,
        val_loss=curve,
        val_accuracy=curve,
        test_loss=curve,
        test_accuracy=curve,
        zeros=np.array([[0], [2], [5], [9]]),
        seconds=np.arange(4.0),
    )
    assert stopping_regret(run, 2) == pytest.approx((-0.05, 0.4))
    assert stopping_regret(run, 3) == (0, 0)
    for epoch in (-1, 4):
        with pytest.raises(ValueError, match=f"epoch = {epoch}"):
            stopping_regret(run, epoch)
