"""Lesson 12's questions about AdamW: a prediction, answered by a recording, and an exercise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.functional import softshrink

from grda_edu.course import Case, Exercise, Prediction
from grda_edu.explore.writing import percent
from grda_edu.lessons.lesson10.looks import with_error
from grda_edu.lessons.lesson10.numbers import minus

from .frontier_numbers import DIGITS, DUAL, WAYS, nearest, right, zeros

# ------------------------------------------------- predictions

SHARE = 0.9  # of zeros, near which it is asked
ASKED = ("gRDA", DUAL, "gradual magnitude, SGD")
_TOLD = {"gRDA": "gRDA", DUAL: "the two spaces around AdamW"} | {
    "gradual magnitude, SGD": "gradual magnitude pruning around SGD"
}
NOBODY = "no way is two standard errors ahead of the others"


def _accuracies() -> dict[str, Any]:
    return {way: right(DIGITS, nearest(DIGITS, way, SHARE)) for way in ASKED}


def who_is_ahead() -> str:
    """The way that is ahead of both others by more than two standard errors near 90% zeros, if any."""
    found = _accuracies()
    first = max(found, key=lambda way: float(found[way].mean()))
    gaps = [minus(found[first], found[way]) for way in ASKED if way != first]
    return _TOLD[first] if all(mean > 2 * error for mean, error in gaps) else NOBODY


def _ahead_words() -> dict[str, object]:
    means = "; ".join(
        f"{WAYS[way]} {percent(found.mean())} with {percent(zeros(DIGITS, nearest(DIGITS, way, SHARE)).mean())} zeros"
        for way, found in _accuracies().items()
    )
    grda, last = _accuracies()["gRDA"], _accuracies()["gradual magnitude, SGD"]
    return {"means": means, "gap": with_error(minus(last, grda))}


PREDICTIONS = {
    "around_order": Prediction(
        title="who is ahead near nine tenths zeros",
        question=(
            "The digits CNN, about nine tenths zeros, five seeds: gRDA; its two spaces around AdamW; gradual magnitude "
            "pruning around SGD, which is told how many zeros to make. Who reads most test images?"
        ),
        answer=who_is_ahead,
        options={
            "gRDA": "Its threshold has a theory.",
            "the two spaces around AdamW": "AdamW would bring what SGD lacks.",
            "gradual magnitude pruning around SGD": "It looks at sizes alone, and leaves the rest to SGD.",
            NOBODY: "Then you might take any.",
        },
        explanation="{means}. Gradual pruning minus gRDA, in pairs: {gap} points.",
        values=_ahead_words,
    ),
}

# ------------------------------------------------- the exercise


def two_spaces(begin, loss, thresholds):
    """The solution that the learner may compare with."""
    v, optimizer = begin()
    w = v.detach().clone()
    for g in thresholds:
        w.requires_grad_()
        (v.grad,) = torch.autograd.grad(loss(w), w)
        optimizer.step()
        w = softshrink(v.detach(), g)
    return w.detach()


def _by_dual_averaging(begin: Callable, loss: Callable, thresholds: list[float]) -> Any:
    """The same by ``DualAveraging``, with the thresholds as a tuning function of its own."""
    from grda_edu.optim import DualAveraging

    w, base = begin()
    grown = [0.0, *thresholds]
    optimizer = DualAveraging(base, tuning=lambda n, lr: grown[min(int(n), len(grown) - 1)])
    for _ in thresholds:
        optimizer.zero_grad()
        loss(w).backward()
        optimizer.step()
    return w.detach()


class Started:
    """``begin()`` of a case: what a torch optimizer is to move, and the optimizer."""

    def __init__(self, name: str, values: list[float], **options: float) -> None:
        self.name, self.values, self.options = name, values, options

    def __call__(self) -> tuple[torch.nn.Parameter, torch.optim.Optimizer]:
        v = torch.nn.Parameter(torch.tensor(self.values, dtype=torch.float64))
        return v, getattr(torch.optim, self.name)([v], **self.options)

    def __repr__(self) -> str:
        return f"begin with {self.name} at {self.values}"


def bowl(w: Any) -> Any:
    """(w₁ - 1)² + (w₂ - 1)² + …"""
    return ((w - 1) ** 2).sum()


def tied(w: Any) -> Any:
    """(w₁ + w₂ + … - 3)², and a little of the bowl."""
    return (w.sum() - 3) ** 2 + 0.1 * bowl(w)


def _alone(start: Started, loss: Callable, steps: int) -> Any:
    """Where the optimizer goes without any threshold."""
    w, optimizer = start()
    for _ in range(steps):
        optimizer.zero_grad()
        loss(w).backward()
        optimizer.step()
    return w.detach()


def _cases() -> tuple[Case, ...]:
    adamw = Started("AdamW", [0.5, -1.0, 0.02], lr=0.1, weight_decay=0.1)
    return (
        Case(
            (adamw, tied, [0.0] * 5),
            _alone(adamw, tied, 5),
            "Thresholds of 0: this is AdamW itself.",
        ),
        Case(
            (Started("SGD", [0.5, -1.0], lr=0.1), bowl, [0.2]),
            why="One step: the accumulator moves first, then it is thresholded.",
        ),
        Case(
            (Started("SGD", [0.05, -1.0, 2.0], lr=0.05), tied, [0.1, 0.2, 0.3, 0.4]),
            why="Around SGD this is gRDA. The gradient is taken at w, and moves v.",
        ),
        Case(
            (adamw, tied, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
            why="v is never thresholded itself: a weight that is zero goes on moving there.",
        ),
        Case((Started("RMSprop", [0.3, -0.2], lr=0.05), bowl, [0.5, 0.6]), why="Any optimizer."),
        Case((adamw, bowl, []), why="No step at all: w is where v began."),
    )


EXERCISES = {
    "two_spaces": Exercise(
        title="the two spaces around any optimizer",
        task=(
            "Write `two_spaces(begin, loss, thresholds)`: `begin()` gives the accumulator `v` and an optimizer that moves it. "
            "For each threshold `g` take the gradient of `loss(w)` at the weights `w`, let the optimizer move `v` by it, and "
            "make `w` the soft-thresholded `v`. At first `w` equals `v`. Return `w.detach()`."
        ),
        solution=two_spaces,
        oracle=_by_dual_averaging,
        cases=_cases,
        hints=(
            "The optimizer moves what it was made with, `v`, by what stands in `v.grad`.",
            "`w = v.detach().clone().requires_grad_()`, then `loss(w).backward()` leaves the gradient in `w.grad`.",
            "`v.grad = w.grad`, `optimizer.step()`, `w = softshrink(v.detach(), g).requires_grad_()`, with `softshrink` of "
            "`torch.nn.functional`.",
        ),
        done="This is `DualAveraging`. With thresholds of 0 it is the optimizer itself, bit for bit.",
        rtol=1e-9,
    ),
}

OBJECTIVES = {
    "say what the two spaces give around AdamW, and what they do not": "around_order",
    "put the two spaces around any optimizer": "two_spaces",
}
