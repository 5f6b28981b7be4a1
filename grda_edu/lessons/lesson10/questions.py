"""Lesson 10's predictions, answered by the recording, and its exercises."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
import torch

from grda_edu.course import Case, Exercise, Prediction
from grda_edu.explore.writing import decimal, percent, points

from .looks import with_error
from .numbers import CUT, RETRAINED, SCRATCH, level, minus, order, part_levels, right

# ------------------------------------------------- predictions

CUT_AT, RETRAINED_AT, BUDGET_AT = 0.9, 0.9, 0.95
_CUT = ("magnitude", "|w·g| of one batch", "directional, steps")
_LAYERS = ("magnitude", "magnitude by layer", "random, magnitude's layers")
_MASKS = ("gRDA", "its mask, same start", "its mask, another start")
_TOLD = {  # names of the recording -> how a question says them
    "magnitude": "smallest overall",
    "|w·g| of one batch": "smallest |w·g|",
    "directional, steps": "directional in steps",
    "magnitude by layer": "smallest of each layer",
    "random, magnitude's layers": "random, same layer counts",
    "gRDA": "gRDA itself",
    "its mask, same start": "its mask, same start",
    "its mask, another start": "its mask, another start",
}
ABOUT = 0.01  # accuracies closer than one point


def in_words(names: list[str] | tuple[str, ...]) -> str:
    """An order as an option of a prediction."""
    return " > ".join(_TOLD[name] for name in names)


def _orders(names: tuple[str, ...], some: tuple[tuple[int, ...], ...] = ()) -> dict[str, str]:
    """Orders of three as options; what each would mean."""
    return {
        in_words(
            [names[k] for k in places]
        ): f"Then {_TOLD[names[places[0]]]} would be first and {_TOLD[names[places[-1]]]} last."
        for places in (some or tuple(permutations(range(len(names)))))
    }


def right_at(protocol: str, way: str, sparsity: float) -> np.ndarray:
    """[S] at a recorded sparsity."""
    return right(protocol, way)[:, level(sparsity)]


def _means(protocol: str, names: tuple[str, ...], sparsity: float) -> str:
    return "; ".join(
        f"{_TOLD[name]} {percent(float(right_at(protocol, name, sparsity).mean()))}"
        for name in names
    )


def mask_order() -> list[str]:
    """The three networks of the mask, best mean first, where the most weights are zero."""
    last = len(part_levels()) - 1
    return sorted(_MASKS, key=lambda part: -float(right("parts", part)[:, last].mean()))


def _mask_words() -> dict[str, object]:
    last = len(part_levels()) - 1
    same, other, itself = (
        right("parts", part)[:, last] for part in (_MASKS[1], _MASKS[2], _MASKS[0])
    )
    return {
        "zeros": percent(part_levels()[-1], 0),
        "other": with_error(minus(other, same)),
        "itself": with_error(minus(itself, same)),
    }


def who_wins_from_scratch() -> str:
    """gRDA of 120 epochs against SGD with retraining, by the mean over seeds."""
    ahead = minus(*_budget_pair())[0]
    if abs(ahead) < ABOUT:
        return "within one point of each other"
    return "from scratch is ahead" if ahead > 0 else "the trained network is ahead"


def _budget_pair() -> tuple[np.ndarray, np.ndarray]:
    scratch, gradual = (SCRATCH, "gRDA"), (RETRAINED, "magnitude, gradual")
    return right_at(*scratch, BUDGET_AT), right_at(*gradual, BUDGET_AT)


PREDICTIONS = {
    "cut_order": Prediction(
        title="the order without retraining",
        question=(
            "Nine of ten weights become zero, and nothing is trained afterwards. They are the smallest overall; those with the "
            "smallest |w·g|, weight times gradient on one batch; or those that directional pruning in seven steps "
            "chooses. Which order, best first?"
        ),
        answer=lambda: in_words(order(CUT, CUT_AT, _CUT)),
        options=_orders(_CUT, ((0, 2, 1), (2, 0, 1), (1, 0, 2), (1, 2, 0))),
        explanation="Read right, mean of eight seeds: {means}.",
        values=lambda: {"means": _means(CUT, _CUT, CUT_AT)},
    ),
    "retrained_order": Prediction(
        title="the order after retraining",
        question=(
            "Now every network is trained for 60 more epochs with its zeros held. Nine of ten weights are zero: the smallest "
            "overall; the smallest of each layer; or random ones, in each layer as many as the smallest overall have there. "
            "Which order, best first?"
        ),
        answer=lambda: in_words(order(RETRAINED, RETRAINED_AT, _LAYERS)),
        options=_orders(_LAYERS, ((0, 1, 2), (0, 2, 1), (1, 0, 2))),
        explanation=(
            "Read right, mean of eight seeds: {means}. Who put the last two the other way round was not far off: seed "
            "by seed they differ by {gap} points, which is a hint and no more."
        ),
        values=lambda: {
            "means": _means(RETRAINED, _LAYERS, RETRAINED_AT),
            "gap": with_error(
                minus(
                    right_at(RETRAINED, _LAYERS[2], RETRAINED_AT),
                    right_at(RETRAINED, _LAYERS[1], RETRAINED_AT),
                )
            ),
        },
    ),
    "budget": Prediction(
        title="from scratch at equal budget",
        question=(
            "120 epochs in all, 95% zeros. One network trains with SGD for 60 of them and is pruned gradually in the "
            "other 60. One trains with gRDA from scratch and never is dense. Who reads more?"
        ),
        answer=who_wins_from_scratch,
        options={
            "the trained network is ahead": "It knew all its weights before it lost any.",
            "within one point of each other": "The budget would count then, and not the way.",
            "from scratch is ahead": "It never had to forget.",
        },
        explanation=(
            "From scratch minus pruned gradually: {ahead} points, mean of eight pairs, with a standard error of {error}."
        ),
        values=lambda: dict(
            zip(
                ("ahead", "error"),
                (
                    points(minus(*_budget_pair())[0]),
                    decimal(100 * minus(*_budget_pair())[1], 1),
                ),
                strict=True,
            )
        ),
    ),
    "mask_order": Prediction(
        title="mask or weights",
        question=(
            "gRDA has trained a network to more than nine tenths zeros. Keep only its mask, put initial weights back, and "
            "train with SGD: from the same initial weights, or from others. Which order, best first?"
        ),
        answer=lambda: in_words(mask_order()),
        options=_orders(_MASKS, ((0, 1, 2), (1, 0, 2), (1, 2, 0), (0, 2, 1))),
        explanation=(
            "At {zeros} zeros, in points from the mask with its own start: gRDA itself {itself}, the mask from "
            "another start {other} (mean of eight pairs ± standard error)."
        ),
        values=_mask_words,
    ),
}

# ------------------------------------------------- exercises


def keep_k(layers, k):
    """The solution that the learner may compare with."""
    kept = []
    for w in layers:
        order = np.argsort(np.abs(w), axis=None, kind="stable")
        pruned = w.flatten()
        pruned[order[: max(w.size - k, 0)]] = 0.0
        kept.append(pruned.reshape(w.shape))
    return kept


def _keep_k_one_by_one(layers: list[np.ndarray], k: int) -> list[np.ndarray]:
    """Takes the largest that is left, k times; of equals the one further back."""
    kept = []
    for w in layers:
        left, out = [abs(v) for v in w.ravel().tolist()], np.zeros(w.size)
        for _ in range(min(k, w.size)):
            top = max(left)
            place = len(left) - 1 - left[::-1].index(top)
            out[place], left[place] = w.ravel()[place], -1.0
        kept.append(out.reshape(w.shape))
    return kept


def _keep_k_cases() -> tuple[Case, ...]:
    v = np.array
    random = np.random.default_rng(3)
    return (
        Case(
            ([v([3.0, -1.0, 0.5, -2.0])], 2),
            [v([3.0, 0.0, 0.0, -2.0])],
            "Two are kept, the largest in size: a sign makes no weight small.",
        ),
        Case(
            ([v([3.0, -1.0]), v([0.1, 0.2, 0.3])], 1),
            [v([3.0, 0.0]), v([0.0, 0.0, 0.3])],
            "k is for each layer by itself: a layer of small weights keeps as many as one of large weights.",
        ),
        Case(
            ([v([[1.0, -4.0], [2.0, 3.0]])], 3),
            [v([[0.0, -4.0], [2.0, 3.0]])],
            "The shapes stay as they are.",
        ),
        Case(
            ([v([1.0, -1.0, 1.0, 1.0])], 2),
            [v([0.0, 0.0, 1.0, 1.0])],
            "Exactly k, also where several are equal: a threshold keeps all of them or none. Of equals the first ones go.",
        ),
        Case(([v([5.0, 6.0])], 3), [v([5.0, 6.0])], "A layer of fewer than k weights keeps all."),
        Case(([v([5.0, 6.0])], 0), [v([0.0, 0.0])], "k = 0 leaves nothing: beware of w[-0:]."),
        Case(([random.normal(size=(4, 5)), random.normal(size=7)], 4), why="Two random layers."),
    )


def masked_training(begin, mask, loss, steps):
    """The solution that the learner may compare with."""
    w, optimizer = begin()
    with torch.no_grad():
        w.mul_(mask)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(w).backward()
        optimizer.step()
        with torch.no_grad():
            w.mul_(mask)
    return w.detach()


def _with_keep_zeros(begin: Callable, mask: Any, loss: Callable, steps: int) -> Any:
    """The same by ``keep_zeros``, which works on modules."""
    from grda_edu.sparse.masks import keep_zeros

    w, optimizer = begin()
    holder = torch.nn.Module()
    holder.w = w
    with torch.no_grad():
        w.mul_(mask)
    with keep_zeros(holder):
        for _ in range(steps):
            optimizer.zero_grad()
            loss(w).backward()
            optimizer.step()
    return w.detach()


class Begun:
    """``begin()`` of a case: weights and an Adam that has made some steps with them."""

    def __init__(self, values: list[float], steps: int, decay: float = 0.0) -> None:
        self.values, self.steps, self.decay = values, steps, decay

    def __call__(self) -> tuple[torch.nn.Parameter, torch.optim.Adam]:
        w = torch.nn.Parameter(torch.tensor(self.values, dtype=torch.float64))
        optimizer = torch.optim.Adam([w], lr=0.1, weight_decay=self.decay)
        for _ in range(self.steps):
            optimizer.zero_grad()
            coupled(w).backward()
            optimizer.step()
        return w, optimizer

    def __repr__(self) -> str:
        return f"begin after {self.steps} steps of Adam from {self.values}"


def bowl(w: Any) -> Any:
    """(w₁ - 1)² + (w₂ - 1)² + …"""
    return ((w - 1) ** 2).sum()


def coupled(w: Any) -> Any:
    """A valley that ties the weights to each other: (w₁ + w₂ + … - 3)² and a little of the bowl."""
    return (w.sum() - 3) ** 2 + 0.1 * bowl(w)


def _masked_cases() -> tuple[Case, ...]:
    def mask(*alive: float) -> Any:
        return torch.tensor(alive, dtype=torch.float64)

    return (
        Case(
            (Begun([0.3, 2.0], 0), mask(1, 1), bowl, 1),
            why="With everything alive this is Adam itself, one step.",
        ),
        Case(
            (Begun([0.5, 2.0], 0), mask(0, 1), bowl, 3),
            why="A weight whose mask is 0 is zero at the end.",
        ),
        Case(
            (Begun([0.5, 2.0, -1.0], 20), mask(0, 1, 0), bowl, 3),
            why="Adam remembers the gradients of before: a masked gradient alone does not stop it. Mask the weights after each step.",
        ),
        Case(
            (Begun([0.5, 2.0, -1.0], 20), mask(0, 1, 1), coupled, 12),
            why="The zeros must hold at every forward pass: a mask put on after the last step alone comes too late for the others.",
        ),
        Case(
            (Begun([0.5, 2.0, -1.0], 5), mask(1, 0, 1), coupled, 0),
            why="No step at all: the mask holds all the same.",
        ),
    )


EXERCISES = {
    "keep_k": Exercise(
        title="exactly k weights in each layer",
        task=(
            "Write `keep_k(layers, k)`: new arrays in which each layer keeps its `k` weights of largest size and the others "
            "are zero. Of equals the first ones go."
        ),
        solution=keep_k,
        oracle=_keep_k_one_by_one,
        cases=_keep_k_cases,
        hints=(
            "One layer first. Which positions have the smallest sizes? `np.argsort` sorts positions by value.",
            '`order = np.argsort(np.abs(w), axis=None, kind="stable")` lists them in the flattened array, smallest first.',
            "The first `w.size - k` of `order` become zero in `w.flatten()`; `reshape(w.shape)` brings the shape back. "
            "`max(w.size - k, 0)` minds small layers.",
        ),
        done="You need no threshold: sorting gives exactly k, whatever the weights are.",
    ),
    "masked_training": Exercise(
        title="a mask that survives Adam",
        task=(
            "Write `masked_training(begin, mask, loss, steps)`: `begin()` gives weights `w` and an Adam that has moved them "
            "before. Do `steps` steps on `loss(w)` so that `w` is zero wherever `mask` is 0, at every forward pass and at the end. Return `w.detach()`."
        ),
        solution=masked_training,
        oracle=_with_keep_zeros,
        cases=_masked_cases,
        hints=(
            "A step is `optimizer.zero_grad()`, `loss(w).backward()`, `optimizer.step()`. What does each of them do to a masked weight?",
            "`with torch.no_grad(): w.mul_(mask)` makes the zeros. It is needed before the first step and after each.",
            "Masking the gradient is not enough: Adam's moments go on moving the weight.",
        ),
        done="This is what `keep_zeros` does for every parameter of a module, under any optimizer.",
        rtol=1e-5,
    ),
}

OBJECTIVES = {
    "say which way of cutting a network survives without retraining": "cut_order",
    "say what retraining changes in that order": "retrained_order",
    "compare pruning with training sparse from scratch at equal budget": "budget",
    "tell what a mask is worth without its weights": "mask_order",
    "cut to exactly k weights in each layer": "keep_k",
    "keep zeros under an optimizer that remembers": "masked_training",
}
