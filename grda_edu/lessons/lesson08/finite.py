"""Lesson 08's numbers from the recording "finite_time", where scores need no cut-off (numpy only)."""

from __future__ import annotations

from functools import cache

import numpy as np

from grda_edu.geometry import evidence as ev
from grda_edu.geometry.pruning import (
    directional_pruning,
    magnitude_pruning,
    soft_pruning,
    threshold_for,
)

from .moves import LARGE, Ended
from .recorded import Recording

FINITE = Recording("finite_time")
array, about = FINITE.array, FINITE.about

STORED = {
    "cut-off": "cutoff",
    "moving cut-off": "moving",
    "decay": "decay",
    "symmetries": "symmetries",
    "random": "random",
}
"""Rivals of the finite-time scores, and what they are stored as; "random" has the same eigenvalues, turned."""
COMPARED = ("finite", "decay", "cut-off", "size", "symmetries", "random", "in layers", "soft")
"""What is compared: three filters of the Hessian, then what knows less."""
MEASURES = ("cosine", "correlation", "slope", "auc", "partial")


def settings() -> list[tuple[float, float]]:
    """The recorded (c, μ); c is that of the first time and the main learning rate."""
    return [(c, mu) for c, mu in about("pairs")]


def first() -> float:
    """The time at which all but ``time_counts`` is shown, in units of γ·steps."""
    return float(about("times")[0])


def seeds() -> list[int]:
    return list(about("seeds"))


@cache
def ended(c: float, mu: float, t: float, seed: int) -> Ended:
    """The trainings to a recorded time, λ held."""
    k, n, at = seeds().index(seed), about("times").index(t), settings().index((c, mu))
    return Ended(
        sgd=array("time/sgd")[k, n],
        grda=array("time/grda")[k, n, at],
        s=array("time/s")[k, n, about("mus").index(mu)],
        lam=_lam(c, mu),
        seed=seed,
    )


@cache
def ended_at_rate(c: float, mu: float, lr: float, seed: int) -> Ended:
    """The trainings to the first time at a recorded learning rate, λ held."""
    if lr == about("lr"):
        return ended(c, mu, first(), seed)
    k, n, at = seeds().index(seed), about("rates").index(lr), settings().index((c, mu))
    return Ended(
        sgd=array("rate/sgd")[k, n],
        grda=array("rate/grda")[k, n, at],
        s=array("rate/s")[k, n, about("mus").index(mu)],
        lam=_lam(c, mu),
        seed=seed,
    )


@cache
def ended_large(c: float, mu: float, seed: int) -> Ended:
    """The trainings of the larger network."""
    pairs = [tuple(pair) for pair in about("large_pairs")]
    k, at = seeds().index(seed), pairs.index((c, mu))
    return Ended(
        sgd=array("large/sgd")[k],
        grda=array("large/grda")[k, at],
        s=array("large/s")[k, about("large_mus").index(mu)],
        lam=ev.strength(about("lr"), c, mu, about("large_t")),
        seed=seed,
        sizes=LARGE,
    )


def _lam(c: float, mu: float) -> float:
    return ev.strength(about("lr"), c, mu, first())


def rival(name: str, mu: float, t: float, seed: int) -> np.ndarray:
    """Other scores at the same end of SGD's: [D]; the names are those of ``STORED``."""
    k, n = seeds().index(seed), about("times").index(t)
    found = array(f"time/s/{STORED[name]}")[k, n]
    return found[about("mus").index(mu)] if name == "random" else found


def scores_of(name: str, one: Ended, mu: float) -> np.ndarray | None:
    """The scores [D] of one of ``COMPARED`` at the first time; None where all are alike."""
    if name == "finite":
        return one.s
    if name == "size":
        return -np.abs(one.sgd)
    if name == "in layers":
        return one.shuffled()
    return None if name == "soft" else rival(name, mu, first(), one.seed)


@cache
def compared(name: str, c: float, mu: float) -> dict[str, np.ndarray]:
    """Each of ``MEASURES`` for one of ``COMPARED``: [seeds]; NaN where it says nothing."""
    rows = [_measured(name, ended(c, mu, first(), seed), mu) for seed in seeds()]
    return {measure: np.array([row[measure] for row in rows]) for measure in MEASURES}


def _measured(name: str, one: Ended, mu: float) -> dict[str, float]:
    s = scores_of(name, one, mu)
    if s is None:
        threshold = threshold_for(one.sgd, int((one.grda == 0).sum()))
        cosine = one.match(soft_pruning(one.sgd, threshold)).cosine
        return dict.fromkeys(MEASURES, np.nan) | {"cosine": cosine}
    found = one.evidence(s)
    measured = {"correlation": found.correlation, "slope": found.slope, "auc": found.auc}
    if name == "size":  # it predicts no move, and it is what ``partial`` takes out
        return dict.fromkeys(MEASURES, np.nan) | measured
    moved = one.match(directional_pruning(one.sgd, s, one.lam))
    return measured | {"cosine": moved.cosine, "partial": one.partial(s)}


@cache
def overlap_of_zeros(name: str, c: float, mu: float) -> np.ndarray:
    """Of the weights that are zero in gRDA or in a prediction with as many zeros, the share in both: [seeds].

    name: of ``COMPARED``. "size" and "soft" let the smallest die; scores those that reach zero
    at the smallest λ.
    """
    found = []
    for seed in seeds():
        one = ended(c, mu, first(), seed)
        s = None if name == "size" else scores_of(name, one, mu)
        if s is None:
            predicted = magnitude_pruning(one.sgd, one.zeros)
        else:
            predicted = ev.directional_at_zeros(one.sgd, s, int((one.grda == 0).sum()))
        found.append(one.match(predicted).overlap)
    return np.array(found)


@cache
def ceiling(c: float, mu: float) -> float:
    """The highest correlation that any score can have, mean of the seeds.

    From two orders of the images with the same start.
    """
    found = []
    for k, seed in enumerate(seeds()):
        one = ended(c, mu, first(), seed)
        grda = array("order/grda")[k, settings().index((c, mu))]
        other = Ended(array("order/sgd")[k], grda, one.s, one.lam, seed)
        both = one.alive & other.alive
        found.append(ev.noise_ceiling(one.estimates()[both], other.estimates()[both]))
    return float(np.mean(found))


@cache
def over_time(c: float, mu: float) -> dict[str, np.ndarray]:
    """Evidence at every recorded time, λ held: [times, seeds] each."""
    rows = []
    for t in about("times"):
        cells = [ended(c, mu, t, seed) for seed in seeds()]
        found = [one.evidence() for one in cells]
        cuts = {
            name: [one.evidence(rival(name, mu, t, one.seed)).correlation for one in cells]
            for name in ("cut-off", "moving cut-off")
        }
        rows.append(
            {
                "correlation": [e.correlation for e in found],
                "slope": [e.slope for e in found],
                "auc": [e.auc for e in found],
                "partial": [one.partial() for one in cells],
                "size": [one.evidence(-np.abs(one.sgd)).correlation for one in cells],
                "zeros": [one.zeros for one in cells],
                **cuts,
            }
        )
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def rates() -> list[float]:
    """The learning rates recorded with λ held, falling."""
    return sorted([about("lr"), *about("rates")], reverse=True)


@cache
def over_rates(c: float, mu: float) -> np.ndarray:
    """Correlation at the first time for every learning rate, λ held: [rates, seeds]."""
    return np.array(
        [
            [ended_at_rate(c, mu, lr, seed).evidence().correlation for seed in seeds()]
            for lr in rates()
        ]
    )
