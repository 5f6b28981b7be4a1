"""Lesson 06's predictions, exercises and objectives."""

from __future__ import annotations

import numpy as np

from grda_edu.course import Case, Exercise, Prediction
from grda_edu.explore.writing import decimal, percent, points
from grda_edu.shrinkage import PowerTuning, soft_threshold, tuning_increment
from grda_edu.studies.recipes import MU, STEP

from .numbers import (
    EFFECTIVE,
    GRDAM,
    PLAIN,
    C,
    drop_after,
    gain,
    share_left,
    standard_error,
    zeros_around_drop,
    zeros_of,
)


def fate_of_zeros() -> str:
    """Which option of the first prediction the recorded runs show."""
    before, after = zeros_around_drop()
    if after < 0.5 * before:
        return "most of them come back to life at once"
    return "they stay" if after > 0.95 * before else "a few come back"


def _drop_values() -> dict[str, str]:
    before, after = zeros_around_drop()
    left = share_left(0.1, MU)
    return {"left": percent(left), "before": percent(before), "after": percent(after)}


def zeros_of_momentum() -> str:
    """Which option of the second prediction the recorded runs show."""
    ratio = zeros_of(GRDAM) / zeros_of(PLAIN)
    if ratio < 0.5:
        return "far fewer zeros"
    return "about as many" if ratio < 1.5 else "far more zeros"


def worth() -> str:
    """Which option of the third prediction the recorded runs show."""
    if abs(gain()) <= standard_error():
        return "a difference within one standard error"
    return "clearly more accurate" if gain() > 0 else "clearly less accurate"


PREDICTIONS = {
    "recomputed": Prediction(
        title="what a drop does to a recomputed threshold",
        question=(
            f"gRDA trains with c = {C:g} and μ = {MU:g}. After {drop_after()} epochs the learning rate falls from "
            "0.1 to 0.01, and somebody computes the threshold anew, as g(n, 0.01). What becomes of the zeros?"
        ),
        answer=fate_of_zeros,
        options={
            "they stay": "A weight stays at zero only while the threshold is above its accumulator.",
            "a few come back": "The formula has γ to the power ½ + μ: a tenth of γ is far less than a tenth.",
            "most of them come back to life at once": "The threshold falls below the accumulators it had covered.",
        },
        explanation=(
            "The new threshold is {left} of the old one. In the recorded runs {before} of the weights "
            "are zero before the drop, {after} one epoch after it."
        ),
        values=_drop_values,
    ),
    "same_c": Prediction(
        title="what momentum does to c",
        question=(
            "gRDAM with momentum 0.9, a learning rate of 0.01 in the place of 0.1, and the original g with the "
            f"same c = {C:g}. How many zeros does it have after 60 epochs, beside gRDA?"
        ),
        answer=zeros_of_momentum,
        options={
            "far fewer zeros": "The accumulator moves as far as before, but the original g sees only the smaller γ.",
            "about as many": "The accumulators do move as far. The threshold does not grow as fast.",
            "far more zeros": "Momentum drives the accumulator, not the threshold.",
        },
        explanation="gRDA has {plain} zeros, gRDAM {momentum}.",
        values=lambda: {"plain": percent(zeros_of(PLAIN)), "momentum": percent(zeros_of(GRDAM))},
    ),
    "worth_it": Prediction(
        title="whether momentum pays at equal c",
        question=(
            f"c = {C:g} and the falling learning rate. Compare gRDAM, effective step, with plain gRDA: mean test "
            "accuracy over the three seeds. The standard error of one accuracy on 360 images is about 0.7 points."
        ),
        answer=worth,
        options={
            "clearly more accurate": "That is what many expect of momentum. Look at both rows of the table.",
            "clearly less accurate": "Its curves do not fall behind. Look at both rows of the table.",
            "a difference within one standard error": "Three seeds and 360 images cannot tell the two apart.",
        },
        explanation=(
            "The difference is {difference} points, with {ours} zeros against {plain}; one standard error is "
            "{error} points. With matched steps gRDAM is nearly gRDA, so more was not to be expected."
        ),
        values=lambda: {
            "difference": points(gain(), 2),
            "error": decimal(100 * standard_error(), 2),
            "ours": percent(zeros_of(EFFECTIVE, schedule=STEP)),
            "plain": percent(zeros_of(PLAIN, schedule=STEP)),
        },
    ),
}


def grdam_step(w, v, b, g, n, gradient, lr, c, mu, beta, decay):
    """The solution that the learner may compare with."""
    G = gradient + decay * w
    b = beta * b + G
    v = v - lr * b
    g = g + c * lr ** (0.5 + mu) * (n**mu - (n - 1) ** mu)
    w = np.sign(v) * np.maximum(np.abs(v) - g, 0)
    return w, v, b, g


def _grdam_oracle(w, v, b, g, n, gradient, lr, c, mu, beta, decay):
    direction = beta * np.asarray(b) + gradient + decay * np.asarray(w)
    moved = np.asarray(v) - lr * direction
    threshold = g + tuning_increment(n, lr, c, mu)
    return soft_threshold(moved, threshold), moved, direction, threshold


def effective_g(n, lr, c, mu, beta):
    """The solution that the learner may compare with."""
    step = lr / (1 - beta)
    return c * step**0.5 * (n * step) ** mu


_W = np.array([0.5, 0.0, -0.3, 0.0])
_V = np.array([0.7, 0.1, -0.5, -0.15])
_B = np.array([0.2, -1.0, 0.0, 4.0])
_D = np.array([1.0, -2.0, 0.5, 0.0])
EXERCISES = {
    "effective_g": Exercise(
        title="a threshold for the effective step",
        task=(
            "Write `effective_g(n, lr, c, mu, beta)`: the original formula with γ/(1 − β) in the place of γ."
        ),
        solution=effective_g,
        oracle=lambda n, lr, c, mu, beta: PowerTuning(c, mu, beta)(n, lr),
        cases=(
            Case((1, 1.0, 0.3, 0.7, 0.0), 0.3, "Without momentum, at n = 1 and γ = 1, it is c."),
            Case((100, 0.1, 0.02, 0.65, 0.0), why="With β = 0 it is the original formula."),
            Case(
                (100, 0.01, 0.02, 0.65, 0.9),
                why="γ = 0.01 with β = 0.9 is an effective step of 0.1.",
            ),
            Case((2400, 0.05, 0.005, 0.51, 0.5), why="The time t is n effective steps long, too."),
            Case((np.arange(5), 0.01, 0.02, 0.65, 0.9), why="A whole array of step numbers works."),
        ),
        hints=(
            "Say first what the effective step is, in a line of its own.",
            "The original formula is `c * lr**0.5 * (n * lr)**mu`. γ stands in it twice.",
            "`step = lr / (1 - beta)`, then `c * step**0.5 * (n * step)**mu`.",
        ),
        done="With a fixed c, mu and beta it is a tuning function: `GRDA(…, tuning=…)` takes it.",
    ),
    "grdam_step": Exercise(
        title="one step of gRDAM",
        task=(
            "Write `grdam_step(w, v, b, g, n, gradient, lr, c, mu, beta, decay)`, step number n = 1, 2, …, with the "
            "original g: return the new `w, v, b, g`."
        ),
        solution=grdam_step,
        oracle=_grdam_oracle,
        cases=lambda: [
            # one part of the recipe a case, so that what is said of a wrong answer fits it
            Case(
                (_W, _V, 0 * _B, 0.0, 1, _D, 0.1, 0.0, 0.65, 0.0, 0.0),
                why="With c, β and decay 0 this is SGD on v, and w is v.",
            ),
            Case(
                (_W, _V, 0 * _B, 0.2, 1, _D, 0.1, 0.0, 0.65, 0.0, 0.0),
                why="With c = 0 the threshold stays what it was, and w is the new v, soft-thresholded by it. "
                "They come back in the order w, v, b, g.",
            ),
            Case(
                (_W, _V, 0 * _B, 0.2, 7, _D, 0.1, 0.3, 0.65, 0.0, 0.0),
                why="The threshold grows by this step's share, and w is thresholded by the new one.",
            ),
            Case(
                (_W, _V, _B, 0.0, 7, _D, 0.1, 0.0, 0.65, 0.9, 0.0),
                why="The buffer keeps β of what it was and takes the gradient in, then v moves by γ times the new b.",
            ),
            Case(
                (_W, _V, 0 * _B, 0.0, 7, _D, 0.1, 0.0, 0.65, 0.0, 0.5),
                why="Weight decay acts on the weights w, not on v.",
            ),
            Case(
                (_W, _V, _B, 0.2, 900, _D, 0.001, 5.0, 0.65, 0.9, 0.5),
                why="All together. After a drop of γ the threshold stays where it was and grows slowly.",
            ),
        ],
        hints=(
            "Four lines, in this order: `G`, `b`, `v`, `g`; then `w` is the soft-thresholded `v`.",
            "`G = gradient + decay * w`, `b = beta * b + G`, `v = v - lr * b`.",
            "The threshold is added to: `g = g + c * lr**(0.5 + mu) * (n**mu - (n - 1)**mu)`.",
        ),
        done="`GRDA(parameters, lr, c, mu, momentum=beta, weight_decay=decay)` does this for every tensor.",
    ),
}


OBJECTIVES = {
    "say why a threshold is accumulated under a learning-rate schedule": "recomputed",
    "say what momentum does to the meaning of c": "same_c",
    "compare recipes by what their seeds can show": "worth_it",
    "write a tuning function for the effective step": "effective_g",
    "write one step of gRDAM": "grdam_step",
}
