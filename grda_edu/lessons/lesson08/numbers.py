"""Lesson 08's numbers from the recording "theorem", where all eigenvectors were taken (numpy only)."""

from __future__ import annotations

from functools import cache

import numpy as np

from grda_edu.geometry.evidence import Match, controls, strength

from . import finite
from .moves import Ended
from .recorded import Recording

THEOREM, BUDGET = Recording("theorem"), Recording("equal_budget")
array, about = THEOREM.array, THEOREM.about
SETTINGS = ((0.005, 0.51), (0.02, 0.51), (0.02, 0.7))  # the pairs (c, μ) that the text talks about


def seeds() -> list[int]:
    return list(about("seeds"))


def cutoffs() -> list[float]:
    return list(about("cutoffs"))


@cache
def pairs() -> list[tuple[float, float]]:
    """The recorded (c, μ), in the order in which they are stored."""
    return [(c, mu) for mu in about("mu") for c in about("c")]


def end() -> int:
    """Which of the recorded times is t, where the trainings are compared."""
    return list(about("times")).index(about("t"))


@cache
def ended(c: float, mu: float, seed: int, cutoff: float | None = None) -> Ended:
    """The recorded pair of trainings, with the scores of a recorded cut-off, the main one if none is given.

    Raises ValueError for a pair that was not recorded.
    """
    k, place = seeds().index(seed), pairs().index((c, mu))
    return Ended(
        sgd=array("path")[k, end()],
        grda=array("grda")[k, place],
        s=array("s")[k, at(cutoffs(), about("main_cutoff") if cutoff is None else cutoff)],
        lam=strength(about("lr"), c, mu, about("t")),
        seed=seed,
    )


@cache
def by_cutoff(c: float, mu: float) -> dict[str, np.ndarray]:
    """What depends on the cut-off: [cut-offs, seeds] each."""
    cells = [[ended(c, mu, seed, cut) for seed in seeds()] for cut in cutoffs()]
    return {
        "correlation": np.array([[one.evidence().correlation for one in row] for row in cells]),
        "cosine": np.array([[one.match(one.directional()).cosine for one in row] for row in cells]),
        "share": np.array([[one.s.mean() for one in row] for row in cells]),
        "rank": array("rank").T / cells[0][0].s.size,
    }


# ------------------------------------------------- the ladder

RUNGS = {  # name -> words; from what knows least to gRDA
    "identity": "control: P₀ = I, the same λ",
    "constant": "control: s constant",
    "shuffled": "control: s shuffled",
    "random": "control: a random P₀",
    "soft": "control: soft, gRDA's zeros",
    "directional": "1  closed form",
    "flat": "2  ℓ1 on the floor, w<sub>flat</sub>",
    "finite": "3  closed form, finite time",
    "twin": "4  quadratic twin",
    "path": "5  twin along SGD's path",
    "gRDA": "gRDA itself",
}


@cache
def ladder_of(c: float, mu: float) -> dict[str, np.ndarray]:
    """Cosine of the moves, overlap of the zeros, training loss: [rungs, seeds] each."""
    found = [[_match(name, c, mu, seed) for seed in seeds()] for name in RUNGS]
    return {
        "cosine": np.array([[one.cosine for one in row] for row in found]),
        "overlap": np.array([[one.overlap for one in row] for row in found]),
        "loss": np.array([[train_loss(name, c, mu, seed) for seed in seeds()] for name in RUNGS]),
    }


def predicted(name: str, c: float, mu: float, seed: int) -> np.ndarray:
    """The weights of a rung or control: [D]; not of "finite", which has a recording of its own."""
    one, k = ended(c, mu, seed), seeds().index(seed)
    if name == "gRDA":
        return one.grda
    if name == "directional":
        return one.directional()
    stored = {"flat": "flat", "twin": "twin", "path": "along"}
    if name in stored:
        return array(stored[name])[k, pairs().index((c, mu))]
    return controls(one.sgd, one.grda, one.s, array("s_random")[k], one.lam, seed)[name]


def _match(name: str, c: float, mu: float, seed: int) -> Match:
    if name == "finite":  # the same trainings, recorded once more with these scores
        one = finite.ended(c, mu, about("t"), seed)
        return one.match(one.directional())
    return ended(c, mu, seed).match(predicted(name, c, mu, seed))


def train_loss(name: str, c: float, mu: float, seed: int) -> float:
    """The recorded training loss of a rung or control."""
    if name == "finite":
        place = [tuple(pair) for pair in BUDGET.about("pairs")].index((c, mu))
        return float(BUDGET.array("rung/loss")[BUDGET.about("seeds").index(seed), place])
    here = seeds().index(seed), pairs().index((c, mu)), about("losses").index(name)
    return float(array("losses")[here])


def shares(name: str, c: float, mu: float, k: int) -> np.ndarray:
    """Share of a recorded move in the top-k eigenspace of its own time: [seeds, times but the first]."""
    return array(f"shares/{name}")[:, :, pairs().index((c, mu)), k - 1]


def at(values: list[float], value: float) -> int:
    """The place of the nearest."""
    return int(np.abs(np.asarray(values) - value).argmin())
