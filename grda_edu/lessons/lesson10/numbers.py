"""Lesson 10's numbers: what the recorded networks read right, way by way, and paired differences.

All come from the recordings "pruning" and "in_steps"; nothing here is typed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from grda_edu import recordings
from grda_edu.recordings import Measurements

LAST = 5  # epochs whose mean is a network's accuracy
CUT, RETRAINED, SCRATCH = "cut", "retrained", "scratch"
PROTOCOLS = {CUT: "not retrained", RETRAINED: "retrained", SCRATCH: "equal budget from scratch"}

Way = tuple[str, str]  # a group of the recording and a way in it

FROM_SCRATCH = {
    (SCRATCH, "gRDA"): "gRDA from scratch",
    (SCRATCH, "magnitude, gradual"): "gradual, from scratch",
}
BESIDE = ("magnitude", "magnitude, gradual", "gRDA", "gRDA, then its mask")
"""Retrained ways that stand beside those from scratch: 60 + 60 epochs against 120."""


@cache
def pruned() -> Measurements:
    """The recorded networks. RecordingError names the command that makes them again."""
    return recordings.load_measurements("pruning")


def seeds() -> list[int]:
    """The recorded seeds."""
    return list(pruned().configuration["seeds"])


def sparsities() -> list[float]:
    """The shares of zeros that were asked for, rising."""
    return list(pruned().configuration["sparsities"])


def epochs() -> int:
    """Of SGD before the cut, and of retraining after it."""
    return int(pruned().configuration["epochs"])


def ways(protocol: str) -> list[Way]:
    """The ways of a protocol, in the order of the recording."""
    groups = pruned().configuration["groups"]
    if protocol != SCRATCH:
        return [(protocol, way) for way in groups[protocol]]
    return [*FROM_SCRATCH, *((RETRAINED, way) for way in BESIDE)]


def name_of(way: Way) -> str:
    """What a way is called on the page."""
    return FROM_SCRATCH.get(way, way[1])


def curves(group: str, way: str) -> np.ndarray:
    """Share of the test images read right after each epoch: float [S, levels, E + 1], NaN if not made."""
    place = pruned().configuration["groups"][group].index(way)
    hits = pruned().arrays[f"{group}/test"][:, place].astype(float)
    return np.where(hits < 0, np.nan, hits) / pruned().configuration["images"]["test"]


def right(group: str, way: str) -> np.ndarray:
    """What a network reads right, mean of the last epochs: float [S, levels], NaN if not made."""
    found = curves(group, way)
    return found if group == CUT else found[..., -LAST:].mean(axis=-1)


def dense(protocol: str) -> np.ndarray:
    """The same of SGD's network without any zeros, trained as long: float [S]."""
    hits = pruned().arrays["sgd/test" if protocol == CUT else "dense/test"].astype(float)
    return hits[:, -LAST:].mean(axis=1) / pruned().configuration["images"]["test"]


def zeros(group: str, way: str) -> np.ndarray:
    """Share of all weights that are zero at the end: float [S, levels], NaN if not made."""
    place = pruned().configuration["groups"][group].index(way)
    counts = pruned().arrays[f"{group}/zeros"][:, place].astype(float)
    total = counts.sum(axis=-1) / sum(pruned().configuration["sizes"])
    return np.where(counts[..., 0] < 0, np.nan, total)


def level(sparsity: float) -> int:
    """Position of the recorded sparsity nearest to this one."""
    return int(np.abs(np.array(sparsities()) - sparsity).argmin())


# ------------------------------------------------- in pairs


def minus(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Mean over seeds of the differences, and its standard error: of two float [S]."""
    difference = (np.asarray(one) - np.asarray(other)).round(12)  # shares of whole images
    return float(difference.mean().round(12)), float(
        difference.std(ddof=1) / np.sqrt(len(difference))
    )


def ranked(protocol: str, sparsity: float) -> list[Way]:
    """The ways of a protocol from the best mean to the worst; what was not made stands last."""
    k = level(sparsity)
    means = {way: right(*way)[:, k].mean() for way in ways(protocol)}
    return sorted(means, key=lambda way: -np.nan_to_num(means[way], nan=-1.0))


def order(protocol: str, sparsity: float, asked: Sequence[str]) -> list[str]:
    """Names of ways, from the best mean to the worst."""
    return [name_of(way) for way in ranked(protocol, sparsity) if name_of(way) in asked]


def is_ahead(protocol: str, sparsity: float, one: str, other: str) -> bool:
    """Is a way ahead of another by more than two standard errors of the paired difference?"""
    k = level(sparsity)
    mean, error = minus(right(protocol, one)[:, k], right(protocol, other)[:, k])
    return mean > 2 * error


# ------------------------------------------------- mask or weights


def parts() -> list[str]:
    """gRDA, and the networks that have its mask or another of as many zeros."""
    return list(pruned().configuration["groups"]["parts"])


def part_levels() -> list[float]:
    """gRDA's share of zeros, mean over seeds, at each c that was trained."""
    found = zeros("parts", "gRDA").mean(axis=0)
    return [float(share) for share in found if not np.isnan(share)]


# ------------------------------------------------- the best epoch


def best(group: str, way: str) -> np.ndarray:
    """What the best epoch after the cut reads right on test images: float [S, levels]."""
    return curves(group, way)[..., 1:].max(axis=-1)


def flattered(group: str, way: str) -> np.ndarray:
    """What choosing the best epoch on the test images adds to the mean of the last: [S, levels]."""
    return best(group, way) - right(group, way)


# ------------------------------------------------- batch norm, and the surgeon


def batch_norm() -> np.ndarray:
    """Read right with statistics as they were and renewed: [none and all sparsities, 2]."""
    return pruned().arrays["batch_norm/test"] / pruned().configuration["images"]["test"]


def surgeon(way: str, what: str, share: float) -> np.ndarray:
    """ "obs", "steps" or "magnitude" on the small network, where ``share`` are zero: float [S]."""
    small = recordings.load_measurements("in_steps").arrays
    at = np.abs(small["small/zeros"] - share).argmin(axis=1)
    found: np.ndarray = small[f"small/{way}/{what}"][np.arange(len(at)), at]
    return found.astype(float)
