"""Lesson 01 against closed forms, a numerical minimiser and wrong answers."""

import numpy as np
import pytest
from course.checking import assert_exercise, assert_prediction
from scipy.optimize import minimize_scalar

from grda_edu.lessons import lesson01
from grda_edu.lessons.lesson01 import EXERCISES, OBJECTIVES, PREDICTIONS
from grda_edu.lessons.lesson01.numbers import apply_rule
from grda_edu.lessons.lesson01.one_number import X


def picture_row(explorable, **values):
    """What the figure shows at these control values: key -> array."""
    row, sentence = explorable._compute(**values)
    return row, sentence


def slider_values(explorable, name):
    return explorable._sliders[name].values


@pytest.fixture(scope="module")
def rule():
    return lesson01.rule_and_objective()


@pytest.fixture(scope="module")
def forty():
    return lesson01.forty_coefficients()


def test_the_dot_is_the_lowest_point_of_the_objective(rule):
    rng = np.random.default_rng(0)
    for _ in range(40):
        tau = float(rng.choice(slider_values(rule, "tau")))
        x = float(rng.choice(slider_values(rule, "x")))
        row, _ = picture_row(rule, tau=tau, x=x)
        # two halves, because a search that assumes a smooth function stumbles over the kink
        halves = [
            minimize_scalar(
                lambda w, x=x, tau=tau: 0.5 * (w - x) ** 2 + tau * abs(w),
                bounds=half,
                method="bounded",
                options={"xatol": 1e-9},
            )
            for half in ((-4, 0), (0, 4))
        ]
        best = min(halves, key=lambda half: half.fun)
        # a bounded search stays 1e-9 clear of its bounds; zero is on the bound of both halves
        lowest = best.x if abs(best.x) > 1e-6 else 0.0
        assert row["lowest.x"][0] == pytest.approx(lowest, abs=1e-6)
        assert row["point.y"][0] == pytest.approx(lowest, abs=1e-6)
        assert row["lowest.y"][0] == pytest.approx(best.fun, abs=1e-6)


def test_the_drawn_sum_is_the_sum_of_the_drawn_parts(rule):
    row, _ = picture_row(rule, tau=0.7, x=-0.4)
    np.testing.assert_allclose(row["sum.y"], row["square.y"] + row["penalty.y"])


def test_the_rule_is_zero_in_the_band_and_shifted_outside(rule):
    row, _ = picture_row(rule, tau=0.5, x=1.2)
    x, y = X, row["soft.y"]
    inside = np.abs(x) <= 0.5
    assert np.all(y[inside] == 0)
    np.testing.assert_allclose(np.abs(x[~inside]) - np.abs(y[~inside]), 0.5)


@pytest.mark.parametrize(("tau", "x", "words"), [(0.5, 1.2, "outside"), (2.0, 0.6, "exactly 0")])
def test_the_sentence_says_what_is_drawn(rule, tau, x, words):
    row, sentence = picture_row(rule, tau=tau, x=x)
    assert words in sentence
    assert f"x = {x:.1f}" in sentence
    assert (row["point.y"][0] == 0) == ("exactly 0" in sentence)


def test_the_forty_under_each_rule(forty):
    x = lesson01.coefficients()
    by_hand = {
        "soft": np.array([max(abs(v) - 0.6, 0) * (1 if v > 0 else -1) for v in x]),
        "hard": np.array([v if abs(v) > 0.6 else 0.0 for v in x]),
        "scale": np.array([v / 1.6 for v in x]),
    }
    for rule, expected in by_hand.items():
        row, sentence = picture_row(forty, rule=rule, tau=0.6)
        np.testing.assert_allclose(row["after.y"], expected)
        zeros = int((expected == 0).sum())
        assert f"{zeros} of 40" in sentence
        assert np.isfinite(row["zero.y"]).sum() == zeros


def test_scaling_minimises_the_squared_penalty():
    w = np.linspace(-3, 3, 600_001)
    for x in (-2.0, 0.4):
        lowest = w[np.argmin(0.5 * (w - x) ** 2 + 0.5 * 1.5 * w**2)]
        assert apply_rule(np.array(x), 1.5, "scale") == pytest.approx(lowest, abs=1e-5)


def test_the_goal_can_be_reached_with_the_slider(forty):
    """Some position of the slider shows exactly 30 zeros, and its neighbour below does not."""
    taus = slider_values(forty, "tau")
    zeros = [(picture_row(forty, rule="soft", tau=t)[0]["after.y"] == 0).sum() for t in taus]
    first = zeros.index(30)
    assert zeros[first - 1] < 30
    assert PREDICTIONS["thirty_zeros"].is_right(taus[first])
    assert not PREDICTIONS["thirty_zeros"].is_right(taus[first] + 0.1)


def test_predictions_are_computed():
    assert assert_prediction(PREDICTIONS["which_zero"]) == "−0.3 and 0.2"
    assert assert_prediction(PREDICTIONS["scaling"]) == "none"
    tau = assert_prediction(PREDICTIONS["thirty_zeros"])
    x = np.abs(lesson01.coefficients())
    assert (x <= tau).sum() == 30
    assert (x <= tau - 1e-9).sum() == 29


def test_objectives_name_checks_that_exist():
    assert set(OBJECTIVES.values()) == {*PREDICTIONS, *EXERCISES}


def test_the_exercise_tells_answers_apart():
    def stub(x, tau):
        return ...

    def hard(x, tau):
        return x * (np.abs(x) > tau)

    def forgets_the_sign(x, tau):
        return np.maximum(np.abs(x) - tau, 0)

    def one_sided(x, tau):
        return np.maximum(x - tau, 0)

    def grows(x, tau):
        return np.sign(x) * np.maximum(np.abs(x) + tau, 0)

    def scales(x, tau):
        return x / (1 + tau)

    def no_stop_at_zero(x, tau):
        return x - tau * np.sign(x)

    def in_place(x, tau):
        x -= np.clip(x, -tau, tau)
        return x

    def rounds(x, tau):
        return np.round(np.sign(x) * np.maximum(np.abs(x) - tau, 0), 1)

    def misspelt(x, tau):
        return np.sing(x)

    def clipped(x, tau):
        return x - np.clip(x, -tau, tau)

    def with_where(x, tau):
        return np.where(x > tau, x - tau, np.where(x < -tau, x + tau, 0.0))

    def one_by_one(x, tau):
        """Whole numbers come out where every entry becomes zero."""
        moved = [v - tau if v > tau else v + tau if v < -tau else 0 for v in x.flat]
        return np.array(moved).reshape(x.shape)

    wrong = [hard, forgets_the_sign, one_sided, grows, scales, no_stop_at_zero, in_place, rounds]
    assert_exercise(
        EXERCISES["soft_threshold"],
        stub=stub,
        wrong=wrong,
        raising=misspelt,
        right=[clipped, with_where, one_by_one],
    )


def test_the_band_is_as_wide_as_the_threshold(rule, forty):
    row, _ = picture_row(rule, tau=0.7, x=1.0)
    assert (row["layout.shapes[0].x0"], row["layout.shapes[0].x1"]) == (-0.7, 0.7)
    for name, band in (("soft", 0.7), ("hard", 0.7), ("scale", 0.0)):  # scaling has no band
        row, _ = picture_row(forty, rule=name, tau=0.7)
        assert (row["layout.shapes[0].y0"], row["layout.shapes[0].y1"]) == (-band, band)
