"""What lesson 02 asks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from grda_edu.course import Case, Exercise, Prediction, judge
from grda_edu.shrinkage import soft_threshold
from grda_edu.toy import quadratic
from grda_edu.toy.quadratic import GRDA, PROXIMAL, RDA

from .numbers import (
    BACK,
    FLAT,
    GOAL_TIME,
    SHARP,
    C,
    alive_shares,
    at_time,
    bias_at,
    c_for_goal,
    first_death,
    run,
)

FIRST = {"flat": "the flat one", "sharp": "the sharp one", "": "both at the same time"}
FATES = (
    "it stays zero: a dead weight gets no gradient",
    "it comes back with the sign it had",
    "it comes back with the other sign",
)
BIASES = (
    "it vanishes under all three",
    "it stays under all three",
    "it stays under proximal SGD and RDA, and vanishes under gRDA",
)
SHARES = ("smaller", "about the same", "larger")
NOISY_MU = 0.4


def _who_is_first() -> str:
    flat, sharp = first_death(run(FLAT)), first_death(run(SHARP))
    return FIRST["" if flat == sharp else "flat" if flat < sharp else "sharp"]


def _ends() -> dict[str, float]:
    flat, sharp = run(FLAT), run(SHARP)
    return {"died": first_death(flat), "left": float(sharp.w[-1]), "v": float(sharp.v[-1])}


def _fate() -> str:
    path = run(BACK)
    end = np.sign(path.w[-1])
    return FATES[0] if end == 0 else FATES[1] if end == np.sign(BACK.w0) else FATES[2]


def _revival() -> dict[str, float]:
    path = run(BACK)
    back = path.t[quadratic.revivals(path.w)]
    return {"died": first_death(path), "back": float(back[0]), "end": float(path.w[-1])}


def _what_becomes_of_the_bias() -> str:
    left = {m: bias_at(m, 1000) < 0.5 * bias_at(m, 100) for m in (PROXIMAL, RDA, GRDA)}
    if len(set(left.values())) == 1:
        return BIASES[0 if left[GRDA] else 1]
    if left[GRDA] and not left[RDA] and not left[PROXIMAL]:
        return BIASES[2]
    raise ValueError(f"none of the options describes {left}")


def _bias_values() -> dict[str, float]:
    stays = {"proximal": bias_at(PROXIMAL, 1000), "rda": bias_at(RDA, 1000)}
    return stays | {"early": bias_at(GRDA, 20), "late": bias_at(GRDA, 1000)}


def _shares() -> dict[str, float]:
    share = 100 * alive_shares(NOISY_MU)
    return {"early": share[at_time(1.0)], "late": share[-1]}


def _which_share() -> str:
    early, late = _shares().values()
    return SHARES[1] if abs(late - early) < 3 else SHARES[0 if late < early else 2]


PREDICTIONS = {
    "which_dies": Prediction(
        title="which weight dies first",
        question=(
            "Two weights start at their optimum, 0.5. One is flat: the loss does not care about it (a = 0). "
            "The other is sharp: the loss holds it tight (a = 1). The same threshold grows for both. "
            "Which one becomes zero first?"
        ),
        answer=_who_is_first,
        options={
            "the flat one": "Nothing pushes the flat one's accumulator, so the band swallows it.",
            "the sharp one": (
                "The loss pushes back. As soon as the sharp weight is a little too small, its gradient "
                "moves the accumulator outwards, ahead of the band."
            ),
            "both at the same time": (
                "They would, if the threshold were all there is. But the sharp one has a gradient."
            ),
        },
        explanation=(
            "With c = 0.2 and μ = 0.6 the flat one is zero from t = {died:.1f} on. The sharp one still "
            "has w = {left:.3f} at t = 60; its accumulator has climbed to {v:.2f} by then."
        ),
        values=_ends,
    ),
    "revival": Prediction(
        title="what becomes of a weight at zero",
        question=(
            "Another weight starts at −0.4, and the loss wants it at +1, with little force (a = 0.03). "
            "On the way the band swallows it, and the weight is exactly zero. What happens then?"
        ),
        answer=_fate,
        options={
            FATES[0]: (
                "The gradient is taken at w = 0, and it is not zero there: a(0 − w*) = −a w*. It goes on "
                "moving the accumulator."
            ),
            FATES[1]: "The loss pushes it the other way, through the band and out on the far side.",
            FATES[2]: "The accumulator crosses the whole band and leaves it on the other side.",
        },
        explanation=(
            "With c = 0.2 it dies at t = {died:.1f} and comes back at t = {back:.1f}; at t = 60 it has "
            "reached {end:.2f}."
        ),
        values=_revival,
    ),
    "goal": Prediction(
        title="the c that kills a flat weight in time",
        heading="Report",
        question=(
            "“A flat weight”, a = 0: what is the smallest c on the slider with which it is zero before "
            "t = 30?"
        ),
        answer=c_for_goal,
        tolerance=0.02,
        explanation=(
            "With c = {answer:g} the threshold reaches 0.5 at t = {there:.1f}; one notch lower, with "
            "c = {below:g}, at t = {late:.1f}. (From {exact:.3f} on it would be in time.)"
        ),
        values=lambda: _goal_values(c_for_goal()),
    ),
    "bias": Prediction(
        title="what becomes of the bias",
        question=(
            "λ and c are chosen so that a flat weight dies at t = 20 under proximal SGD, RDA and gRDA "
            "alike. A sharp weight (a = 0.5) survives under all three, a little too small. What becomes "
            "of that bias as time goes on?"
        ),
        answer=_what_becomes_of_the_bias,
        options={
            BIASES[0]: "In proximal SGD and RDA the gradient balances a force that never fades, λ.",
            BIASES[1]: "Two of them keep it. gRDA's threshold grows more and more slowly.",
            BIASES[2]: "A linear threshold costs the same at every step; one like t^0.6 ever less.",
        },
        explanation=(
            "At t = 1000 the bias is {proximal:.3f} under proximal SGD, {rda:.3f} under RDA and "
            "{late:.3f} under gRDA, where it was {early:.3f} at t = 20."
        ),
        values=_bias_values,
    ),
    "noise": Prediction(
        title="what noise does when μ is below ½",
        question=(
            "4,000 flat weights start at zero, and their gradients are nothing but noise. With μ = 0.4, "
            "about a third of them are alive at t = 1. At t = 1000 the share is …"
        ),
        answer=_which_share,
        options={
            "smaller": "It would be if the band outgrew the noise. For μ below ½ it does not.",
            "about the same": "That is what happens at μ = ½ exactly.",
            "larger": "The noise carries the accumulators like √t, the band grows only like t^0.4.",
        },
        explanation="Of these 4,000, {early:.0f} % are alive at t = 1 and {late:.0f} % at t = 1000.",
        values=_shares,
    ),
}


def _goal_values(c: float) -> dict[str, float]:
    below = C[C.index(c) - 1]
    return {
        "there": quadratic.death_time(FLAT.w0, FLAT.lr, c, FLAT.mu),
        "below": below,
        "late": quadratic.death_time(FLAT.w0, FLAT.lr, below, FLAT.mu),
        "exact": FLAT.w0 / (FLAT.lr**0.5 * GOAL_TIME**FLAT.mu),
    }


def my_grda_step(
    v: np.ndarray, n: int, gradient: np.ndarray, lr: float, c: float, mu: float
) -> tuple[np.ndarray, np.ndarray]:
    """The solution that the learner may compare with."""
    v = v - lr * gradient
    g = c * lr ** (0.5 + mu) * n**mu
    return v, soft_threshold(v, g)


def _by_clipping(
    v: np.ndarray, n: int, gradient: np.ndarray, lr: float, c: float, mu: float
) -> tuple[np.ndarray, np.ndarray]:
    moved = v - lr * gradient
    edge = c * np.sqrt(lr) * (n * lr) ** mu
    return moved, moved - np.clip(moved, -edge, edge)


_ONE = np.array([1.0])
_CALM = np.array([0.0])

EXERCISES = {
    "grda_step": Exercise(
        title="one step of gRDA",
        task=(
            "Write `my_grda_step(v, n, gradient, lr, c, mu)` for arrays `v` and `gradient`; `n` is the number "
            "of this step, 1 for the first. Return the pair `v, w`: the new accumulator, then the new weights."
        ),
        solution=my_grda_step,
        oracle=_by_clipping,
        cases=(
            Case(
                (_ONE, 3, np.array([2.0]), 0.25, 0.0, 0.6),
                (np.array([0.5]), np.array([0.5])),
                "With c = 0 there is no threshold: v and w are both v − lr·gradient, as in SGD. Return the "
                "pair `v, w`.",
            ),
            Case(
                (np.array([0.1]), 4, _CALM, 0.25, 0.4, 0.5),
                (np.array([0.1]), np.array([0.0])),
                "In the band w is zero, but v keeps its value: that is where the weight lives meanwhile. Only "
                "w is thresholded, and v comes first in the pair.",
            ),
            Case(
                (_ONE, 1, _CALM, 0.25, 0.4, 0.5),
                (_ONE, np.array([0.9])),
                "At the first step n = 1, so g = c·lr^(½+μ) = 0.4 · 0.25 = 0.1. The steps count from 1, and "
                "the power of the learning rate is ½ + μ.",
            ),
            Case(
                (_ONE, 4, _CALM, 0.25, 0.4, 0.5),
                (_ONE, np.array([0.8])),
                "The threshold grows like n^μ: here 0.4 · 0.25 · √4 = 0.2.",
            ),
            Case(
                (np.array([0.1]), 4, np.array([-2.0]), 0.25, 0.4, 0.5),
                (np.array([0.6]), np.array([0.4])),
                "The accumulator moves first, against the gradient; then its new value is thresholded.",
            ),
            Case(
                (-_ONE, 4, _CALM, 0.25, 0.4, 0.5),
                (-_ONE, np.array([-0.8])),
                "A negative v moves up, towards zero: the band lies on both sides.",
            ),
            Case(
                (_ONE, 100, _CALM, 0.1, 0.02, 0.7),
                why="The threshold is c·lr^(½+μ)·n^μ: the learning rate has the power ½ + μ, and n has μ.",
            ),
            Case(
                (
                    np.linspace(-0.6, 0.6, 6).reshape(2, 3),
                    30,
                    np.array([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]]),
                    0.1,
                    0.1,
                    0.6,
                ),
                why="Many weights at once: arrays of any shape, each entry with its own gradient.",
            ),
        ),
        hints=(
            "Three lines: move v, compute the threshold g, threshold v. The gradient touches v only.",
            "`v = v - lr * gradient` (not `-=`, which would change the caller's array), then "
            "`g = c * lr ** (0.5 + mu) * n**mu`.",
            "Return both: `return v, soft_threshold(v, g)`.",
        ),
        done="You have written the optimizer of this course. GRDA does this to every weight of a network.",
    ),
}


def run_your_step(step: Callable) -> None:
    """Print what 600 of the learner's steps do to a flat and a sharp weight, beside the formulas."""
    if judge(EXERCISES["grda_step"], step).kind != "right":
        print("Solve the exercise first; then this cell runs 600 of your steps.")
        return
    a, c = np.array([FLAT.at[0], SHARP.at[0]]), FLAT.at[1]
    v = w = np.full(2, FLAT.w0)
    died = np.inf
    for n in range(1, 601):
        v, w = step(v, n, a * (w - FLAT.w_star), FLAT.lr, c, FLAT.mu)
        died = min(died, n * FLAT.lr) if w[0] == 0 else died
    formula = quadratic.death_time(FLAT.w0, FLAT.lr, c, FLAT.mu)
    left = quadratic.grda_bias(600 * FLAT.lr, a[1], FLAT.lr, c, FLAT.mu)
    print(f"the flat weight:  zero from t = {died:.1f} (formula {formula:.2f})")
    print(f"the sharp weight: bias {FLAT.w_star - w[1]:.5f} at t = 60 (formula {left:.5f})")


OBJECTIVES = {
    "say which of two weights gRDA makes zero first, and why": "which_dies",
    "say where a weight lives while it is zero, and how it comes back": "revival",
    "work out when a flat weight dies": "goal",
    "say what gRDA spares the weights that matter, and proximal SGD does not": "bias",
    "say why μ lies between ½ and 1": "noise",
    "write one step of gRDA yourself": "grda_step",
}
