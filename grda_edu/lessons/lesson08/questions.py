"""Lesson 08's predictions and its exercise, with their answers computed."""

from __future__ import annotations

import numpy as np

from grda_edu.course import Case, Exercise, Prediction
from grda_edu.explore import writing

from .numbers import (
    SETTINGS,
    about,
    along_gamma,
    array,
    at,
    cutoffs,
    ended,
    lrs,
    seeds,
)

C, MU = SETTINGS[0]


def flat_percent() -> float:
    """Eigenvalues below the main cut-off where SGD stopped, in percent, mean over seeds."""
    ranks = [ended(C, MU, s).rank[at(cutoffs(), about("main_cutoff"))] for s in seeds()]
    return float(100 * np.mean(ranks) / array("values").shape[-1])


def best_cosine() -> str:
    """Which prediction's move is closest to gRDA's in angle at the strongest of the settings."""
    c, mu = SETTINGS[-1]
    means = _cosines(c, mu)
    best = max(means, key=means.__getitem__)
    return _COSINE_OPTIONS[best]


_COSINE_OPTIONS = {
    "directional": "directional pruning",
    "soft": "soft-thresholding with as many zeros as gRDA",
    "random": "directional pruning with a random P₀",
}


def _cosines(c: float, mu: float) -> dict[str, float]:
    cells = [ended(c, mu, s) for s in seeds()]
    return {
        name: float(np.mean([one.match(one.predictions()[name]).cosine for one in cells]))
        for name in _COSINE_OPTIONS
    }


def _cosine_words() -> dict[str, str]:
    c, mu = SETTINGS[-1]
    means = _cosines(c, mu)
    return {
        "cosines": ", ".join(
            f"{_COSINE_OPTIONS[n]} {writing.decimal(m)}" for n, m in means.items()
        ),
    }


def gamma_trend() -> str:
    """What becomes of the correlation at (C, MU) as γ is halved, in the words of an option."""
    means = along_gamma(C, MU, about("main_cutoff"))["correlation, c fixed"].mean(axis=1)[:-1]
    steps = np.diff(means)
    if (steps > 0).all():
        return "it rises every time"
    return "it falls every time" if (steps < 0).all() else "now up, now down"


def _gamma_words() -> dict[str, str]:
    means = along_gamma(C, MU, about("main_cutoff"))["correlation, c fixed"].mean(axis=1)[:-1]
    pairs_of = zip(lrs(), means, strict=True)
    return {"means": ", ".join(f"{writing.decimal(m)} at γ = {lr:g}" for lr, m in pairs_of)}


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
    "best_cosine": Prediction(
        title="which prediction has the smallest angle",
        question=(
            f"c = {SETTINGS[-1][0]:g}, μ = {SETTINGS[-1][1]:g}: strong pruning. We predict gRDA's move away from SGD's "
            "weights in three ways: with the scores; blind to the loss; with scores from random directions in the "
            "place of the flat ones. Which prediction has the smallest angle to it, that is, the largest cosine?"
        ),
        answer=best_cosine,
        options={
            "directional pruning": "It knows the flat directions. But the angle is ruled by the sheer amount of shrinking.",
            "soft-thresholding with as many zeros as gRDA": (
                "It knows nothing of the loss, only how many zeros to make, and still has the smallest angle."
            ),
            "directional pruning with a random P₀": "Its scores are noise around their mean; that costs angle too.",
        },
        explanation="Cosines, means of the recorded seeds: {cosines}. A high cosine alone proves little.",
        values=_cosine_words,
    ),
    "smaller_gamma": Prediction(
        title="what a smaller γ does",
        question=(
            f"The theorem is about small γ. We halve γ three times, from 0.2 to 0.025, and train to the same time t "
            f"each time. What becomes of the correlation of ŝ with s at c = {C:g}, μ = {MU:g}?"
        ),
        answer=gamma_trend,
        options={
            "it rises every time": "That is what the theorem lets you hope for.",
            "it falls every time": "Then the theorem would be in trouble.",
            "now up, now down": "Three seeds are few, and noise is possible.",
        },
        explanation="Means of the recorded seeds: {means}.",
        values=_gamma_words,
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
    "say why a high cosine is not yet evidence, and what is": "best_cosine",
    "say what the theorem's limit looks like when you measure it": "smaller_gamma",
    "measure how much of a move lies in the steepest directions": "share",
}
