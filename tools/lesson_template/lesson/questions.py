"""Lesson __NN__'s predictions, exercises and objectives."""

from __future__ import annotations

from grda_edu.course import Case, Exercise, Prediction

from .numbers import AT, height, slope


def _growth() -> float:
    """By what the height grows when the curvature is doubled."""
    return float(height(AT, 1.0) / height(AT, 0.5))


PREDICTIONS = {
    "twice": Prediction(
        title="twice the curvature",
        question="The curvature is doubled. What becomes of the height at x = 2?",
        answer=lambda: {1.0: "it stays", 2.0: "it doubles", 4.0: "it is four times as high"}[
            _growth()
        ],
        options={
            "it stays": "Only the lowest point stays: everything else is lifted.",
            "it doubles": "The height is ½ a x², and x stays where it is.",
            "it is four times as high": "That would be so if x were doubled.",
        },
        explanation="From a = 0.5 to a = 1 the height goes from {before:.1f} to {after:.1f}.",
        values=lambda: {"before": height(AT, 0.5), "after": height(AT, 1.0)},
    ),
}


def my_slope(x: float, a: float) -> float:
    """The solution that the learner may compare with."""
    return a * x


def _measured(x: float, a: float) -> float:
    """By a difference, which is exact for a parabola."""
    return float(height(x + 1.0, a) - height(x - 1.0, a)) / 2


EXERCISES = {
    "slope": Exercise(
        title="the slope of a parabola",
        task="Write `my_slope(x, a)`, the slope of ½ a x² at `x`.",
        solution=my_slope,
        oracle=_measured,
        cases=(
            Case((1.0, 1.0), slope(1.0, 1.0), "At x = 1 the slope is the curvature."),
            Case((0.0, 2.0), 0.0, "At its lowest point the curve is level."),
            Case(
                (-2.0, 1.5), why="Left of the lowest point the curve falls: the slope is negative."
            ),
        ),
        hints=("How does x² change when x does?", "The derivative of x² is 2x.", "`a * x`"),
        done="The gradient that every optimizer follows is this, for many weights at once.",
    ),
}

OBJECTIVES = {
    "say what the curvature does to a parabola": "twice",
    "write the slope of a parabola": "slope",
}
