"""Lesson 07's numbers: the valley at each angle, where each method goes in it, and gRDA's way."""

from __future__ import annotations

from functools import cache

import numpy as np

from grda_edu.geometry.pruning import directional_pruning, obs_pruning
from grda_edu.shrinkage import tuning_function
from grda_edu.toy.flat_valley import (
    METHODS,
    Valley,
    first_zero,
    floor_l1,
    grda_paths,
    line_valley,
    pruning_paths,
    surgeon_prices,
)

# ------------------------------------------------- two weights

W_SGD = (1.0, 0.4)  # the first weight is the larger
TURNED_BY = [float(angle) for angle in range(-87, 93, 3)]  # by hand, in small steps
ANGLES = [float(angle) for angle in range(-85, 95, 5)]
TO_THE_TIP = tuple(
    np.linspace(0, 1, 101).round(12).tolist()
)  # λ of the first figure: at 1 an arrow ends
LAMS = tuple(np.linspace(0, 2.5, 126).round(12).tolist())


@cache
def valley_at(angle: float) -> Valley:
    """The valley whose floor runs through ``W_SGD`` at ``angle`` (degrees)."""
    return line_valley(W_SGD, angle)


def corners(sizes: np.ndarray, speeds: np.ndarray, last: float) -> np.ndarray:
    """Where weights that shrink at these speeds per λ reach zero, between 0 and ``last``: [4]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        reached = np.where(speeds > 0, sizes / speeds, last)
    return np.sort([0.0, *reached.clip(0, last), last])


def straight_path(valley: Valley, speeds: np.ndarray, last: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights that shrink at ``speeds`` [2] per λ and stop at zero, from λ = 0 to ``last``.

    Its corners: λ [4], weights [4, 2]. The scores are directional pruning's speeds, ones are
    soft-thresholding's.
    """
    lams = corners(np.abs(valley.w), speeds, last)
    return lams, np.array([directional_pruning(valley.w, speeds, lam) for lam in lams])


@cache
def both_ways(angle: float) -> dict[str, np.ndarray]:
    """Straight on along the "wish" and, stopped at zero, along its "shadow", at λ of ``TO_THE_TIP``.

    [Λ, 2] each, and "loss of …" [Λ].
    """
    valley, lams = valley_at(angle), np.array(TO_THE_TIP)
    found = {
        "wish": valley.w - lams[:, None] * np.sign(valley.w),
        "shadow": np.array([directional_pruning(valley.w, valley.scores, lam) for lam in lams]),
    }
    return found | {f"loss of {name}": valley.loss(way) for name, way in found.items()}


@cache
def paths_at(angle: float) -> dict[str, np.ndarray]:
    """``pruning_paths`` over ``LAMS``, their losses ("loss of …") and moves ("move of …").

    [Λ, 2] each, losses and moves [Λ].
    """
    valley = valley_at(angle)
    found = pruning_paths(valley, np.array(LAMS))
    for name in METHODS:
        found[f"loss of {name}"] = valley.loss(found[name])
        found[f"move of {name}"] = np.linalg.norm(found[name] - valley.w, axis=1)
    return found


@cache
def jumps_at(angle: float) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Name of a method that jumps -> λ of its start, of its jumps and of the end [4], its weights from there on [4, 2]."""
    valley, last = valley_at(angle), LAMS[-1]
    found = {}
    for name, jumps in (("magnitude", np.abs(valley.w)), ("obs", surgeon_prices(valley))):
        lams = np.sort([0.0, *jumps.clip(0, last), last])
        found[name] = lams, pruning_paths(valley, lams)[name]
    return found


def race(angle: float) -> np.ndarray:
    """At which λ each weight reaches zero; inf where it grows: [2]."""
    valley = valley_at(angle)
    alone = [first_zero(valley.w[k : k + 1], valley.scores[k : k + 1])[1] for k in range(2)]
    return np.array(alone)


def who_grows(j: int) -> list[float]:
    """The angles of the slider at which weight ``j`` (0 or 1) grows."""
    return [angle for angle in TURNED_BY if valley_at(angle).scores[j] < -1e-9]


def removed_by_obs(valley: Valley, epsilon: float = 1e-3) -> int:
    """Which weight OBS removes first: 0 or 1."""
    return int(obs_pruning(valley.w, valley.H, 1, epsilon=epsilon).order[0])


# ------------------------------------------------- gRDA lands on directional pruning

RATES = (0.025, 0.05, 0.1, 0.2)  # γ
C, MU = 1.0, 0.51
TURNS = [float(angle) for angle in range(-75, 105, 30)]
REACHED = tuple(np.linspace(0, 2.4, 121).round(12).tolist())  # λ
EARLY = range(9)  # steps down the side, each drawn
UP_THE_SIDE = 0.9  # how far from the floor training starts


def steps_until(lam: float, lr: float) -> int:
    """The number of steps after which g(n, γ) is nearest to λ from below."""
    return int((lam / tuning_function(1, lr, C, MU)) ** (1 / MU) + 1e-9)


@cache
def trainings(lr: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """gRDA on the valley of every turn, each from a point up its side.

    Returns the weights [V, K, 2] after K numbers of steps, these numbers [K], and SGD's [V, K, 2].
    """
    valleys = [valley_at(angle) for angle in TURNS]
    starts = np.array([valley.w + UP_THE_SIDE * valley.sharp for valley in valleys])
    keep = np.unique([*EARLY, *(steps_until(lam, lr) for lam in REACHED)])
    return (
        grda_paths(valleys, starts, lr, C, MU, keep),
        keep,
        grda_paths(valleys, starts, lr, 0.0, MU, keep),
    )


def way_drawn(lr: float) -> np.ndarray:
    """The steps at which a path is drawn through a point: dense down the side, then evenly in λ."""
    return np.unique([*EARLY, *(steps_until(lam, lr) for lam in REACHED[::5])])


@cache
def landing(angle: float, lr: float) -> dict[str, np.ndarray]:
    """gRDA against what is predicted, at every λ of ``REACHED`` (at the λ it truly has then).

    "grda", "directional", "floor": [Λ, 2]; "lam", "time", "gap" (distance from "floor"), "gap to
    the closed form": [Λ]; "steps": int [Λ].
    """
    weights, keep, _ = trainings(lr)
    valley = valley_at(angle)
    steps = np.array([steps_until(lam, lr) for lam in REACHED])
    lams = tuning_function(steps, lr, C, MU)
    grda = weights[TURNS.index(angle), np.searchsorted(keep, steps)]
    closed = np.array([directional_pruning(valley.w, valley.scores, lam) for lam in lams])
    floor = np.array([floor_l1(valley, lam) for lam in lams])
    return {
        "grda": grda,
        "directional": closed,
        "floor": floor,
        "lam": lams,
        "steps": steps,
        "time": steps * lr,
        "gap": np.linalg.norm(grda - floor, axis=1),
        "gap to the closed form": np.linalg.norm(grda - closed, axis=1),
    }


# ------------------------------------------------- three weights

POINT = np.array([1.0, 0.55, 0.75])
TILTS = [float(angle) for angle in range(-40, 50, 10)]
LAMS3 = tuple(np.linspace(0, 2, 101).round(12).tolist())
_ALONG = np.array([0.6, 0.8, 0.0])  # lies in the floor at every tilt


def plane_valley(tilt: float) -> Valley:
    """Three weights, one sharp direction: the floor is a plane, which ``tilt`` (degrees) turns."""
    turn = np.deg2rad(tilt)
    sharp = np.array([np.sin(turn) * 0.8, -np.sin(turn) * 0.6, np.cos(turn)])
    return Valley(POINT, sharp)


@cache
def plane_paths(tilt: float) -> dict[str, np.ndarray]:
    """``pruning_paths`` in the plane's valley over ``LAMS3``: [Λ, 3] each."""
    return pruning_paths(plane_valley(tilt), np.array(LAMS3))


def plane_corners(valley: Valley) -> np.ndarray:
    """A square piece of the floor around w_SGD: [4, 3]."""
    other = np.cross(valley.sharp, _ALONG)
    return np.array(
        [POINT + 1.1 * (a * _ALONG + b * other) for a, b in [(1, 1), (1, -1), (-1, -1), (-1, 1)]]
    )
