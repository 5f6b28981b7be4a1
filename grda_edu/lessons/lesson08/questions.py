"""Lesson 08's predictions and its exercise, with their answers computed."""

from __future__ import annotations

import numpy as np

from grda_edu.course import Case, Exercise, Prediction
from grda_edu.explore import writing

from .finite import about, compared, first, over_rates, over_time, rates
from .numbers import SETTINGS, THEOREM, at, by_cutoff, cutoffs

C, MU = SETTINGS[0]


def flat_percent() -> float:
    """Eigenvalues below the main cut-off where SGD stopped, in percent, mean over seeds."""
    place = at(cutoffs(), THEOREM.about("main_cutoff"))
    return float(100 * by_cutoff(C, MU)["rank"][place].mean())


def size_alone() -> float:
    """The correlation of ŝ with -|w|, mean over seeds."""
    return float(compared("size", C, MU)["correlation"].mean())


def _size_words() -> dict[str, str]:
    ours, given = (compared("finite", C, MU)[name].mean() for name in ("correlation", "partial"))
    return {"scores": writing.decimal(float(ours)), "given": writing.decimal(float(given))}


def _rises() -> tuple[float, float]:
    """What halving γ and what doubling t add to the correlation, λ held, where pruning is strong."""
    here, strong = rates().index(about("lr")), SETTINGS[-1]
    by_rate = over_rates(*strong).mean(axis=1)
    by_time = over_time(*strong)["correlation"].mean(axis=1)
    return float(by_rate[here + 1] - by_rate[here]), float(by_time[1] - by_time[0])


def which_limit() -> str:
    """Which of the two adds more, in the words of an option."""
    gamma, time = _rises()
    if abs(gamma - time) < 0.01:
        return _LIMITS[2]
    return _LIMITS[0] if gamma > time else _LIMITS[1]


_LIMITS = ("halving γ", "doubling t", "both about as much")


def _limit_words() -> dict[str, str]:
    gamma, time = (writing.signed(rise, 2) for rise in _rises())
    return {"gamma": gamma, "time": time}


PREDICTIONS = {
    "how_flat": Prediction(
        title="how flat a real network's loss is",
        question=(
            "The network has 1,370 weights, so the Hessian has 1,370 eigenvalues. How many "
            "percent of them are below 0.001? (Within 10 points counts.)"
        ),
        answer=flat_percent,
        unit="%",
        tolerance=10.0,
        explanation=(
            "{answer:.0f}%, in the mean of the recorded seeds: nearly nine directions in ten are flat. Even this small "
            "network has far more weights than it needs."
        ),
    ),
    "size_alone": Prediction(
        title="what the size of a weight tells by itself",
        question=(
            f"c = {C:g}, μ = {MU:g}. Forget the Hessian. Take −|w| for the scores instead: the larger a weight, the less it "
            "should shrink. What is the correlation of ŝ with that, over the survivors? (Within 0.15 counts.)"
        ),
        answer=size_alone,
        tolerance=0.15,
        explanation=(
            "{answer:.2f}, in the mean of the seeds, where the scores have {scores}. So a high correlation is no evidence "
            "yet. Once size and layer are taken out of both, the scores keep {given}."
        ),
        values=_size_words,
    ),
    "smaller_gamma": Prediction(
        title="which of the theorem's limits counts here",
        question=(
            f"The theorem is about small γ and large t. We start at γ = {about('lr'):g}, t = {first():g}, c = {SETTINGS[-1][0]:g}, "
            f"μ = {SETTINGS[-1][1]:g}, and hold λ. What adds more to the correlation of ŝ with s?"
        ),
        answer=which_limit,
        options={
            _LIMITS[0]: "Smaller steps have less noise. But there is little noise to begin with.",
            _LIMITS[1]: "Time is what makes steep directions forget every push.",
            _LIMITS[2]: "The theorem needs both; they need not do the same here.",
        },
        explanation="Halving γ adds {gamma}, doubling t {time}, means of the seeds.",
        values=_limit_words,
    ),
}


def my_share(move: np.ndarray, vectors: np.ndarray) -> float:
    """The solution that the learner may compare with."""
    inside = vectors.T @ move
    return float(np.linalg.norm(inside) / np.linalg.norm(move))


def _cases() -> list[Case]:
    rng = np.random.default_rng(0)
    turned = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    axes = np.eye(3)
    return [
        Case(
            (np.array([3.0, 0.0, 4.0]), axes[:, :1]),
            0.6,
            "3 of a length of 5 lie along the first axis.",
        ),
        Case(
            (np.array([0.0, 2.0, 0.0]), axes[:, :2]), 1.0, "A move inside the subspace has share 1."
        ),
        Case(
            (np.array([0.0, 0.0, -2.0]), axes[:, :2]),
            0.0,
            "A move at right angles to it has share 0.",
        ),
        Case(
            (np.array([1.0, 2.0, 2.0]), axes[:, :2]),
            5**0.5 / 3,
            "With two vectors the inside part is √(1² + 2²) long, of a length of 3.",
        ),
        Case((np.array([10.0, 20.0, 20.0]), axes[:, :2]), why="A longer move has the same share."),
        Case(
            (np.array([-1.0, 1.0, 0.0]), axes[:, :2]),
            why="Parts with different signs do not cancel.",
        ),
        Case(
            (rng.standard_normal(6), turned[:, :4]),
            why="Any orthonormal vectors will do, not only axes.",
        ),
    ]


def _by_projection(move: np.ndarray, vectors: np.ndarray) -> float:
    inside = vectors @ (vectors.T @ move)
    return float(np.sqrt(inside @ inside) / np.sqrt(move @ move))


EXERCISES = {
    "share": Exercise(
        title="the share of a move in a subspace",
        task="Write `my_share(move, vectors)`: ‖P d‖ / ‖d‖ for a move d `[D]` and orthonormal columns `vectors` `[D, k]`.",
        solution=my_share,
        oracle=_by_projection,
        cases=_cases,
        hints=(
            "How long is the move along one of the vectors? That is their scalar product.",
            "`vectors.T @ move` holds all k of them: the coordinates of the inside part.",
            "The columns are orthonormal, so the inside part is as long as its coordinates: `np.linalg.norm(vectors.T @ move)`.",
        ),
        done="Now measure gRDA's own move with it, in the cell below.",
    ),
}

OBJECTIVES = {
    "say how flat the loss of a real network is": "how_flat",
    "say why a high correlation is not yet evidence, and what is": "size_alone",
    "say which of the theorem's two limits counts here": "smaller_gamma",
    "measure how much of a move lies in the steepest directions": "share",
}
