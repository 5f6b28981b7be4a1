"""What lesson 00 asks."""

from __future__ import annotations

import numpy as np

from grda_edu.course import Case, Exercise, Prediction

from .numbers import at_the_end


def share_of_zeros(w: np.ndarray) -> float:
    """The solution that the learner may compare with."""
    return float(np.mean(w == 0))


PREDICTIONS = {
    "how_many": Prediction(
        title="how sparse the network becomes",
        question=(
            "After 60 epochs of gRDA, what share of all the network's weights is exactly zero?"
        ),
        answer=lambda: at_the_end()["zeros"],
        unit="%",
        tolerance=1.0,
        explanation=(
            "{count:,.0f} of {size:,.0f} weights are zero: {zeros:.1f}%. The price on the test images, in this "
            "run, is {lost:.1f} points of accuracy against SGD."
        ),
        values=at_the_end,
    ),
}

EXERCISES = {
    "share_of_zeros": Exercise(
        title="the share of zeros",
        task="Write `share_of_zeros(w)` for a numpy array `w`: a number between 0 and 1.",
        solution=share_of_zeros,
        oracle=lambda w: 1 - np.count_nonzero(w) / w.size,
        cases=(
            Case((np.array([0.0, 1.0, 0.0, -2.0]),), 0.5, "Two of four are zero."),
            Case((np.array([0.001, -0.002]),), 0.0, "Small is not zero."),
            Case((np.zeros(3),), 1.0, "All of them can be zero."),
            Case((np.array([[0.0, 1.0, 2.0], [3.0, 0.0, 5.0]]),), why="Weights come in any shape."),
        ),
        hints=(
            "`w == 0` is an array of True and False.",
            "The mean of an array of True and False is the share of True.",
            "`np.mean(w == 0)`",
        ),
        done="That is all there is to a check. You will meet one in every lesson.",
    ),
}

OBJECTIVES = {
    "read a figure and commit to an answer": "how_many",
    "write a few lines and check them": "share_of_zeros",
}
