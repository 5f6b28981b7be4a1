"""What lesson 03 asks: predictions, exercises, and what they are for."""

from __future__ import annotations

import numpy as np

from grda_edu.course import Case, Exercise, Prediction
from grda_edu.shrinkage import tuning_function, tuning_increment

from .numbers import (
    ASLEEP,
    FIRST,
    MU,
    STEPS,
    WEIGHT,
    C,
    death_step,
    dropped,
    first_step,
    result,
    sleeping,
)


def _knob_that_wins(n: int) -> str:
    """Which raises g at step n more, γ = 0.1: doubling c, or μ from 0.51 to 0.7?"""
    before = tuning_function(n, 0.1, 0.02, 0.51)
    c, mu = tuning_function(n, 0.1, 0.04, 0.51), tuning_function(n, 0.1, 0.02, 0.7)
    assert min(c, mu) > before
    return "c" if c > mu else "μ"


def _late_answer() -> str:
    early, late = _knob_that_wins(100), _knob_that_wins(10_000)
    return f"{early} at both" if early == late else f"{early} at step 100, {late} at step 10,000"


def _gain(n: int) -> float:
    """By what raising μ from 0.51 to 0.7 multiplies g at step n, γ = 0.1."""
    return float(tuning_function(n, 0.1, 1, 0.7) / tuning_function(n, 0.1, 1, 0.51))


def _death_words() -> str:
    ratio = death_step(WEIGHT, 0.02, 0.51, 0.1) / death_step(WEIGHT, 0.04, 0.51, 0.1)
    words = {1.0: "The same", 2.0: "About half", 4.0: "About a quarter"}
    return words[min(words, key=lambda known: abs(np.log(ratio / known)))]


def _drop_words() -> str:
    d = dropped()
    if d["after"] >= d["before"]:
        return "It stays, and grows on slowly"
    return "It falls to a tenth" if d["after"] < 0.2 * d["before"] else "It falls to a third"


def _fewest() -> int:
    """False weights in the best cell of the map on the first draw, all true weights found."""
    i, j = result(FIRST).fewest_false()
    return int(result(FIRST).alive[1][-1, i, j])


def _after_sleep() -> str:
    asleep, (true, false) = sleeping()[ASLEEP], sleeping()[STEPS]
    assert asleep == (0, 0)
    if true + false == 0:
        return "They stay zero"
    return "Some come back, true ones first" if true > false else "All come back together"


PREDICTIONS = {
    "doubled_c": Prediction(
        title="what doubling c does to a death",
        question=(
            "A flat weight of size 0.1 waits for the threshold; μ = 0.51, γ = 0.1. You double c from 0.02 to 0.04. "
            "After what share of the steps that it had before does it die now?"
        ),
        answer=_death_words,
        options={
            "The same": "The threshold is twice as high at every step, so it reaches the weight earlier.",
            "About half": (
                "It would be half if the threshold grew in proportion to n. With μ = 0.51 it grows about as √n: "
                "half the height is reached in a quarter of the steps."
            ),
            "About a quarter": (
                "Twice the threshold at every step; and since it grows about as √n, half the height takes a quarter of the "
                "steps."
            ),
        },
        explanation=(
            "t* = (|w₀| / (c√γ))^(1/μ): doubling c divides it by 2^(1/μ), that is {at_51:.2f} for μ = 0.51 and {at_70:.2f} for "
            "μ = 0.7. Here the weight dies at step {before:,} and at step {after:,}."
        ),
        values=lambda: {
            "at_51": 2 ** (1 / 0.51),
            "at_70": 2 ** (1 / 0.7),
            "before": first_step(death_step(WEIGHT, 0.02, 0.51, 0.1)),
            "after": first_step(death_step(WEIGHT, 0.04, 0.51, 0.1)),
        },
    ),
    "which_late": Prediction(
        title="which knob acts early and which late",
        question=(
            "γ = 0.1. You may double c, or raise μ from 0.51 to 0.7. Which of the two raises the threshold more, at step 100 and "
            "at step 10,000?"
        ),
        answer=_late_answer,
        options={
            "c at both": "At step 100 it does. But what μ does grows with time, and 10,000 steps are long.",
            "c at step 100, μ at step 10,000": "c acts from the first step on, μ needs time.",
            "μ at step 100, c at step 10,000": "The other way round: an exponent needs time to show.",
            "μ at both": "At step 10,000 it does. At step 100 the exponent has had little time.",
        },
        explanation=(
            "Doubling c doubles g at every step. Raising μ multiplies it by t^0.19, with t = nγ: {early:.2f} at step 100, "
            "{late:.1f} at step 10,000."
        ),
        values=lambda: {"early": _gain(100), "late": _gain(10_000)},
    ),
    "asleep": Prediction(
        title="what becomes of a model that is all zeros",
        question=(
            "With c = 50 and μ = 0.51, all two hundred weights are exactly zero after 600 steps. You train on, to step 3,000. "
            "What becomes of them?"
        ),
        answer=_after_sleep,
        options={
            "They stay zero": (
                "A weight at zero keeps its accumulator, and the gradients still push that. Lesson 02 called it revival."
            ),
            "Some come back, true ones first": (
                "The gradients push on while the weights are zero, and those of true weights push hardest."
            ),
            "All come back together": (
                "Each has its own accumulator with its own push. Only a strong push outruns the threshold."
            ),
        },
        explanation="At step 600 none is alive, at step 3,000 there are {true} true and {false} false ones.",
        values=lambda: dict(zip(("true", "false"), sleeping()[STEPS], strict=True)),
    ),
    "fewest_false": Prediction(
        title="the fewest false weights",
        heading="Report",
        question=(
            "Data set A: with all ten true weights found, how few false weights did you reach?"
        ),
        answer=_fewest,
        tolerance=1.0,
        explanation=(
            "The fewest on this map is {answer:.0f}, with the least error at c = {c:g}, μ = {mu:g}. {cells} places reach it."
        ),
        values=lambda: _fewest_facts(),
    ),
    "rate_drops": Prediction(
        title="what a drop of the learning rate does",
        question=(
            "c = 0.005, μ = 0.51. After 140 epochs of 5,005 steps the learning rate drops from 0.1 to 0.01. "
            "What becomes of the threshold in the next ten epochs?"
        ),
        answer=_drop_words,
        options={
            "It falls to a tenth": (
                "That is nearly what recomputing g(n, γ) with the new γ would do. A sum of positive steps cannot fall."
            ),
            "It falls to a third": "√γ falls to a third, but what was added earlier was added with the old γ.",
            "It stays, and grows on slowly": "It is a sum of positive steps. They are smaller now.",
        },
        explanation=(
            "It goes from {before:.3f} to {after:.3f}. Recomputed with the new γ, it would drop to {recomputed:.3f} at once, and "
            "most zeros would be undone."
        ),
        values=dropped,
    ),
}


def _fewest_facts() -> dict[str, float]:
    r = result(FIRST)
    i, j = r.fewest_false()
    found, false = (counts[-1] for counts in r.alive)
    return {
        "c": C[i],
        "mu": MU[j],
        "cells": int(((found == r.true) & (false == false[i, j])).sum()),
    }


def my_threshold(n: float, lr: float, c: float, mu: float) -> float:
    """The solution that the learner may compare with."""
    return c * lr**0.5 * (n * lr) ** mu


def my_accumulated(lrs: np.ndarray, c: float, mu: float) -> np.ndarray:
    """The solution that the learner may compare with."""
    n = np.arange(1, len(lrs) + 1)
    return np.cumsum(c * lrs ** (0.5 + mu) * (n**mu - (n - 1) ** mu))


def _one_after_the_other(lrs: np.ndarray, c: float, mu: float) -> np.ndarray:
    """``my_accumulated`` step by step."""
    heights, g = np.zeros(len(lrs)), 0.0
    for k, lr in enumerate(lrs):
        g += tuning_increment(k + 1, float(lr), c, mu)
        heights[k] = g
    return heights


_DROPS = np.array([0.1] * 4 + [0.01] * 3)

EXERCISES = {
    "threshold": Exercise(
        title="the threshold of one learning rate",
        task="Write `my_threshold(n, lr, c, mu)`, gRDA's threshold after `n` steps of learning rate `lr`.",
        solution=my_threshold,
        oracle=tuning_function,
        cases=(
            Case(
                (1, 1.0, 0.5, 0.7), 0.5, "At n = 1 and γ = 1 both powers are 1: the threshold is c."
            ),
            Case((100, 1.0, 0.02, 0.5), 0.2, "With γ = 1 and μ = ½ the threshold is c·√n."),
            Case(
                (1, 0.01, 1.0, 0.5),
                0.01,
                "The learning rate comes in twice: as √γ, and in the time nγ.",
            ),
            Case((0, 0.1, 0.02, 0.65), 0.0, "Before the first step there is no threshold."),
            Case((400, 0.1, 0.0, 0.65), 0.0, "With c = 0 there is never a threshold."),
            Case((2400, 0.1, 0.02, 0.65), why="Lesson 04's network after 60 epochs."),
            Case((np.arange(5), 0.1, 0.02, 0.65), why="n may be an array of step numbers."),
        ),
        hints=(
            "Time first: after n steps of size γ it is `n * lr`.",
            "g = c · √γ · (time to the power μ). In Python `x**0.5` is a square root.",
            "`c * lr**0.5 * (n * lr) ** mu`",
        ),
        done="Every gRDA run with a constant learning rate uses this number at every step.",
    ),
    "accumulated": Exercise(
        title="the threshold of a changing learning rate",
        task=(
            "Write `my_accumulated(lrs, c, mu)`: `lrs` is an array with the learning rate of step 1, 2, …; return an array with the "
            "threshold after each step."
        ),
        solution=my_accumulated,
        oracle=_one_after_the_other,
        cases=(
            Case((np.array([1.0]), 0.5, 0.7), np.array([0.5]), "Step 1 adds c·γ^(½+μ)·(1 − 0)."),
            Case(
                (np.array([1.0, 1.0, 1.0, 1.0]), 1.0, 0.5),
                np.sqrt([1.0, 2.0, 3.0, 4.0]),
                "At one learning rate the sum is g(n, γ) itself: here √n.",
            ),
            Case(
                (_DROPS, 0.02, 0.65),
                why="After a drop the threshold must go on from where it was; each step uses its own γ.",
            ),
            Case(
                (_DROPS[::-1].copy(), 0.02, 0.65),
                why="A learning rate that rises (a warm-up) makes larger steps from then on.",
            ),
            Case(
                (np.array([0.1, 0.0, 0.1]), 0.02, 0.6),
                why="A step of learning rate 0 adds nothing, but it counts as a step.",
            ),
            Case((_DROPS, 0.0, 0.65), np.zeros(7), "With c = 0 there is never a threshold."),
        ),
        hints=(
            "The step numbers: `n = np.arange(1, len(lrs) + 1)`.",
            "Step n adds `c * lrs ** (0.5 + mu) * (n**mu - (n - 1) ** mu)`, for all steps at once.",
            "`np.cumsum` of an array gives the sum up to each entry.",
        ),
        done="This is what `GRDA` does inside: each parameter carries its own accumulated threshold.",
    ),
}

OBJECTIVES = {
    "say how c moves the death of a flat weight": "doubled_c",
    "say which knob acts early and which late": "which_late",
    "say what becomes of a model that a large c turned to zero": "asleep",
    "choose c and μ that find the true weights with few false ones": "fewest_false",
    "write the threshold g(n, γ)": "threshold",
    "say what a drop of the learning rate does to the threshold": "rate_drops",
    "write the threshold under a changing learning rate": "accumulated",
}
