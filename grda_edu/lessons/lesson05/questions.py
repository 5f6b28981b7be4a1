"""Lesson 05's predictions, exercise and objectives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from grda_edu.course import Case, Exercise, Prediction
from grda_edu.explore.writing import decimal, points

from .numbers import (
    FINAL_LOSS,
    MU,
    TIGHT,
    C,
    developed,
    held_out,
    mean_difference,
    off_by,
    probe_error,
    regrets,
    stops,
)


def fate_of_early_cost() -> str:
    """Which of the prediction's options the recording shows."""
    early = mean_difference(5, "val_accuracy")
    final = mean_difference(int(developed().epoch[-1]), "test_accuracy")
    if final > -FINAL_LOSS:
        return "within one point of each other"
    return "still about as far apart" if final > 1.5 * early else "further apart than before"


def tight_rule() -> str:
    """Where the rule lands from most held-out seeds, with one point of tolerance and 5 epochs."""
    off = off_by(held_out(), MU, 5, TIGHT)
    counts = {
        "too small a c": int((off < -1).sum()),
        "a c within one step of the greatest good one": int((np.abs(off) <= 1).sum()),
        "too large a c": int((off > 1).sum()),
    }
    return max(counts, key=counts.__getitem__)


def _tight_values() -> dict[str, object]:
    runs = held_out()
    off = off_by(runs, MU, 5, TIGHT)
    return {
        "small": int((off < -1).sum()),
        "hit": int((np.abs(off) <= 1).sum()),
        "large": int((off > 1).sum()),
        "error": decimal(100 * probe_error(runs, MU, 5), 1),
    }


PATIENCE, STOP_TOLERANCE = 5, 0.005


def zeros_after_stop() -> str:
    """Which of the prediction's options the ten held-out seeds show at (C, MU)."""
    _, fewer = regrets(held_out(), C, MU, PATIENCE, STOP_TOLERANCE)
    if abs(fewer.mean()) < 0.02:
        return "they have settled too"
    return "they go on growing" if fewer.mean() > 0 else "they fall"


def _stop_values() -> dict[str, str]:
    accuracy, fewer = regrets(held_out(), C, MU, PATIENCE, STOP_TOLERANCE)
    epochs = stops(held_out(), C, MU, PATIENCE, STOP_TOLERANCE)
    return {
        "epoch": decimal(epochs.mean(), 0),
        "accuracy": points(accuracy.mean()),
        "zeros": points(fewer.mean()),
    }


PREDICTIONS = {
    "early_cost": Prediction(
        title="what becomes of an early loss",
        question=(
            f"The digits CNN with c = {C:g}, μ = {MU:g}. After five epochs gRDA reads clearly fewer images than "
            "SGD. How far apart are the two after 60 epochs?"
        ),
        answer=fate_of_early_cost,
        options={
            "further apart than before": "The threshold does go on growing. But so do the weights that are needed.",
            "still about as far apart": "That would make the early accuracy a good forecast. It is not.",
            "within one point of each other": "The weights that are needed are pushed out in time.",
        },
        explanation=(
            "After five epochs: {early} points on the validation images. After 60: {final} points on the "
            "test images. Means over three seeds."
        ),
        values=lambda: {
            "early": points(mean_difference(5, "val_accuracy")),
            "final": points(mean_difference(int(developed().epoch[-1]), "test_accuracy")),
        },
    ),
    "tight": Prediction(
        title="what a tight tolerance does",
        question=(
            "In the end you would let gRDA lose one point against SGD. So you search with five epochs a probe and a "
            "tolerance of one point. What do you get from most seeds?"
        ),
        answer=tight_rule,
        options={
            "too small a c": "Early on, even a c that is fine in the end costs more than one point.",
            "a c within one step of the greatest good one": "It would, if early and late losses were the same.",
            "too large a c": "For that the loss would have to come late. Here it comes early, and heals.",
        },
        explanation=(
            "Of ten seeds, {small} get too small a c, {hit} are within one step, {large} get too large a one. Besides, "
            "one point is less than the standard error of such a difference, {error} points."
        ),
        values=_tight_values,
    ),
    "zeros_at_stop": Prediction(
        title="what zeros do when accuracy has settled",
        question=(
            f"c = {C:g}, μ = {MU:g}. You stop when validation accuracy has not risen by more than half a point for "
            "five epochs. What would the zeros do if you went on?"
        ),
        answer=zeros_after_stop,
        options={
            "they have settled too": "The authors saw that on large tasks. Here the threshold is still on its way.",
            "they go on growing": "The threshold grows with every step, whether accuracy still rises or not.",
            "they fall": "On ImageNet the authors saw them fall slowly. Not here.",
        },
        explanation=(
            "The rule stops after {epoch} epochs on average. Going on to epoch 60 brings {accuracy} points of "
            "test accuracy and {zeros} points of zeros. Means over ten seeds."
        ),
        values=_stop_values,
    ),
}


def greatest_c(probe, sgd, tolerance, cs):  # without types: its source is shown to learners
    """The solution that the learner may compare with."""
    best = None
    for c in cs:
        if not probe(c) >= sgd - tolerance:
            break
        best = c
    return best


def _probe(name: str, accuracies: dict[float, float]) -> Callable[[float], float]:
    """A stand-in for a training: accuracy by c."""

    def probe(c: float) -> float:
        return accuracies[c]

    probe.__name__ = name
    return probe


def _by_counting(
    probe: Callable[[float], float], sgd: float, tolerance: float, cs: Sequence[float]
) -> float | None:
    fine = np.array([probe(c) for c in cs]) >= sgd - tolerance
    count = int(np.logical_and.accumulate(fine).sum())
    return cs[count - 1] if count else None


def _cases() -> list[Case]:
    cs = [0.001, 0.01, 0.02, 0.05]

    def case(name: str, accuracies: Sequence[float], why: str, tolerance: float = 0.125) -> Case:
        return Case(
            (_probe(name, dict(zip(cs, accuracies, strict=True))), 0.75, tolerance, cs), why=why
        )

    return [
        case("falls_after_0_02", [0.76, 0.74, 0.7, 0.1], "Three are within the tolerance."),
        case(
            "just_within_at_0_02",
            [0.75, 0.75, 0.625, 0.6],
            "A loss of exactly the tolerance is still comparable.",
        ),
        case(
            "never_falls", [0.75, 0.8, 0.7, 0.7], "All are comparable: the largest that was tried."
        ),
        case("falls_at_once", [0.5, 0.4, 0.3, 0.1], "Even the smallest c is too large: None."),
        case(
            "diverges_at_0_05",
            [0.75, 0.75, 0.75, float("nan")],
            "A probe that diverged (NaN) is not comparable. Every comparison with NaN is False.",
        ),
        case(
            "lucky_at_0_05",
            [0.75, 0.74, 0.3, 0.7],
            "Beyond the first c that is not comparable nothing is tried: a later one was lucky.",
        ),
        case(
            "beats_sgd_at_0_01",
            [0.76, 0.95, 0.7, 0.1],
            "A c with which gRDA is better than SGD is comparable too: only a loss counts.",
        ),
        case("no_tolerance", [0.76, 0.75, 0.74, 0.7], "With a tolerance of 0.", tolerance=0.0),
    ]


EXERCISES = {
    "greatest_c": Exercise(
        title="the search for c",
        task=(
            "Write `greatest_c(probe, sgd, tolerance, cs)`: try the values of `cs`, which rise, one after the other, as "
            "long as `probe(c)` is at least `sgd - tolerance`. Return the last that was, or None."
        ),
        solution=greatest_c,
        oracle=_by_counting,
        cases=_cases,
        hints=(
            "Begin with `best = None` and go through `cs` with a loop. When do you leave it?",
            "`if not probe(c) >= sgd - tolerance: break`. Written this way, NaN ends the search too.",
            "After that line, still in the loop: `best = c`. After the loop: `return best`.",
        ),
        done="`find_c` asks the same question. It takes larger leaps, because every probe is a training.",
    ),
}


OBJECTIVES = {
    "say what an early loss of accuracy tells about the end": "early_cost",
    "choose a tolerance for short probes": "tight",
    "say what stopping early costs": "zeros_at_stop",
    "write the search for the greatest comparable c": "greatest_c",
}
