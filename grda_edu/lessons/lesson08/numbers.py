"""Lesson 08's numbers: what the recording "theorem" holds, and what is computed from it (numpy only)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from grda_edu import recordings
from grda_edu.geometry.evidence import (
    Evidence,
    Match,
    controls,
    evidence_of,
    score_estimates,
    strength,
)
from grda_edu.geometry.evidence import match as match_of
from grda_edu.geometry.evidence import shuffled as dealt_anew
from grda_edu.geometry.pruning import directional_pruning

SETTINGS = ((0.005, 0.51), (0.02, 0.51), (0.02, 0.7))  # the pairs (c, μ) that the text talks about
LAYERS = {"conv.weight": (8, 1, 3, 3), "conv.bias": (8,), "fc.weight": (10, 128), "fc.bias": (10,)}


@cache
def recorded() -> recordings.Measurements:
    """The recording. RecordingError names the command that repairs it."""
    return recordings.load_measurements("theorem")


@cache
def array(name: str) -> np.ndarray:
    """One of its arrays, in double precision."""
    stored = recorded().arrays[name]
    return stored.astype(np.float64) if stored.dtype.kind == "f" else stored


def about(name: str) -> Any:
    """One of the study's settings."""
    return recorded().configuration[name]


def seeds() -> list[int]:
    return list(about("seeds"))


def cutoffs() -> list[float]:
    return list(about("cutoffs"))


def lrs() -> list[float]:
    """The recorded learning rates, falling."""
    return list(about("lrs"))


@cache
def pairs() -> list[tuple[float, float]]:
    """The (c, μ) recorded at the main rate, in the order in which they are stored."""
    return [(c, mu) for mu in about("mu") for c in about("c")]


@cache
def pairs_elsewhere(lr: float) -> list[tuple[float, float]]:
    """The (c, μ) recorded at another rate: those with the same c, then those with the same λ."""
    factor = (about("main_lr") / lr) ** 0.5
    fixed = [(c, mu) for mu in about("mu") for c in about("fixed_c")]
    return fixed + [(c * factor, mu) for c, mu in about("held")]


@dataclass(frozen=True, eq=False)
class Ended:
    """Where SGD and gRDA ended, from the same weights on the same batches: vectors [D]."""

    sgd: np.ndarray
    grda: np.ndarray
    lam: float  # λ = c √γ t^μ
    s: np.ndarray  # scores for every cut-off: [cut-offs, D]
    rank: np.ndarray  # of P0 for every cut-off
    random: np.ndarray  # scores of a random subspace, as large as the main cut-off's
    seed: int

    def score(self, cutoff: float | None = None) -> np.ndarray:
        """Direction scores [D] for a recorded cut-off, the main one if none is given."""
        return self.s[at(cutoffs(), about("main_cutoff") if cutoff is None else cutoff)]

    def evidence(self, cutoff: float | None = None) -> Evidence:
        return self.evidence_of(self.score(cutoff))

    def shuffled(self, cutoff: float | None = None) -> Evidence:
        """The same with the scores dealt out anew."""
        return self.evidence_of(dealt_anew(self.score(cutoff), self.seed))

    def shuffled_in_layers(self) -> Evidence:
        """A stricter control: every layer keeps its scores, dealt out anew among its own weights."""
        parts = layers(self.score()).values()
        dealt = [dealt_anew(part.ravel(), self.seed + k) for k, part in enumerate(parts)]
        return self.evidence_of(np.concatenate(dealt))

    def outgoing(self) -> Evidence:
        """The evidence of the outgoing weights alone, fc.weight."""
        s, sgd, grda = (layers(w)["fc.weight"].ravel() for w in (self.score(), self.sgd, self.grda))
        return evidence_of(s, sgd, grda, self.lam)

    def directional(self, cutoff: float | None = None, factor: float = 1.0) -> np.ndarray:
        """w_DP at ``factor`` times λ: [D]."""
        return directional_pruning(self.sgd, self.score(cutoff), factor * self.lam)

    def predictions(self, factor: float = 1.0) -> dict[str, np.ndarray]:
        """Directional pruning and the controls, at ``factor`` times λ."""
        made = controls(
            self.sgd, self.grda, self.score(), self.random, factor * self.lam, self.seed
        )
        return {"directional": self.directional(factor=factor), **made}

    def match(self, predicted: np.ndarray) -> Match:
        return match_of(predicted, self.sgd, self.grda, self.lam)

    def estimates(self) -> np.ndarray:
        """ŝ, the scores that gRDA's move speaks of: [D], NaN where a weight is zero."""
        alive = (self.grda != 0) & (self.sgd != 0)
        return np.where(alive, score_estimates(self.sgd, self.grda, self.lam), np.nan)

    def scores(self) -> dict[str, np.ndarray | None]:
        """The scores behind each prediction; None where all weights have the same."""
        return {
            "directional": self.score(),
            "identity": None,
            "soft": None,
            "random": self.random,
            "shuffled": dealt_anew(self.score(), self.seed),
            "constant": None,
        }

    def evidence_of(self, s: np.ndarray) -> Evidence:
        """What any scores [D] explain of gRDA's move."""
        return evidence_of(s, self.sgd, self.grda, self.lam)

    @property
    def zeros(self) -> float:
        return float((self.grda == 0).mean())


@cache
def ended(c: float, mu: float, seed: int, lr: float | None = None, *, held: bool = False) -> Ended:
    """The recorded pair of trainings at time t. ``held``: with c ∝ γ^(-1/2), the same λ for all γ.

    c is always the c at the main rate. Raises ValueError for a pair that was not recorded.
    """
    main, k = about("main_lr"), seeds().index(seed)
    lr = main if lr is None else lr
    if lr == main:
        return _ended("", (k,), pairs().index((c, mu)), (lr, c, mu), about("t"), seed)
    if held:
        place = len(pairs_elsewhere(lr)) - len(about("held"))
        place += [tuple(pair) for pair in about("held")].index((c, mu))
    else:
        place = pairs_elsewhere(lr).index((c, mu))
    here = ([rate for rate in lrs() if rate != main].index(lr), k)
    used = pairs_elsewhere(lr)[place]
    return _ended("rates/", here, place, (lr, *used), about("t"), seed)


@cache
def ended_later(c: float, mu: float, seed: int) -> Ended:
    """The pair of trainings at the main rate at twice the time."""
    k, later = seeds().index(seed), about("times")[-1]
    setting = (about("main_lr"), c, mu)
    return _ended("", (k,), pairs().index((c, mu)), setting, later, seed, "/later")


def _ended(
    prefix: str,
    here: tuple[int, ...],
    place: int,
    setting: tuple[float, float, float],
    t: float,
    seed: int,
    suffix: str = "",
) -> Ended:
    if suffix:
        sgd = array("path")[(*here, -1)]
    else:
        sgd = array("path")[(*here, _end())] if not prefix else array("rates/sgd")[here]
    return Ended(
        sgd=sgd,
        grda=array(f"{prefix}grda{suffix}")[(*here, place)],
        lam=strength(*setting, t),
        s=array(f"{prefix}s{suffix}")[here],
        rank=array(f"{prefix}rank{suffix}")[here],
        random=array(f"{prefix}s_random{suffix}")[here],
        seed=seed,
    )


def _end() -> int:
    """Which of the recorded times is t."""
    return list(about("times")).index(about("t"))


def rung(name: str, c: float, mu: float, seed: int) -> np.ndarray:
    """A recorded prediction at the main rate: "flat", "twin" or "along" (the path twin), [D]."""
    return array(name)[seeds().index(seed), pairs().index((c, mu))]


def train_loss(name: str, c: float, mu: float, seed: int) -> float:
    """A recorded training loss at the main rate; the names are those of the study's ``losses``."""
    return float(
        array("losses")[seeds().index(seed), pairs().index((c, mu)), about("losses").index(name)]
    )


# ------------------------------------------------- what the figures show


def evidence_rows() -> list[dict[str, Any]]:
    """For each setting of the text the evidence of every seed, with s and with two shuffles of it."""
    rows = []
    for c, mu in SETTINGS:
        cells = [ended(c, mu, s) for s in seeds()]
        rows.append(
            {
                "c": c,
                "mu": mu,
                "zeros": float(np.mean([one.zeros for one in cells])),
                "found": [one.evidence() for one in cells],
                "outgoing": [one.outgoing() for one in cells],
                "shuffled": [one.shuffled() for one in cells],
                "in layers": [one.shuffled_in_layers() for one in cells],
            }
        )
    return rows


def worked_weight() -> int:
    """The survivor with the most negative score."""
    one = ended(*SETTINGS[0], seeds()[0])
    return int(np.where(one.grda != 0, one.score(), np.inf).argmin())


@cache
def along_gamma(c: float, mu: float, cutoff: float) -> dict[str, np.ndarray]:
    """What becomes of the match as γ falls: [rates + 1, seeds], the last row t doubled at the main rate.

    NaN in "correlation, λ held" where that was not recorded.
    """
    rows = []
    for lr in [*lrs(), None]:
        cells = [ended(c, mu, s, lr) if lr else ended_later(c, mu, s) for s in seeds()]
        held = [np.nan] * len(cells)
        if lr and [c, mu] in about("held"):
            held = [ended(c, mu, s, lr, held=True).evidence(cutoff).correlation for s in seeds()]
        found = [one.evidence(cutoff) for one in cells]
        rows.append(
            {
                "correlation, c fixed": [e.correlation for e in found],
                "correlation, λ held": held,
                "correlation, s shuffled": [one.shuffled(cutoff).correlation for one in cells],
                "cosine, directional": [one.match(one.directional(cutoff)).cosine for one in cells],
                "cosine, soft": [one.match(one.predictions()["soft"]).cosine for one in cells],
                "grew, s < 0": [e.grew_where_negative for e in found],
                "grew, s > 0": [e.grew_where_positive for e in found],
            }
        )
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


PRICED = ("gRDA", "directional at zeros", "magnitude", "soft")  # losses at equal zeros


@cache
def priced(seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Zeros of gRDA, rising, and each network's training loss there; geometric means for seed -1."""
    of = seeds() if seed < 0 else [seed]
    zeros = np.array([[ended(*pair, s).zeros for s in of] for pair in pairs()]).mean(axis=1)
    order = np.argsort(zeros)
    losses = {
        name: np.array([[train_loss(name, *pair, s) for s in of] for pair in pairs()])
        for name in PRICED
    }
    return zeros[order], {n: np.exp(np.log(v).mean(axis=1))[order] for n, v in losses.items()}


def crossover(seed: int) -> float:
    """The share of zeros from which on gRDA's loss stays below magnitude pruning's; NaN if never."""
    zeros, losses = priced(seed)
    wins = losses["gRDA"] < losses["magnitude"]
    from_here = np.logical_and.accumulate(wins[::-1])[::-1]
    return float(zeros[from_here][0]) if from_here.any() else np.nan


RUNGS = {  # name of the recorded loss -> words; from what knows least to gRDA
    "identity": "control: P₀ = I, the same λ",
    "constant": "control: s constant",
    "shuffled": "control: s shuffled",
    "random": "control: a random P₀",
    "soft": "control: soft, gRDA's zeros",
    "directional": "1  closed form",
    "flat": "2  ℓ1 on the floor, w<sub>flat</sub>",
    "twin": "3  quadratic twin",
    "path": "4  twin along SGD's path",
    "gRDA": "gRDA itself",
}


@cache
def ladder_of(c: float, mu: float) -> dict[str, np.ndarray]:
    """Cosine of the moves, overlap of the zeros, training loss: [rungs, seeds] each."""
    found = [[ended(c, mu, s).match(predicted(name, c, mu, s)) for s in seeds()] for name in RUNGS]
    return {
        "cosine": np.array([[one.cosine for one in row] for row in found]),
        "overlap": np.array([[one.overlap for one in row] for row in found]),
        "loss": np.array([[train_loss(name, c, mu, s) for s in seeds()] for name in RUNGS]),
    }


def predicted(name: str, c: float, mu: float, seed: int) -> np.ndarray:
    """The weights of a rung or control at the main rate: [D]."""
    one = ended(c, mu, seed)
    if name == "gRDA":
        return one.grda
    recorded_as = {"flat": "flat", "twin": "twin", "path": "along"}
    if name in recorded_as:
        return rung(recorded_as[name], c, mu, seed)
    return one.predictions()[name]


def shares(name: str, c: float, mu: float, k: int) -> np.ndarray:
    """Share of a recorded move in the top-k eigenspace of its own time: [seeds, times but the first]."""
    return array(f"shares/{name}")[:, :, pairs().index((c, mu)), k - 1]


# ------------------------------------------------- vectors and places


def at(values: list[float], value: float) -> int:
    """The place of the nearest."""
    return int(np.abs(np.asarray(values) - value).argmin())


def layers(w: np.ndarray) -> dict[str, np.ndarray]:
    """A vector of all weights as the network's tensors."""
    sizes = [int(np.prod(shape)) for shape in LAYERS.values()]
    parts = np.split(w, np.cumsum(sizes)[:-1])
    return {n: p.reshape(shape) for (n, shape), p in zip(LAYERS.items(), parts, strict=True)}
