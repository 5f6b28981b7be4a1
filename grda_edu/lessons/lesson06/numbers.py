"""Lesson 06's numbers: the recorded recipes, and thresholds under a schedule.

All recorded numbers come from the recordings "digits_recipes" and "mnist_recipes"; nothing here is
typed in.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from grda_edu import recordings
from grda_edu.lessons.lesson04.numbers import TEST_IMAGES
from grda_edu.recordings import RunSet
from grda_edu.shrinkage import tuning_function
from grda_edu.studies.recipes import CONSTANT, STEP, Method, recipe_name
from grda_edu.studies.recipes import METHODS as ALL_METHODS

DIGITS, MNIST = "digits_recipes", "mnist_recipes"
C = 0.02  # the value that the text talks about
METHODS: dict[str, Method] = {method.name: method for method in ALL_METHODS}
PLAIN, GRDAM, EFFECTIVE = "gRDA", "gRDAM", "gRDAM, effective step"
RECOMPUTED, DECAYED = "gRDA, recomputed threshold", "gRDA with weight decay"
COMPARED = [m.name for m in ALL_METHODS if m.penalised and m.name not in (RECOMPUTED, DECAYED)]
GOAL_ZEROS, GOAL_LOSS = 0.85, 0.01  # 85% zeros for less than one point


@cache
def recorded(name: str = DIGITS) -> RunSet:
    """The recorded recipes. RecordingError names the command that repairs them."""
    return recordings.load_recipes(name)


@cache
def curves(curve: str, name: str = DIGITS) -> dict[str, np.ndarray]:
    """Recipe -> one quantity over epochs, by seed: [S, E+1]."""
    runs = recorded(name)
    return dict(zip(runs.recipes, runs.curves(curve), strict=True))


def final(curve: str, recipe: str, name: str = DIGITS) -> np.ndarray:
    """One quantity of a recipe after the last epoch, by seed: [S]."""
    return curves(curve, name)[recipe][:, -1]


@cache
def strengths(name: str = DIGITS, method: str = PLAIN) -> list[float]:
    """The values of c with which a method was recorded, rising."""
    prefix, suffix = f"{method}, c = ", f", {STEP}"
    names = [r for r in recorded(name).recipes if r.startswith(prefix) and r.endswith(suffix)]
    return [float(r.removeprefix(prefix).removesuffix(suffix)) for r in names]


def nearest(method: str, c: float, name: str = DIGITS) -> float:
    """The recorded c of a method that is nearest in its logarithm; the smaller of two."""
    return min(strengths(name, method), key=lambda value: round(abs(np.log(value / c)), 9))


def partner(method: str, schedule: str) -> str:
    """The recipe without a penalty that a method is compared with."""
    momentum = dict(METHODS[method].options).get("momentum")
    return recipe_name("SGD with momentum" if momentum else "SGD", 0.0, schedule)


def drop_after(name: str = DIGITS) -> int:
    """Epochs before the step schedule's drop."""
    return int(recorded(name).configurations[0]["drop_after"])


def is_goal(name: str, method: str, c: float, schedule: str) -> bool:
    """Does the mean over seeds reach the goal against the partner without a penalty?"""
    recipe, sgd = recipe_name(method, c, schedule), partner(method, schedule)
    return bool(recorded(name).goal_reached(recipe, sgd, GOAL_ZEROS, GOAL_LOSS)[-1])


def standard_error() -> float:
    """Of one accuracy on the 360 test images, at SGD's mean accuracy."""
    return recorded().standard_error(recipe_name("SGD", 0.0, CONSTANT), TEST_IMAGES)


def gain(method: str = EFFECTIVE, c: float = C, schedule: str = STEP) -> float:
    """Mean test accuracy of a recipe minus plain gRDA's with the same c, as fractions."""
    ours, plain = (
        final("test_accuracy", recipe_name(m, c, schedule)).mean() for m in (method, PLAIN)
    )
    return float(ours - plain)


def zeros_of(method: str, schedule: str = CONSTANT) -> float:
    """Share of zeros at the end with the text's c, mean over the seeds."""
    return float(final("total_zeros", recipe_name(method, C, schedule)).mean())


def zeros_around_drop() -> tuple[float, float]:
    """Share of zeros with a recomputed threshold: before the drop, and one epoch after it."""
    zeros = curves("total_zeros")[recipe_name(RECOMPUTED, C, STEP)].mean(axis=0)
    return float(zeros[drop_after()]), float(zeros[drop_after() + 1])


def share_left(factor: float, mu: float) -> float:
    """What a drop of γ leaves of a recomputed threshold: factor^(½+μ)."""
    return factor ** (0.5 + mu)


def accumulated_and_recomputed(
    n: np.ndarray, drop: int, lr: float, factor: float, c: float, mu: float
) -> tuple[np.ndarray, np.ndarray]:
    """Both thresholds after ``n`` steps when γ falls to factor·γ after ``drop`` steps.

    The sum of increments telescopes on either side of the drop.
    """
    later = lr * factor
    before, at = tuning_function(n, lr, c, mu), tuning_function(drop, lr, c, mu)
    growth = tuning_function(n, later, c, mu) - tuning_function(drop, later, c, mu)
    accumulated = np.where(n <= drop, before, at + growth)
    return accumulated, tuning_function(n, np.where(n <= drop, lr, later), c, mu)
