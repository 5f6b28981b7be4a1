"""Lesson 05's numbers: what the recordings say about the rule, the map, stopping and flattery.

From the recordings "digits_grid" (seeds 0 to 2), "digits_held_out" (seeds 10 to 19), "mnist_grid" and
those of ``ELSEWHERE``; nothing here is typed in.
"""

from __future__ import annotations

from functools import cache
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from grda_edu import recordings
from grda_edu.recordings import RunGrid
from grda_edu.training.rules import (
    choose,
    difference_error,
    is_comparable,
    stopping_epoch,
    stopping_regret,
)

if TYPE_CHECKING:
    from grda_edu.views.probes import SearchView

MU, C = 0.51, 0.02  # the pair that the text talks about
FINAL_LOSS = 0.01  # what a finished network may lose against SGD: one point
TIGHT = 0.01  # the tolerance that one would begin with: what the finished network may lose
MARGIN = 0.05  # share of zeros: as near to the frontier counts as on it
RIVAL_MU, RIVAL_C = 0.55, C  # for which all of these are recorded; the c of who never probes
ELSEWHERE = {  # recording of a training in which the right c is another -> its words
    "digits_slow": "learning rate 0.03",
    "digits_fast": "learning rate 0.3",
    "digits_small": "the network of 1,370 weights",
    "mnist_grid": "5,000 MNIST images",
}
VALIDATION_IMAGES = {"digits": 157, "mnist5k": 512}


@cache
def developed() -> RunGrid:
    """The runs on which the rule's defaults were chosen: the digits CNN, seeds 0 to 2."""
    return recordings.load("digits_grid")


@cache
def held_out() -> RunGrid:
    """The runs that judge the rule: ten other seeds."""
    return recordings.load("digits_held_out")


@cache
def harder() -> RunGrid:
    """The larger images: 5,000 of MNIST."""
    return recordings.load("mnist_grid")


@cache
def elsewhere() -> dict[str, RunGrid]:
    """The trainings of ``ELSEWHERE``."""
    return {name: recordings.load(name) for name in ELSEWHERE}


def nearest(values: np.ndarray, value: float) -> int:
    """Position of the recorded value nearest to ``value``."""
    return int(np.abs(np.asarray(values) - value).argmin())


@cache
def curves(runs: RunGrid, name: str) -> np.ndarray:
    """``runs.curves(name)``, gathered once: [C, M, S, E+1]."""
    return runs.curves(name)


def differences(
    runs: RunGrid, mu: float, epochs: int, part: str = "val_accuracy", average: int = 1
) -> np.ndarray:
    """Accuracy minus SGD's of the same seed after some epochs, by c and seed: [C-1, S].

    average: how many seeds are averaged: column s is the mean of s and those after it, in a circle.
    """
    accuracy = curves(runs, part)[:, nearest(runs.mu, mu), :, epochs]
    own = accuracy[1:] - accuracy[:1]
    return np.mean([np.roll(own, -k, axis=1) for k in range(average)], axis=0)


def final_differences(runs: RunGrid, mu: float, average: int = 1) -> np.ndarray:
    """The same for the test images at full length: [C-1, S]."""
    return differences(runs, mu, int(runs.epoch[-1]), "test_accuracy", average)


def rule_picks(
    runs: RunGrid, mu: float, epochs: int, tolerance: float, average: int = 1
) -> np.ndarray:
    """Where the rule's c stands among ``runs.c[1:]``, from each seed: int [S]; -1 is none.

    The search of ``find_c``, with recorded accuracies in place of live probes.
    """
    steps = runs.c[1:].tolist()
    lost = differences(runs, mu, epochs, average=average)
    picks = []
    for seed in range(len(runs.seeds)):

        def comparable(c: float, seed: int = seed) -> bool:
            return is_comparable(lost[steps.index(c), seed], tolerance)

        best = choose(comparable, steps)
        picks.append(-1 if best is None else steps.index(best))
    return np.array(picks)


def greatest_at_full_length(runs: RunGrid, mu: float, average: int = 1) -> np.ndarray:
    """The greatest c within one point of SGD at full length, as positions: int [S]; -1 is none."""
    lost = final_differences(runs, mu, average)
    fine = np.vectorize(lambda x: is_comparable(x, FINAL_LOSS))(lost)
    position = np.arange(len(lost))[:, None]
    return np.where(fine, position, -1).max(axis=0)


def off_by(runs: RunGrid, mu: float, epochs: int, tolerance: float, average: int = 1) -> np.ndarray:
    """By how many steps the rule's c lies above the greatest comparable at full length: int [S]."""
    picks = rule_picks(runs, mu, epochs, tolerance, average)
    return picks - greatest_at_full_length(runs, mu, average)


def hits(runs: RunGrid, mu: float, epochs: int, tolerance: float, average: int = 1) -> int:
    """From how many seeds the rule's c is at most one step off."""
    return int((np.abs(off_by(runs, mu, epochs, tolerance, average)) <= 1).sum())


def hits_of_constant(runs: RunGrid, c: float = RIVAL_C, mu: float = RIVAL_MU) -> int:
    """From how many seeds one c for all is at most one step off."""
    right = greatest_at_full_length(runs, mu)
    return int((np.abs(nearest(runs.c[1:], c) - right) <= 1).sum())


def hits_by_chance(runs: RunGrid, mu: float = RIVAL_MU) -> float:
    """How many seeds a c drawn from all that were recorded serves on average."""
    right = greatest_at_full_length(runs, mu)
    return float(np.mean([(np.abs(k - right) <= 1).sum() for k in range(len(runs.c) - 1)]))


def outcome(runs: RunGrid, picks: np.ndarray, mu: float = RIVAL_MU) -> tuple[float, float]:
    """Zeros and test accuracy minus SGD's at full length with each seed's pick [S], means."""
    seeds = np.arange(len(picks))
    zeros = runs.final("total_zeros")[picks + 1, nearest(runs.mu, mu), seeds]
    lost = np.vstack([np.zeros(len(seeds)), final_differences(runs, mu)])[picks + 1, seeds]
    return float(zeros.mean()), float(lost.mean())


def probe_error(runs: RunGrid, mu: float, epochs: int) -> float:
    """Standard error of the difference of two probes on the validation images, at SGD's accuracy."""
    p = float(curves(runs, "val_accuracy")[0, nearest(runs.mu, mu), :, epochs].mean())
    return difference_error(p, p, VALIDATION_IMAGES[runs.configuration["data"]])


def means(runs: RunGrid) -> tuple[np.ndarray, np.ndarray]:
    """Zeros and test accuracy minus SGD's, at full length, means over the seeds: [C-1, M] each."""
    lost = runs.minus_sgd()[1:, :, :, -1]
    return runs.final("total_zeros")[1:].mean(axis=2), lost.mean(axis=2)


def gap(runs: RunGrid, c: float, mu: float) -> float:
    """How many more zeros another recorded pair has that is no less accurate, in shares.

    Means over the seeds at full length; 0 on the frontier.
    """
    zeros, lost = means(runs)
    i, j = nearest(runs.c, c) - 1, nearest(runs.mu, mu)
    as_good = lost >= lost[i, j] - 1e-9
    return float(max(0.0, zeros[as_good].max() - zeros[i, j]))


def frontier(runs: RunGrid) -> np.ndarray:
    """Positions (c, mu) of the pairs with which no other pair keeps up in both: int [K, 2].

    In order of their zeros. "Keeps up": at least as many zeros and at least the accuracy, in the
    mean over the seeds, and more of one of them.
    """
    zeros, lost = means(runs)
    best = [
        (i, j)
        for i, j in np.ndindex(*zeros.shape)
        if not (
            (zeros >= zeros[i, j])
            & (lost >= lost[i, j] - 1e-9)
            & ((zeros > zeros[i, j]) | (lost > lost[i, j] + 1e-9))
        ).any()
    ]
    return np.array(sorted(best, key=lambda cell: zeros[cell]))


def mean_difference(epochs: int, part: str) -> float:
    """Of the text's pair (C, MU) against SGD, mean over the seeds of the developed grid."""
    runs = developed()
    return float(differences(runs, MU, epochs, part)[nearest(runs.c, C) - 1].mean())


def chosen(search: SearchView | None) -> tuple[float, float]:
    """The recorded (c, μ) nearest to what a search found; (C, MU) as long as it found none."""
    answer = None if search is None else search.answer
    if search is None or answer is None or answer.c is None:
        return C, MU
    runs = developed()
    distance = np.abs(np.log(runs.c[1:] / answer.c))
    return float(runs.c[1:][distance.argmin()]), float(
        runs.mu[nearest(runs.mu, search.probes[0].mu)]
    )


def stops(runs: RunGrid, c: float, mu: float, patience: int, tolerance: float) -> np.ndarray:
    """The epoch at which the rule stops each seed's training: int [S]."""
    traces = curves(runs, "val_accuracy")[nearest(runs.c, c), nearest(runs.mu, mu)]
    return np.array([stopping_epoch(trace, patience, tolerance) for trace in traces])


def regrets(
    runs: RunGrid, c: float, mu: float, patience: int, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Test accuracy and zeros that stopping loses against the end, by seed: [S] each, shares."""
    epochs = stops(runs, c, mu, patience, tolerance)
    pairs = [
        stopping_regret(runs.run(c, mu, int(seed)), int(epoch))
        for seed, epoch in zip(runs.seeds, epochs, strict=True)
    ]
    accuracy, zeros = np.array(pairs).T
    return accuracy, zeros


def runs_tried() -> int:
    """How many (c, μ) a seed was recorded with, SGD not counted."""
    return (len(held_out().c) - 1) * len(held_out().mu)


def best_of(values: np.ndarray, by: np.ndarray, tried: int) -> float:
    """The mean of ``values`` at the largest ``by``, over all choices of ``tried`` of the runs.

    values, by: [R]. Exact: the run of rank r is the best of C(r, tried-1) of the C(R, tried)
    choices. Runs that are equally good in ``by`` count as their mean.
    """
    order = np.argsort(by, kind="stable")
    tied = np.array([values[by == level].mean() for level in by[order]])
    weights = np.array([comb(rank, tried - 1) for rank in range(len(by))], dtype=float)
    return float((weights * tied).sum() / comb(len(by), tried))


def _best_epochs(test: np.ndarray, by: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each run the test accuracy at its best epoch by ``by`` (the first), and that best: [R]."""
    epoch = by.argmax(axis=1)
    runs = np.arange(len(by))
    return test[runs, epoch], by[runs, epoch]


@cache
def flattered(stopping_too: bool) -> tuple[np.ndarray, np.ndarray]:
    """Test accuracy of the best of 1, 2, … runs, chosen on test and on validation: [N] each.

    Means over the ten seeds. A run is one (c, μ) of a seed, at full length, or at its best epoch by
    the same images if ``stopping_too``.
    """
    runs = held_out()
    test, val = (curves(runs, name)[1:] for name in ("test_accuracy", "val_accuracy"))
    by_test: list[list[float]] = []
    by_val: list[list[float]] = []
    for seed in range(len(runs.seeds)):
        t, v = (x[:, :, seed, 1:].reshape(runs_tried(), -1) for x in (test, val))
        if not stopping_too:
            t, v = t[:, -1:], v[:, -1:]
        for by, found in ((t, by_test), (v, by_val)):
            values, best = _best_epochs(t, by)
            found.append([best_of(values, best, n) for n in range(1, runs_tried() + 1)])
    return np.mean(by_test, axis=0), np.mean(by_val, axis=0)
