"""Lesson 09's numbers: the recorded paths between networks, and what they say about hills.

All come from the recordings "paths" and "masks"; nothing here is typed in.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from grda_edu import recordings
from grda_edu.checks import one_of
from grda_edu.recordings import Measurements

GOAL = 0.1  # training loss that a bent path has to stay below
ABOUT = 0.02  # accuracy: as good as the ends within two points

PATHS = {  # pair of the recording -> what it is called
    "grda": "SGD → gRDA",
    "gradual": "SGD → SGD, pruned by size while it trained",
    "batches": "SGD → SGD, same start, other batches",
    "start": "SGD → SGD, another start",
    "matched": "SGD → SGD, another start, units matched",
    "grda_start": "gRDA → gRDA, another start",
    "mask": "SGD → SGD with zeros at random places",
    "magnitude": "SGD → SGD with its smallest weights cut to zero",
    "signs": "SGD → gRDA's move with random signs",
}


@cache
def paths() -> Measurements:
    """The recorded paths. RecordingError names the command that makes them again."""
    return recordings.load_measurements("paths")


MASKED = {  # end of the recording "masks" -> what it is called
    "own": "gRDA's own zeros",
    "size": "zeros where SGD's network is smallest",
    "random": "zeros at random places",
    "grda": "beside them: gRDA",
}


@cache
def masks() -> Measurements:
    """SGD with a mask from the first step on, recorded. RecordingError as of ``paths``."""
    return recordings.load_measurements("masks")


def masked(end: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Height of an end, barrier on the straight line from SGD to it, its random signs' height.

    Training losses by seed, [S] each; of the signs the median over the draws.
    """
    k = masks().configuration["ends"].index(end)
    line, chance = (masks().arrays[name][:, k].astype(float) for name in ("line", "chance"))
    return line[:, -1], line.max(axis=1) - line[:, [0, -1]].max(axis=1), np.median(chance, axis=1)


def values(pair: str, name: str) -> np.ndarray:
    """An array of one pair, in float64: of all seeds [S, …], or of the first seed alone."""
    arrays = paths().arrays
    key = f"{pair}/{name}"
    return np.asarray(arrays[key if key in arrays else f"first/{key}"], dtype=float)


def positions() -> np.ndarray:
    """Where the paths were measured: t from 0 to 1, float [T]."""
    return paths().arrays["t"]


def bends() -> np.ndarray:
    """How far the middle was moved from the straight line (0) to its trained place (1): [B]."""
    return paths().arrays["bends"]


def seeds() -> list[int]:
    """The recorded seeds."""
    return [int(seed) for seed in paths().arrays["seeds"]]


def nearest(grid: np.ndarray, value: float) -> int:
    """Position of the recorded value nearest to ``value``."""
    return int(np.abs(np.asarray(grid) - value).argmin())


def network(name: str) -> np.ndarray:
    """Weights of a recorded network of the first seed, float32 [13706]: "sgd", "grda", …"""
    return paths().arrays[f"first/weights/{name}"]


def ends(pair: str) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the two networks of a recorded pair. ValueError names the pairs there are."""
    one_of("pair", pair, PATHS)
    first, second = paths().configuration["pairs"][pair]
    return network(first), network(second)


# ------------------------------------------------- how high a path gets


MEASURES = {"loss": ("train_loss", np.max), "accuracy": ("test_accuracy", np.min)}


def worst(pair: str, path: str, what: str = "loss") -> np.ndarray:
    """The worst value on a path ("line", "curve") or of its two "ends", for each seed: [S]."""
    name, extreme = MEASURES[what]
    measured = values(pair, f"{'curve' if path == 'curve' else 'line'}_{name}")
    return extreme(measured[:, [0, -1]] if path == "ends" else measured, axis=1)


def barrier(pair: str, path: str = "line") -> np.ndarray:
    """How far the training loss on a path rises above the higher of its ends: [S], nats, ≥ 0."""
    return worst(pair, path) - worst(pair, "ends")


def half_way(pair: str) -> np.ndarray:
    """Test accuracy of the mean of the two networks' weights, for each seed: [S]."""
    return values(pair, "line_test_accuracy")[:, nearest(positions(), 0.5)]


def times_grda(pair: str, t: float) -> np.ndarray:
    """Training loss at ``t`` on the way of a pair, over that on the way to gRDA, by seed: [S]."""
    k = nearest(positions(), t)
    ours, grda = (values(p, "line_train_loss")[:, k] for p in (pair, "grda"))
    return ours / grda


def ends_by_chance(kind: str) -> np.ndarray:
    """Training loss at ends drawn by chance, over that at gRDA's end: [S, draws].

    kind: "signs" (each weight moves as far as in gRDA, up or down) or "direction".
    """
    end = values("grda", "line_train_loss")[:, -1:]
    return np.asarray(paths().arrays[f"chance/{kind}"], dtype=float) / end


def on_bend(pair: str, bend: float) -> np.ndarray:
    """Coordinates of θ on the plane: half-way between the networks at 0, the trained one at 1: [2]."""
    start, end, trained = values(pair, "corners")
    return (1 - bend) * (start + end) / 2 + bend * trained


def on_plane(pair: str, bend: float) -> np.ndarray:
    """Coordinates of the bent path at every t: [T, 2].

    The plane's corners are its two networks and the trained middle; everything in between is
    arithmetic on their coordinates, because all of these paths lie in the plane.
    """
    start, end, _ = values(pair, "corners")
    middle = on_bend(pair, bend)
    t = positions()[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end


def least_bend(pair: str = "start") -> float:
    """The smallest recorded bend from which the path stays below ``GOAL``."""
    highest = values(pair, "bend_train_loss").max(axis=1)
    (low,) = np.nonzero(highest < GOAL)
    return float(bends()[low[0]])


@cache
def steep_shares(count: int = 10) -> dict[str, float]:
    """Share ‖P d‖/‖d‖ of each move d from SGD's network in its ``count`` steepest directions.

    P projects on the top eigenvectors of the Hessian of the training loss at SGD's weights, of the
    first recorded seed. Pair -> share; takes some three seconds.
    """
    from grda_edu.data import digits
    from grda_edu.geometry.curvature import FixedLoss, share_in_subspace, top_eigenpairs
    from grda_edu.geometry.valley import put_weights
    from grda_edu.models import digits_cnn
    from grda_edu.training.device import threads_for

    data, model = digits(), digits_cnn().eval()
    put_weights(model, network("sgd"))
    with threads_for(model, data.device):
        top = top_eigenpairs(FixedLoss(model, (data.x_train, data.y_train)), count)
    shares = {}
    for pair, (first, _) in paths().configuration["pairs"].items():
        if first == "sgd":
            start, end = ends(pair)
            shares[pair] = share_in_subspace(end.astype(float) - start, top.vectors)
    return shares
