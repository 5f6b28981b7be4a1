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

PIVOT = (1.0, 0.4)  # w_SGD at the middle place: the first weight is the larger
ANGLES = [float(angle) for angle in range(-85, 95, 5)]
PLACES = [-0.4, 0.0, 0.4]
LAMS = tuple(np.linspace(0, 2.5, 51).round(12).tolist())


@cache
def valley_at(angle: float, place: float) -> Valley:
    """The valley whose floor runs at ``angle`` (degrees), with w_SGD at a place along it."""
    return line_valley(PIVOT, angle, place)


def corners(sizes: np.ndarray, speeds: np.ndarray, last: float) -> np.ndarray:
    """Where weights that shrink at these speeds per λ reach zero, between 0 and ``last``: [4]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        reached = np.where(speeds > 0, sizes / speeds, last)
    return np.sort([0.0, *reached.clip(0, last), last])


def closed_path(valley: Valley, last: float) -> tuple[np.ndarray, np.ndarray]:
    """Directional pruning from λ = 0 to ``last`` at its corners: λ [4], weights [4, 2]."""
    lams = corners(np.abs(valley.w), valley.scores, last)
    return lams, np.array([directional_pruning(valley.w, valley.scores, lam) for lam in lams])


@cache
def paths_at(angle: float, place: float) -> dict[str, np.ndarray]:
    """``pruning_paths`` over ``LAMS``, their losses ("loss of …") and moves ("move of …").

    [Λ, 2] each, losses and moves [Λ].
    """
    valley = valley_at(angle, place)
    found = pruning_paths(valley, np.array(LAMS))
    for name in METHODS:
        found[f"loss of {name}"] = valley.loss(found[name])
        found[f"move of {name}"] = np.linalg.norm(found[name] - valley.w, axis=1)
    return found


@cache
def jumps_at(angle: float, place: float) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Name of a method that jumps -> λ of its start, of its jumps and of the end [4], its weights from there on [4, 2]."""
    valley, last = valley_at(angle, place), LAMS[-1]
    found = {}
    for name, jumps in (("magnitude", np.abs(valley.w)), ("obs", surgeon_prices(valley))):
        lams = np.sort([0.0, *jumps.clip(0, last), last])
        found[name] = lams, pruning_paths(valley, lams)[name]
    return found


def race(angle: float) -> np.ndarray:
    """At which λ each weight reaches zero, from the middle place; inf where it grows: [2]."""
    return deaths(angle, 0.0)


def deaths(angle: float, place: float) -> np.ndarray:
    """At which λ each weight reaches zero, from a place on the floor; inf where it grows: [2]."""
    valley = valley_at(angle, place)
    alone = [first_zero(valley.w[k : k + 1], valley.scores[k : k + 1])[1] for k in range(2)]
    return np.array(alone)


def who_grows(j: int) -> list[float]:
    """The angles of the slider at which weight ``j`` (0 or 1) grows, from the middle place."""
    return [angle for angle in ANGLES if valley_at(angle, 0.0).scores[j] < -1e-9]


def removed_by_obs(valley: Valley, epsilon: float = 1e-3) -> int:
    """Which weight OBS removes first: 0 or 1."""
    return int(obs_pruning(valley.w, valley.H, 1, epsilon=epsilon).order[0])


# ------------------------------------------------- gRDA lands on directional pruning

RATES = (0.025, 0.05, 0.1, 0.2)  # γ
C, MU = 1.0, 0.51
TURNS = [float(angle) for angle in range(-75, 105, 15)]
REACHED = tuple(np.linspace(0.5, 3, 26).round(12).tolist())  # λ
UP_THE_SIDE = 0.9  # how far from the floor training starts


def steps_until(lam: float, lr: float) -> int:
    """The number of steps after which g(n, γ) is nearest to λ from below (at least one)."""
    return max(1, int((lam / tuning_function(1, lr, C, MU)) ** (1 / MU) + 1e-9))


@cache
def trainings(lr: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """gRDA on the valley of every turn, each from a point up its side.

    Returns the weights [V, K, 2] after K numbers of steps, these numbers [K], and SGD's [V, K, 2].
    """
    valleys = [valley_at(angle, 0.0) for angle in TURNS]
    starts = np.array([valley.w + UP_THE_SIDE * valley.sharp for valley in valleys])
    early = [*range(1, 8), *(steps_until(lam, lr) for lam in np.linspace(0.1, 0.5, 9))]
    keep = np.unique([0, *early, *(steps_until(lam, lr) for lam in REACHED)])
    return (
        grda_paths(valleys, starts, lr, C, MU, keep),
        keep,
        grda_paths(valleys, starts, lr, 0.0, MU, keep),
    )


@cache
def landing(angle: float, lr: float) -> dict[str, np.ndarray]:
    """gRDA against what is predicted, at every λ of ``REACHED`` (at the λ it truly has then).

    "grda", "directional", "floor": [Λ, 2]; "lam", "time", "gap" (distance from "floor"), "gap to
    the closed form": [Λ]; "steps": int [Λ].
    """
    weights, keep, _ = trainings(lr)
    valley = valley_at(angle, 0.0)
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
LAMS3 = tuple(np.linspace(0, 2, 41).round(12).tolist())
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
