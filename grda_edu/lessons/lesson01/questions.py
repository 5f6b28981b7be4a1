"""What lesson 01 asks."""

from __future__ import annotations

import numpy as np

from grda_edu.course import Case, Exercise, Prediction
from grda_edu.explore import writing
from grda_edu.shrinkage import soft_threshold

from .numbers import apply_rule, coefficients, tau_for_zeros

FOUR = np.array([-1.4, -0.3, 0.2, 0.9])  # the numbers of the first prediction
FOUR_TAU = 0.5


def _in_words(values: np.ndarray) -> str:
    """The numbers as an option writes them: "−0.3 and 0.2"."""
    if values.size == 0:
        return "none of them"
    *first, last = [writing.decimal(value, 1) for value in values]
    return f"{', '.join(first)} and {last}" if first else last


def _survivors() -> dict[str, object]:
    scaled = apply_rule(coefficients(), 2.0, "scale")
    return {
        "smallest": float(np.abs(scaled).min()),
        "soft_zeros": int((apply_rule(coefficients(), 2.0, "soft") == 0).sum()),
    }


PREDICTIONS = {
    "which_zero": Prediction(
        title="which numbers become zero",
        question="With τ = 0.5: which of −1.4, −0.3, 0.2 and 0.9 become exactly zero?",
        answer=lambda: _in_words(FOUR[soft_threshold(FOUR, FOUR_TAU) == 0]),
        options={
            "−1.4 and −0.3": "A threshold is about size, not about sign: −1.4 is far from zero.",
            "0.2": "0.2 does, but −0.3 is no further from zero than τ either.",
            "−0.3 and 0.2": "Both lie within τ of zero, so both stop there.",
            "all of them": "−1.4 and 0.9 are further than τ from zero: they move and survive.",
        },
        explanation="The four become {after}.",
        values=lambda: {
            "after": ", ".join(writing.decimal(w, 1) for w in soft_threshold(FOUR, FOUR_TAU))
        },
    ),
    "scaling": Prediction(
        title="whether scaling makes zeros",
        question="Divide all forty by 1 + τ, with τ = 2. How many become exactly zero?",
        answer=lambda: (
            "none" if (apply_rule(coefficients(), 2.0, "scale") != 0).all() else "about half"
        ),
        options={
            "none": "A number divided by three is smaller, and still not zero.",
            "about half": "They all become smaller, but a third of a small number is not zero.",
            "as many as with the soft rule": (
                "The soft rule makes {soft_zeros} zeros at τ = 2. Scaling is another matter."
            ),
        },
        explanation="The smallest of the forty is {smallest:.4f} after scaling. Small is not zero.",
        values=_survivors,
    ),
    "thirty_zeros": Prediction(
        title="the threshold for 30 zeros of 40",
        heading="Report",
        question="With the soft rule: which τ did you find for 30 zeros of 40?",
        answer=lambda: tau_for_zeros(30),
        tolerance=0.011,
        explanation=(
            "The 30th smallest of the forty has size {answer:.3f}. As soon as τ reaches it, 30 of them lie in "
            "the band."
        ),
    ),
}


def my_soft_threshold(x: np.ndarray, tau: float) -> np.ndarray:
    """The solution that the learner may compare with."""
    return np.sign(x) * np.maximum(np.abs(x) - tau, 0)


EXERCISES = {
    "soft_threshold": Exercise(
        title="soft-thresholding",
        task="Write `my_soft_threshold(x, tau)` for a numpy array `x` and a number `tau ≥ 0`.",
        solution=my_soft_threshold,
        oracle=lambda x, tau: x - np.clip(x, -tau, tau),
        cases=(
            Case(
                (np.array([2.0]), 0.5),
                np.array([1.5]),
                "A number outside the band moves towards zero by τ.",
            ),
            Case((np.array([0.3]), 0.5), np.array([0.0]), "A number inside the band becomes zero."),
            Case(
                (np.array([-2.0]), 0.5),
                np.array([-1.5]),
                "A negative number moves up, towards zero, and keeps its sign.",
            ),
            Case(
                (np.array([-0.3]), 0.5),
                np.array([0.0]),
                "The band lies on both sides of zero.",
            ),
            Case(
                (np.array([0.5, -0.5]), 0.5),
                np.array([0.0, 0.0]),
                "At the very edge of the band, the result is zero.",
            ),
            Case(
                (np.array([1.0, -0.2, 0.0]), 0.0),
                np.array([1.0, -0.2, 0.0]),
                "With τ = 0 nothing shrinks.",
            ),
            Case((np.linspace(-3, 3, 12).reshape(3, 4), 1.1), why="Arrays of any shape work."),
        ),
        hints=(
            "Look at the size |x| and at the sign of x separately. What happens to the size?",
            "The size becomes |x| − τ, but never less than zero: `np.maximum(np.abs(x) - tau, 0)`.",
            "Give the size its sign back: multiply by `np.sign(x)`.",
        ),
        done=(
            "This one line is where gRDA's zeros come from. At every step it is applied to a second copy of "
            "each weight, which lesson 02 brings in."
        ),
    ),
}

OBJECTIVES = {
    "say which numbers soft-thresholding turns into zero": "which_zero",
    "say why an absolute value makes zeros and a square does not": "scaling",
    "read off the threshold that leaves a given number of weights": "thirty_zeros",
    "write soft-thresholding yourself": "soft_threshold",
}
