"""Lesson 08's numbers at finite time: what the recording "finite_time" holds, and its evidence (numpy only)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from grda_edu import recordings
from grda_edu.geometry import evidence as ev

from .numbers import LAYERS

SIZES = [int(np.prod(shape)) for shape in LAYERS.values()]
RIVALS = ("cut-off", "moving cut-off", "e^{-tH}", "symmetries", "random")
"""Scores that stand beside those of finite time; "random" has the same eigenvalues, turned."""


@cache
def recorded() -> recordings.Measurements:
    """The recording. RecordingError names the command that repairs it."""
    return recordings.load_measurements("finite_time")


@cache
def array(name: str) -> np.ndarray:
    """One of its arrays, in double precision."""
    stored = recorded().arrays[name]
    return stored.astype(np.float64) if stored.dtype.kind == "f" else stored


def about(name: str) -> Any:
    """One of the study's settings."""
    return recorded().configuration[name]


def settings() -> list[tuple[float, float]]:
    """The recorded (c, μ); c is that of the first time and the main learning rate."""
    return [(c, mu) for c, mu in about("pairs")]


@dataclass(frozen=True, eq=False)
class Ended:
    """Where SGD and gRDA ended, from the same weights on the same batches: vectors [D]."""

    sgd: np.ndarray
    grda: np.ndarray
    s: np.ndarray  # finite-time scores at SGD's end
    lam: float
    seed: int

    @property
    def alive(self) -> np.ndarray:
        """The survivors: bool [D]."""
        return (self.grda != 0) & (self.sgd != 0)

    def estimates(self) -> np.ndarray:
        """ŝ of the survivors, what gRDA's move says about their scores."""
        return ev.score_estimates(self.sgd, self.grda, self.lam)[self.alive]

    def shuffled(self) -> np.ndarray:
        """The scores dealt out anew inside each layer: [D]."""
        return ev.shuffled(self.s, self.seed, SIZES)

    def evidence(self, s: np.ndarray | None = None) -> ev.Evidence:
        """Of these scores [D], those of finite time if none are given."""
        return ev.evidence_of(self.s if s is None else s, self.sgd, self.grda, self.lam)

    def partial(self, s: np.ndarray | None = None) -> float:
        """The correlation of ŝ with the scores, given each weight's size and layer."""
        s, alive = self.s if s is None else s, self.alive
        known = ev.size_and_layer(self.sgd, SIZES)[alive]
        return ev.partial_correlation(self.estimates(), s[alive], known)


@cache
def ended(c: float, mu: float, t: float, seed: int) -> Ended:
    """The trainings to a recorded time, λ held."""
    k, n, at = about("seeds").index(seed), about("times").index(t), settings().index((c, mu))
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
        return ended(c, mu, about("times")[0], seed)
    k, n, at = about("seeds").index(seed), about("rates").index(lr), settings().index((c, mu))
    return Ended(
        sgd=array("rate/sgd")[k, n],
        grda=array("rate/grda")[k, n, at],
        s=array("rate/s")[k, n, about("mus").index(mu)],
        lam=_lam(c, mu),
        seed=seed,
    )


def _lam(c: float, mu: float) -> float:
    return ev.strength(about("lr"), c, mu, about("times")[0])


def rival(name: str, mu: float, t: float, seed: int) -> np.ndarray:
    """Other scores at the same end of SGD's: [D]; the names are ``RIVALS``."""
    k, n = about("seeds").index(seed), about("times").index(t)
    stored = {"cut-off": "cutoff", "moving cut-off": "moving", "e^{-tH}": "decay"}.get(name, name)
    found = array(f"time/s/{stored}")[k, n]
    return found[about("mus").index(mu)] if stored == "random" else found


def ceiling(c: float, mu: float, seed: int) -> float:
    """The highest correlation that any score can have: two orders of the images, the same start."""
    k, at = about("seeds").index(seed), settings().index((c, mu))
    one = ended(c, mu, about("times")[0], seed)
    sgd, grda = array("order/sgd")[k], array("order/grda")[k, at]
    both = one.alive & (grda != 0) & (sgd != 0)
    estimates = (
        ev.score_estimates(w, moved, one.lam)[both]
        for w, moved in ((one.sgd, one.grda), (sgd, grda))
    )
    return ev.noise_ceiling(*estimates)


@cache
def over_time(c: float, mu: float) -> dict[str, np.ndarray]:
    """Evidence at every recorded time, λ held: [times, seeds] each."""
    rows = []
    for t in about("times"):
        cells = [ended(c, mu, t, seed) for seed in about("seeds")]
        found = [one.evidence() for one in cells]
        row = {
            "correlation": [e.correlation for e in found],
            "slope": [e.slope for e in found],
            "auc": [e.auc for e in found],
            "partial": [one.partial() for one in cells],
            "shuffled": [one.evidence(one.shuffled()).correlation for one in cells],
            "partial, shuffled": [one.partial(one.shuffled()) for one in cells],
            "size": [one.evidence(-np.abs(one.sgd)).correlation for one in cells],
            "size, auc": [one.evidence(-np.abs(one.sgd)).auc for one in cells],
        }
        for name in RIVALS:
            row[name] = [one.evidence(rival(name, mu, t, one.seed)).correlation for one in cells]
        rows.append(row)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def rates() -> list[float]:
    """The learning rates recorded with λ held, falling."""
    return sorted([about("lr"), *about("rates")], reverse=True)


@cache
def over_rates(c: float, mu: float) -> np.ndarray:
    """Correlation at the first time for every learning rate, λ held: [rates, seeds]."""
    return np.array(
        [
            [ended_at_rate(c, mu, lr, seed).evidence().correlation for seed in about("seeds")]
            for lr in rates()
        ]
    )
