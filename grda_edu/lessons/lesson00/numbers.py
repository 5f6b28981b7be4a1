"""What the recordings of lesson 00 say."""

from __future__ import annotations

from functools import cache

import numpy as np

from grda_edu.recordings import Measurements, RunGrid, load, load_measurements
from grda_edu.training.run import Run

METHODS = ("sgd", "grda")
LAST = "fc2.weight"  # the layer whose wires are drawn


@cache
def opening() -> RunGrid:
    """The recorded pair of runs, SGD (c = 0) and gRDA, from the same weights on the same batches."""
    return load("opening")


@cache
def runs() -> dict[str, Run]:
    """The run of each of ``METHODS``."""
    grid = opening()
    mu, seed = float(grid.mu[0]), int(grid.seeds[0])
    return {name: grid.run(float(c), mu, seed) for name, c in zip(METHODS, grid.c, strict=True)}


@cache
def cut() -> Measurements:
    """The loss on the plane through the start and both ends, and the two paths on it."""
    return load_measurements("opening_valley")


def on_cut(name: str) -> np.ndarray:
    """An array of the recorded cut, in float64: "loss" [B, A], "sgd/place" [E+1, 2], …"""
    return np.asarray(cut().arrays[name], dtype=float)


def revived(run: Run, epoch: int) -> int:
    """How many of the last layer's wires are alive at ``epoch`` and were zero in a picture before."""
    was_zero = [run.snapshots[k][LAST] == 0 for k in run.snapshots if k < epoch]
    alive = run.snapshots[epoch][LAST] != 0
    return int((np.any(was_zero, axis=0) & alive).sum()) if was_zero else 0


def at_the_end() -> dict[str, float]:
    """gRDA's zeros (percent, count, of how many) and the points of accuracy that they cost."""
    run = runs()["grda"]
    return {
        "zeros": 100 * float(run.total_zeros[-1]),
        "count": int(run.zeros[-1].sum()),
        "size": int(run.sizes.sum()),
        "lost": 100 * float(runs()["sgd"].test_accuracy[-1] - run.test_accuracy[-1]),
    }
