"""Lesson __NN__ against closed forms and wrong answers."""

import numpy as np
import pytest
from course.checking import assert_exercise, assert_prediction

from grda_edu.lessons.lesson__NN__ import EXERCISES, OBJECTIVES, PREDICTIONS, parabola


def test_the_tangent_touches_the_curve_and_stays_below_it():
    row, _ = parabola()._compute(a=1.3)
    gap = row["curve.y"] - row["tangent.y"]
    assert gap.min() == pytest.approx(0.0, abs=1e-9)
    assert np.count_nonzero(gap < 1e-9) == 1


@pytest.mark.parametrize("prediction", PREDICTIONS.values(), ids=list(PREDICTIONS))
def test_predictions(prediction):
    assert_prediction(prediction)


def test_the_prediction_is_right():
    assert PREDICTIONS["twice"].right() == "it doubles"


def test_exercise():
    def stub(x, a):
        return ...

    def turned(x, a):
        return -a * x

    def halved(x, a):
        return 0.5 * a * x

    def the_height(x, a):
        return 0.5 * a * x**2

    def without_curvature(x, a):
        return x

    def raising(x, a):
        return a[x]

    def by_difference(x, a):
        return ((x + 0.5) ** 2 - (x - 0.5) ** 2) * a / 2

    assert_exercise(
        EXERCISES["slope"],
        stub=stub,
        wrong=[turned, halved, the_height, without_curvature],
        raising=raising,
        right=[by_difference, lambda x, a: x * a],
    )


def test_every_objective_has_its_check():
    assert set(OBJECTIVES.values()) == {*PREDICTIONS, *EXERCISES}
