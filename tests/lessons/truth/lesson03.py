"""Lesson 03: thresholds from their formula, gRDA trained cell by cell, Lasso's path by LARS."""

from __future__ import annotations

from functools import cache

import numpy as np
from sklearn.linear_model import lars_path

from grda_edu.explore import palette
from grda_edu.lessons import lesson03
from grda_edu.toy import regression
from lessons.truth import Case, hollow, look

SIZE = 0.1  # of the flat weight
C = [0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50]  # of the map
MU = [0.51, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9]
LR, STEPS, TRUE, FALSE, NOISE = 0.02, 3000, 10, 190, 0.5
FLAT = palette.ZERO._replace(dash="dot")
CROSS = palette.Style(palette.INK, "dot", "x")
SECOND = palette.GRDA._replace(dash="dot")


def g(n, lr: float, c: float, mu: float):
    """The threshold after n steps."""
    return c * np.sqrt(lr) * np.exp(mu * np.log(np.multiply(n, lr)))


# ------------------------------------------------- the threshold

LAST = 100_000


def fate(c: float, mu: float, lr: float) -> list:
    """The first step at which the threshold is there, looked for among all."""
    if c == 0:
        return ["never dies"]
    there = g(np.arange(1, LAST + 1), lr, c, mu) >= SIZE - 1e-13
    if not there.any():
        return ["lives for more than", LAST]
    return ["dies at step", 1 + int(there.argmax())]


def says_threshold(other: tuple[float, float, float], c: float, mu: float, lr: float) -> dict:
    death = [*fate(c, mu, lr), "with the other setting", *fate(*other)]
    if c == 0:
        return {
            "sentence": [0, "zero at every step", "This is SGD", *death],
            "title": [0, "no threshold"],
            "notes[0]": [1],
            "notes[1]": [SIZE],
        }
    first, last = (float(f"{height:.1e}") for height in g([1, LAST], lr, c, mu))  # 56,000
    heights = [first, "after step", 1, last, "after step", LAST]
    return {
        "sentence": [*heights, *death],
        "title": [c, lr, "n", lr, mu],
        "notes[0]": [1],
        "notes[1]": [SIZE],
    }


THRESHOLD = Case(
    "threshold",
    lesson03.threshold,
    says_threshold,
    looks={
        "weight": FLAT,
        "other": palette.TARGET,
        "mine": palette.BAND_EDGE,
        "one": palette.BAND_EDGE._replace(symbol="diamond"),
        "other dies": hollow(palette.style_of(palette.TARGET.color)),
        "mine dies": palette.ZERO,
    },
    keys={
        "notes[0]": {
            "your sliders": "mine",
            "compared with": "other",
            "time t = nγ = #": "one",
            "reaches the weight": "mine dies",
        },
        "notes[1]": {"a flat weight of size #": "weight"},
    },
    positions=[
        {"c": 1e-4, "mu": 0.5, "lr": 0.001},
        {"other": (0.0005, 0.51, 0.1), "c": 0.05, "mu": 0.65, "lr": 0.02},
        {"other": (0.005, 0.55, 0.1), "c": 0.5, "mu": 0.9, "lr": 1.0},
    ],
)


# ------------------------------------------------- the regression


@cache
def problem(draw: int) -> regression.Regression:
    return regression.sparse_regression(draw)


@cache
def trained(draw: int, c: float, mu: float) -> dict[int, np.ndarray]:
    """Step -> weights, of one training by itself."""
    made, order = problem(draw), np.random.default_rng(draw)
    v, w, waiting, weights = made.start, made.start, [], {}
    for n in range(1, STEPS + 1):
        waiting = waiting or order.permutation(len(made.y)).tolist()
        batch, waiting = waiting[:10], waiting[10:]
        off = made.x[batch] @ w - made.y[batch]
        v = v - LR * off @ made.x[batch] / len(batch)
        w = np.sign(v) * np.maximum(np.abs(v) - g(n, LR, c, mu), 0)
        weights[n] = w
    return weights


def counts(w: np.ndarray, draw: int) -> tuple[int, int]:
    """True and false weights alive."""
    truth = problem(draw).truth
    return np.count_nonzero(w[truth != 0]), np.count_nonzero(w[truth == 0])


def error(w: np.ndarray, draw: int) -> float:
    truth = problem(draw).truth
    return float(np.sqrt(((w - truth) ** 2).sum() / (truth**2).sum()))


@cache
def lassos_best(draw: int) -> tuple[list, list]:
    """(false, error) with the fewest false weights, and with the least error, on Lasso's path."""
    made = problem(draw)
    knots, _, weights = lars_path(made.x, made.y, method="lasso")
    lambdas = knots[0] * np.geomspace(1, 1e-3, 200)
    path = [[np.interp(-at, -knots, w) for w in weights] for at in lambdas]
    scores = [
        (*counts(np.array(w), draw), error(np.array(w), draw)) for w in path
    ]  # true, false, error
    few = min((false, off) for true, false, off in scores if true == TRUE)
    close = min(scores, key=lambda score: score[2])
    return list(few), list(close[1:])


# ------------------------------------------------- one training over time


def says_training(step: float, c: float, mu: float) -> dict:
    w = trained(1, c, mu)[int(step)]
    true, false = counts(w, 1)
    zeros = TRUE + FALSE - true - false
    off = np.hypot(np.linalg.norm(w - problem(1).truth), NOISE)
    return {
        "sentence": [
            *([] if c else ["This is SGD"]),
            *(zeros, TRUE + FALSE, "exactly zero", false, FALSE),
            *("others is alive" if false == 1 else "others are alive", off, NOISE),
        ],
        "title": [true, TRUE, false, "false one" if false == 1 else "false ones", zeros],
        "notes[1]": [FALSE],
    }


TRAINING = Case(
    "training",
    lesson03.training,
    says_training,
    looks={
        "truth": look(
            palette.Style(palette.INK, "solid", "line-ew"), **{"marker.line.color": palette.INK}
        ),
        "found": palette.GRDA,
        "lost": palette.ZERO,
        "false": CROSS,
        "zero": palette.ZERO,
        "true alive": palette.GRDA,
        "others alive": CROSS,
        "true now": palette.GRDA,
        "others now": CROSS,
        "SGD": palette.SGD,
        "Lasso": palette.TARGET,
        "new": palette.GRDA,
        "old": SECOND,
        "new now": palette.GRDA,
        "shapes[0]": palette.MUTED,
    },
    keys={
        "notes[0]": {"truth": "truth", "found": "found"},
        "notes[1]": {"false": "false", "zero": "zero"},
        "notes[2]": {"true ones": "true alive", "others": "others alive"},
        "notes[3]": {
            "new data": "new",
            "training data": "old",
            "SGD": "SGD",
            "Lasso’s best": "Lasso",
        },
        "notes[4]": {"noise": "shapes[0]"},
    },
    positions=[
        {"step": 600, "c": 50.0},
        {"c": 50.0},
        {"step": 300, "c": 5.0, "mu": 0.7},
        {"c": 10.0, "mu": 0.9},
    ],
)


# ------------------------------------------------- the map


def says_map(draw: int, c: float, mu: float) -> dict:
    w = trained(draw, c, mu)[STEPS]
    (true, false), off = counts(w, draw), error(w, draw)
    few, close = lassos_best(draw)
    ticks = {f"xaxis{n}.ticktext": C[::4] for n in ("", 2)} | {
        f"yaxis{n}.ticktext": MU for n in ("", 2)
    }
    return ticks | {
        "sentence": [
            *(STEPS, g(STEPS, LR, c, mu)),
            *("fewest false weights", *few, "least error", *close),
        ],
        "title": [false, "weight" if false == 1 else "weights", true, TRUE, "error", off],
        "xaxis3.title": [60],
    }


@cache
def fewest(draw: int) -> int:
    """The fewest false weights of the map among trainings that find all true ones."""
    weights = lesson03.result(draw).weights[-1, 1:].reshape(len(C) * len(MU), -1)
    every = [counts(w, draw) for w in weights]  # a cell of them is trained again at each position
    return min(false for true, false in every if true == TRUE)


GRDA_HERE = hollow(palette.GRDA)
KNOB_MAP = Case(
    "knob_map",
    lesson03.knob_map,
    says_map,
    looks={f"{field}": palette.FIELD for field in ("false weights", "error")}
    | {f"{mark}{n}": palette.HALO for mark in ("edge", "level under") for n in ("", " 2")}
    | {f"here under{n}": hollow(palette.style_of(palette.HALO)) for n in ("", " 2")}
    | {f"level{n}": palette.GRDA._replace(dash="dash") for n in ("", " 2")}
    | {f"here{n}": GRDA_HERE for n in ("", " 2", " 3")}
    | {
        "runs": palette.GRDA,
        "runs that lost": palette.ZERO._replace(symbol="x"),
        "Lasso": palette.TARGET,
        "Lasso's best": palette.TARGET,
    },
    keys={
        "notes[2]": {
            "gRDA, all ten found": "runs",
            "some lost": "runs that lost",
            "Lasso and its two best": ("Lasso", "Lasso's best"),
            "your c and μ": "here 3",
        }
    },
    positions=[
        {"c": 15.0, "mu": 0.55},
        {"draw": 2, "c": 15.0, "mu": 0.55},
        {"draw": 0, "c": 30.0, "mu": 0.51},
        {"draw": 0, "c": 5.0},
    ],
    reaches=lambda draw, c, mu: [counts(trained(draw, c, mu)[STEPS], draw) == (TRUE, fewest(draw))],
)


# ------------------------------------------------- a learning rate that changes


def says_schedule(lr: float, at: int) -> dict:
    c, mu, first = 0.02, 0.65, 0.1  # lesson 04's network
    heights = [0.0]
    for n in range(1, 60 * 40 + 1):
        rate = first if n <= at else lr
        heights.append(heights[-1] + c * rate ** (0.5 + mu) * (n**mu - (n - 1) ** mu))
    said = {"title": [first, at, lr], "notes[1]": [SIZE]}
    if lr == first:
        return said | {"sentence": ["stays", first, "the same", heights[-1]]}
    before, jump = g(at, first, c, mu), g(at + 1, lr, c, mu)
    undone = [SIZE, "alive again"] if jump < SIZE <= before else []
    changes = [at, before, "Added up", heights[-1], "Recomputed", jump]
    return said | {"sentence": [*changes, "a step later", *undone]}


SCHEDULE = Case(
    "schedule",
    lesson03.schedule,
    says_schedule,
    looks={
        "weight": FLAT,
        "recomputed": palette.TARGET,
        "added up": palette.BAND_EDGE,
    },
    keys={
        "notes[0]": {"added up": "added up", "recomputed": "recomputed"},
        "notes[1]": {"a flat weight of size #": "weight"},
    },
    positions=[{"lr": 0.1}, {"at": 700}, {"lr": 0.02, "at": 800}],
)

CASES = [THRESHOLD, TRAINING, KNOB_MAP, SCHEDULE]
