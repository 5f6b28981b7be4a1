"""Lesson 09's predictions, answered by the recording, and its exercise."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from grda_edu.course import Case, Exercise, Prediction
from grda_edu.explore.writing import decimal, percent
from grda_edu.explore.writing import loss as loss_text

from .looks import over_seeds
from .numbers import (
    ABOUT,
    GOAL,
    bends,
    half_way,
    least_bend,
    nearest,
    seeds,
    times_grda,
    values,
    worst,
)


def fate_of_chance() -> str:
    """How high a move by chance is at three quarters, beside gRDA's: the prediction's option."""
    times = times_grda("signs", 0.75)
    if times.min() > 5:
        return "more than five times as high"
    return "two to five times as high" if times.mean() > 2 else "about as high"


def what_goes_around() -> str:
    """Whether trained curves between different starts stay low: the prediction's option."""
    lost = worst("start", "ends", "accuracy") - worst("start", "curve", "accuracy")
    height = worst("start", "curve").max() / worst("start", "line").min()
    if lost.max() < ABOUT and height < 0.1:
        return "yes, a curve that stays about as low as its ends"
    return (
        "partly: a lower pass, but still a hill" if height < 0.5 else "no, the hill closes the way"
    )


def _mean_words(pair: str) -> dict[str, object]:
    return {
        "seen": over_seeds(half_way(pair), percent),
        "ends": over_seeds(worst(pair, "ends", "accuracy"), percent),
        "count": len(seeds()),
    }


def _around_words() -> dict[str, object]:
    return {
        "curve": over_seeds(worst("start", "curve")),
        "line": over_seeds(worst("start", "line")),
        "ends": over_seeds(worst("start", "ends")),
        "right": percent(worst("start", "curve", "accuracy").min()),
    }


def _bend_words() -> dict[str, object]:
    highest = values("start", "bend_train_loss").max(axis=1)
    k = nearest(bends(), least_bend())
    return {
        "high": loss_text(highest[k]),
        "before": loss_text(highest[k - 1]),
        "line": loss_text(highest[0]),
    }


PREDICTIONS = {
    "three_quarters": Prediction(
        title="a move by chance beside gRDA's",
        question=(
            "Walk straight from SGD's network towards gRDA's, and stop after three quarters. In a second walk every "
            "weight moves exactly as far, but up or down by chance. How high is the training loss there, beside that "
            "on the way to gRDA?"
        ),
        answer=fate_of_chance,
        options={
            "about as high": "So it would be if SGD's valley were flat in all directions.",
            "two to five times as high": "Half-way it is so in most seeds. But the walk goes on.",
            "more than five times as high": "The weights move equally far. The direction makes the difference.",
        },
        explanation=(
            "{times} times as high, over {count} recorded pairs. Half-way it is {half} times, and more than five "
            "times with {early} of the {count} only: mostly it is the second half of the walk that tells."
        ),
        values=lambda: {
            "times": over_seeds(times_grda("signs", 0.75), partial(decimal, digits=1)),
            "half": over_seeds(times_grda("signs", 0.5), partial(decimal, digits=1)),
            "early": int((times_grda("signs", 0.5) > 5).sum()),
            "count": len(seeds()),
        },
    ),
    "other_start": Prediction(
        title="the mean of two networks from different starts",
        question=(
            "Now two SGD networks that began with different weights. Each reads more than 96% of the test images. "
            "How many percent does their mean read? (Within 15 points counts.)"
        ),
        answer=lambda: float(100 * half_way("start").mean()),
        unit="%",
        tolerance=15.0,
        explanation=(
            "{answer:.0f}% in the mean of {count} recorded pairs ({seen}), while the worse parent reads {ends}. "
            "Two good networks need not have a good mean: there is a hill between them, mostly one of names."
        ),
        values=lambda: _mean_words("start"),
    ),
    "around": Prediction(
        title="whether there is a way around the hill",
        question=(
            "Between two SGD networks from different starts there is a hill on the straight line. Is there a way "
            "around it, a simple curve with low loss?"
        ),
        answer=what_goes_around,
        options={
            "no, the hill closes the way": "In a plane it might. In 13,706 dimensions there is room.",
            "partly: a lower pass, but still a hill": "The trained curves get lower than that.",
            "yes, a curve that stays about as low as its ends": (
                "With one trained point, a curve finds its way around."
            ),
        },
        explanation=(
            "Highest loss on the straight lines: {line}. On the trained curves: {curve}, where the higher of their ends has {ends}. "
            "The trained curves read never fewer than {right} of the test images right. (Ranges over the recorded seeds.)"
        ),
        values=_around_words,
    ),
    "least_bend": Prediction(
        title="the smallest bend that avoids the hill",
        heading="Report",
        question=(
            f"From SGD to SGD from another start: which is the smallest bend with which the path stays below a loss of {GOAL:g}?"
        ),
        answer=least_bend,
        tolerance=0.05,
        explanation=(
            "At bend {answer:.1f} the highest loss is {high}, one step before it is {before}. "
            "The straight line has {line}."
        ),
        values=_bend_words,
    ),
}


def loss_on_curve(loss, start, middle, end, ts):
    """The solution that the learner may compare with."""
    losses = []
    for t in ts:
        point = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
        losses.append(loss(point))
    return np.array(losses)


def _by_two_lines(loss: Callable, start: Any, middle: Any, end: Any, ts: Any) -> np.ndarray:
    """De Casteljau: a point on the line between two points that walk along two lines."""
    legs = ((start + t * (middle - start), middle + t * (end - middle), t) for t in ts)
    return np.array([loss(one + t * (other - one)) for one, other, t in legs])


def first_number(w: np.ndarray) -> float:
    """The loss that is a weight itself: shows where a path passes."""
    return float(w[0])


def squared_length(w: np.ndarray) -> float:
    """A bowl: w₁² + w₂² + …"""
    return float(w @ w)


def round_valley(w: np.ndarray) -> float:
    """Zero on the circle of radius 1, with a hill in its middle."""
    return float((w @ w - 1) ** 2)


def _cases() -> tuple[Case, ...]:
    v = np.array
    return (
        Case(
            (first_number, v([1.0]), v([5.0]), v([3.0]), v([0.0, 1.0])),
            v([1.0, 3.0]),
            "One loss for each t, as a numpy array: at t = 0 the curve is at `start`, at t = 1 at `end`. "
            "(`first_number(w)` is w[0], which shows where the path passes.)",
        ),
        Case(
            (first_number, v([0.0]), v([1.0]), v([0.0]), v([0.5])),
            v([0.5]),
            "Half-way the curve is at ¼ start + ½ middle + ¼ end: it bends towards `middle` and does not reach it. "
            "(`first_number(w)` is w[0].)",
        ),
        Case(
            (first_number, v([0.0]), v([1.0]), v([4.0]), v([0.25, 0.75])),
            v([0.625, 2.625]),
            "Order matters: t counts from `start` to `end`. (`first_number(w)` is w[0].)",
        ),
        Case(
            (squared_length, v([1.0, 0.0]), v([0.0, 0.0]), v([0.0, 1.0]), v([0.5])),
            v([0.125]),
            "The loss is taken at the point of the curve, it is not a mix of three losses. "
            "(`squared_length(w)` is w₁² + w₂².)",
        ),
        Case(
            (round_valley, v([1.0, 0.0]), v([1.0, 1.0]), v([0.0, 1.0]), np.linspace(0, 1, 5)),
            why="One loss for every t, in their order, as a numpy array.",
        ),
    )


EXERCISES = {
    "loss_on_curve": Exercise(
        title="the loss along a Bézier curve",
        task=(
            "Write `loss_on_curve(loss, start, middle, end, ts)`: the loss at the curve's point for every t in `ts`, "
            "as a numpy array."
        ),
        solution=loss_on_curve,
        oracle=_by_two_lines,
        cases=_cases,
        hints=(
            "Take one t first. The point is a sum of the three vectors with the weights of the formula.",
            "`point = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end`, and then `loss(point)`.",
            "Collect `loss(point)` for each t in a list, and return `np.array(losses)`.",
        ),
        done=(
            "With the loss of a network in the place of `loss`, this is how every curve of this lesson was measured."
        ),
    ),
}

OBJECTIVES = {
    "tell gRDA's direction from one by chance": "three_quarters",
    "tell a small hump on a path from a hill": "other_start",
    "say what a trained curve shows, and what it does not": "around",
    "bend a path around a hill": "least_bend",
    "compute the points of a Bézier curve and the loss along it": "loss_on_curve",
}
