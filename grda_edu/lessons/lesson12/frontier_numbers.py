"""What the recorded frontiers say: zeros and accuracy of ways around SGD, Adam and AdamW."""

from __future__ import annotations

from functools import cache

import numpy as np

from grda_edu import recordings
from grda_edu.lessons.lesson10.numbers import LAST, minus
from grda_edu.recordings import RunSet
from grda_edu.studies.frontier import ALONE, FRONTIERS, Method, recipe_name

DIGITS, MNIST = "digits_frontier", "mnist_frontier"
BASE = "AdamW"  # what everything is compared with
GIVEN = 0.01  # of the accuracy
DUAL = "dual averaging around AdamW"
WAYS = {  # name in the recording -> on the page
    "gRDA": "gRDA",
    DUAL: "two spaces around AdamW",
    "dual averaging around Adam": "two spaces around Adam",
    "gradual magnitude, SGD": "gradual magnitude, SGD",
    "gradual magnitude, Adam": "gradual magnitude, Adam",
}
DENSE = ("SGD", "Adam")


@cache
def recorded(name: str = DIGITS) -> RunSet:
    """A frontier's runs. RecordingError names the command that makes them again."""
    return recordings.load_recipes(name)


@cache
def recipes(name: str, way: str) -> list[str]:
    """A way's recipes, with rising strength."""
    (method,) = (m for m in _methods(name) if m.name == way)
    return [recipe_name(method, level) for level in method.levels]


def _methods(name: str) -> tuple[Method, ...]:
    return FRONTIERS[name].methods  # type: ignore[attr-defined]


def strength(name: str, recipe: str) -> str:
    """ "c = 8", or nothing where the share of zeros says it all."""
    method, level = FRONTIERS[name].recipes()[recipe]  # type: ignore[attr-defined]
    return "" if method.gradual or level == ALONE else f"c = {level:g}"


def right(name: str, recipe: str) -> np.ndarray:
    """Share of the test images read right, mean of the last five epochs, by seed: float [S]."""
    found: np.ndarray = recorded(name).of(recipe, "test_accuracy")[:, -LAST:].mean(axis=1)
    return found


def zeros(name: str, recipe: str) -> np.ndarray:
    """Share of zeros at the end: float [S]."""
    found: np.ndarray = recorded(name).of(recipe, "total_zeros")[:, -1]
    return found


def from_base(name: str, recipe: str) -> np.ndarray:
    """Accuracy minus AdamW's with the same seed: float [S]."""
    return right(name, recipe) - right(name, BASE)


def nearest(name: str, way: str, share: float) -> str:
    """The way's recipe whose mean share of zeros is nearest to this one."""
    return min(
        recipes(name, way), key=lambda r: round(abs(float(zeros(name, r).mean()) - share), 9)
    )


def most_zeros(name: str) -> float:
    """The most zeros for less than a point against AdamW alone, means over seeds."""
    return max(
        float(zeros(name, recipe).mean())
        for way in WAYS
        for recipe in recipes(name, way)
        if minus(right(name, recipe), right(name, BASE))[0] > -GIVEN
    )


def is_most(name: str, recipe: str) -> bool:
    """Is a recipe's share within a weight or two of it, and does it lose less than a point?"""
    lost = minus(right(name, recipe), right(name, BASE))[0]
    return lost > -GIVEN and float(zeros(name, recipe).mean()) > most_zeros(name) - 0.001
