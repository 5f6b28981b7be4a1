"""Lesson 06, momentum, weight decay, schedules: what happens with the recipe everybody uses?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
import torch
from torch.optim.lr_scheduler import MultiStepLR

from grda_edu.course import Case, Exercise, Prediction
from grda_edu.explore import Choice, Explorable, Picture, Slider, palette
from grda_edu.lessons.lesson04 import TEST_IMAGES, train_in_turns
from grda_edu.lessons.lesson06.comparisons import (
    EFFECTIVE,
    GRDAM,
    OTHER,
    PLAIN,
    RECOMPUTED,
    C,
    curves,
    drop_after,
    final,
    recipes,
    side_by_side,
    undone,
)
from grda_edu.optim import GRDA
from grda_edu.shrinkage import PowerTuning, soft_threshold, tuning_function, tuning_increment
from grda_edu.studies.recipes import CONSTANT, DROP, MU, STEP, recipe_name
from grda_edu.training.run import Run
from grda_edu.views.runs import TrainingView

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

__all__ = ["recipes", "side_by_side", "two_thresholds", "undone"]  # what the notebook draws

# ------------------------------------------------- two thresholds under a schedule

TRAININGS = {  # steps an epoch, epochs, learning rate, c, μ
    "ImageNet: 5,005 steps an epoch": (5005, 150, 0.1, 0.005, 0.51),
    "digits: 40 steps an epoch": (40, 60, 0.1, C, MU),
}
SHARES = [1 / 3, 1 / 2, 2 / 3, 14 / 15]  # of the training, before the drop


def two_thresholds() -> Explorable:
    """The accumulated and the recomputed threshold over a training whose learning rate drops."""
    return Explorable(
        _thresholds_figure,
        _two_thresholds,
        {
            "training": Choice(TRAININGS, label="training"),
            "factor": Slider(
                [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0],
                label="the drop multiplies γ by",
                format="g",
                start=0.1,
            ),
            "share": Slider(
                SHARES, label="it comes after", format=".0%", unit="of the epochs", start=14 / 15
            ),
        },
        label="Accumulated and recomputed threshold over a training whose learning rate drops",
    )


def accumulated_and_recomputed(
    n: np.ndarray, drop: int, lr: float, factor: float, c: float, mu: float
) -> tuple[np.ndarray, np.ndarray]:
    """Both thresholds after ``n`` steps when γ falls to factor·γ after ``drop`` steps.

    The sum of increments telescopes on either side of the drop.
    """
    later = lr * factor
    before, at = tuning_function(n, lr, c, mu), tuning_function(drop, lr, c, mu)
    growth = tuning_function(n, later, c, mu) - tuning_function(drop, later, c, mu)
    accumulated = np.where(n <= drop, before, at + growth)
    return accumulated, tuning_function(n, np.where(n <= drop, lr, later), c, mu)


def _thresholds_figure() -> go.Figure:
    line = {"mode": "lines", "hoverinfo": "skip"}
    return palette.figure(
        go.Scatter(name="rate", line=palette.SGD.line(), **line),
        go.Scatter(name="accumulated", line=palette.GRDA.line(3), xaxis="x2", yaxis="y2", **line),
        go.Scatter(name="recomputed", line=OTHER.line(2.5), xaxis="x2", yaxis="y2", **line),
        height=430,
        xaxis={"domain": [0, 1], "anchor": "y", "showticklabels": False},
        yaxis={"domain": [0.74, 0.93], "type": "log", "range": [-3.3, -0.7], "dtick": 1}
        | {"title_text": "γ", "tickformat": "~g"},
        xaxis2={"domain": [0, 1], "anchor": "y2", "title_text": "epoch"},
        yaxis2={
            "domain": [0, 0.6],
            "anchor": "x2",
            "title_text": "threshold g",
            "rangemode": "tozero",
        },
        annotations=[
            palette.legend(0.0, ("learning rate γ ╌╌", palette.SGD.color)),
            palette.legend(
                0.0,
                ("accumulated ━━", palette.GRDA.color),
                ("recomputed ┈┈┈", OTHER.color),
            )
            | {"y": 0.61},
        ],
    )


def _two_thresholds(
    training: tuple[int, int, float, float, float], factor: float, share: float
) -> tuple[dict, str]:
    steps, epochs, lr, c, mu = training
    last = round(share * epochs)
    drop = last * steps
    x = np.sort([*range(epochs + 1), last + 1 / steps])  # the step after the drop on its own
    n = np.rint(x * steps).astype(int)
    accumulated, recomputed = accumulated_and_recomputed(n, drop, lr, factor, c, mu)
    before, after = accumulated[n == drop][0], recomputed[n == drop + 1][0]
    row = {
        "rate.x": x,
        "rate.y": np.where(n <= drop, lr, lr * factor),
        "accumulated.x": x,
        "accumulated.y": accumulated,
        "recomputed.x": x,
        "recomputed.y": recomputed,
        "layout.xaxis.range": [0, epochs],
        "layout.xaxis2.range": [0, epochs],
        "layout.yaxis2.range": [0, 1.12 * float(max(accumulated.max(), recomputed.max()))],
        "layout.title.text": f"At the drop: recomputed {before:.3f} → {after:.3f}",
    }
    return row, (
        f"γ = {lr:g} falls to {lr * factor:g} after epoch {last} of {epochs} (c = {c:g}, μ = {mu:g}). "
        f"The accumulated threshold goes from {before:.3f} to {accumulated[-1]:.3f} by the last epoch; "
        f"the recomputed one goes from {before:.3f} to {after:.3f} at one step, "
        f"{after / before:.1%} of what it was."
    )


# ------------------------------------------------- a threshold of the learner's own

EPOCHS, DROP_AFTER, STEPS = 60, 40, 40  # of the recorded trainings; steps an epoch


def threshold_of(tuning: Callable[[int, float], float]) -> Picture:
    """A tuning function's accumulated threshold over a training with momentum, beside two of ours.

    The learning rate is that of the recorded recipes with momentum, 0.01 and then 0.001. Raises
    ValueError for a function that ``GRDA`` refuses.
    """
    row, sentence = _threshold_row(tuning)
    picture = Picture(
        _threshold_figure, label="The threshold of your tuning function over 60 epochs"
    )
    picture.show(row, sentence)
    return picture


_YOURS = {"yours": palette.GRDA, "original": OTHER, "plain": palette.TARGET}


def _threshold_figure() -> go.Figure:
    return palette.figure(
        *(
            go.Scatter(
                name=name,
                x=np.arange(EPOCHS + 1),
                mode="lines",
                line=style.line(3 if name == "yours" else 2),
                hoverinfo="skip",
            )
            for name, style in _YOURS.items()
        ),
        height=320,
        margin={"l": 64, "r": 24, "t": 76, "b": 52},
        xaxis={"title_text": "epoch", "range": [0, EPOCHS]},
        yaxis={"title_text": "threshold g", "rangemode": "tozero"},
        annotations=[
            palette.legend(
                0.0,
                ("yours ━━", palette.GRDA.color),
                ("the original g, γ = 0.01 ┈┈┈", OTHER.color),
                ("plain gRDA's, γ = 0.1 ┅┅", palette.TARGET.color),
            )
        ],
    )


def _threshold_row(tuning: Callable[[int, float], float]) -> tuple[dict, str]:
    curves = {
        "yours": _accumulated(0.01, tuning=tuning),
        "original": _accumulated(0.01, c=C, mu=MU),
        "plain": _accumulated(0.1, c=C, mu=MU),
    }
    ends = {name: curve[-1] for name, curve in curves.items()}
    row: dict[str, object] = {f"{name}.y": curve for name, curve in curves.items()}
    row["layout.title.text"] = f"Your threshold ends at {ends['yours']:.3f}"
    return row, (
        f"After {EPOCHS} epochs, the learning rate divided by 10 after epoch {DROP_AFTER}: your threshold is "
        f"{ends['yours']:.3f}, that of the original g {ends['original']:.3f}, plain gRDA's "
        f"{ends['plain']:.3f} (c = {C:g}, μ = {MU:g})."
    )


def _accumulated(lr: float, **law: Any) -> np.ndarray:
    """GRDA's own threshold before training and after each epoch: [E+1]."""
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = GRDA([weight], lr=lr, **law)
    weight.grad = torch.zeros(1)
    thresholds = [0.0]
    for epoch in range(EPOCHS):
        optimizer.param_groups[0]["lr"] = lr if epoch < DROP_AFTER else lr * DROP
        for _ in range(STEPS):
            optimizer.step()
        thresholds.append(optimizer.state[weight]["threshold"])
    return np.array(thresholds)


# ------------------------------------------------- live


MakeOptimizer = Callable[["list[nn.Parameter]"], "Optimizer"]


def live_training(
    optimizers: Mapping[str, MakeOptimizer], *, epochs: int = 60, seed: int = 0, step: bool = True
) -> TrainingView:
    """A view that trains the digits CNN with two optimizers, in turns of one epoch.

    optimizers: name -> what makes the optimizer from a list of parameters; both start at the same
    weights and see the same batches. step: divide the learning rate by 10 after two thirds.
    """

    def schedule(optimizer: Optimizer) -> MultiStepLR:
        return MultiStepLR(optimizer, [epochs * 2 // 3] if step else [], gamma=DROP)

    def job(progress: Callable, stop: threading.Event) -> dict[str, Run]:
        return train_in_turns(optimizers, epochs, seed, progress, stop, make_scheduler=schedule)

    styles = dict(zip(optimizers, (OTHER, palette.GRDA), strict=True))
    return TrainingView(
        job,
        epochs,
        label=f"Training the digits CNN live: {' and '.join(optimizers)}",
        styles=styles,
    )


# ------------------------------------------------- predictions, exercises, objectives


def share_left(factor: float, mu: float) -> float:
    """What a drop of γ leaves of a recomputed threshold: factor^(½+μ)."""
    return factor ** (0.5 + mu)


def _zeros(method: str, c: float = C, schedule: str = CONSTANT) -> float:
    return 100 * float(final("total_zeros", recipe_name(method, c, schedule)).mean())


def fate_of_zeros() -> str:
    """Which option of the first prediction the recorded runs show."""
    recipe = curves("total_zeros")[recipe_name(RECOMPUTED, C, STEP)].mean(axis=0)
    kept = recipe[drop_after() + 1] / recipe[drop_after()]
    if kept < 0.5:
        return "most of them come back to life at once"
    return "they stay" if kept > 0.95 else "a few come back"


def zeros_of_momentum() -> str:
    """Which option of the second prediction the recorded runs show."""
    ratio = _zeros(GRDAM) / _zeros(PLAIN)
    if ratio < 0.5:
        return "far fewer zeros"
    return "about as many" if ratio < 1.5 else "far more zeros"


def standard_error() -> float:
    """Of one accuracy on the 360 test images, at SGD's mean accuracy: √(p(1-p)/360)."""
    p = float(final("test_accuracy", recipe_name("SGD", 0.0, CONSTANT)).mean())
    return float(np.sqrt(p * (1 - p) / TEST_IMAGES))


def gain(method: str = EFFECTIVE, c: float = C, schedule: str = STEP) -> float:
    """Mean test accuracy of a recipe minus plain gRDA's with the same c, as fractions."""
    ours, plain = (
        final("test_accuracy", recipe_name(m, c, schedule)).mean() for m in (method, PLAIN)
    )
    return float(ours - plain)


def worth() -> str:
    """Which option of the third prediction the recorded runs show."""
    if abs(gain()) <= standard_error():
        return "a difference within one standard error"
    return "clearly more accurate" if gain() > 0 else "clearly less accurate"


PREDICTIONS = {
    "recomputed": Prediction(
        title="what a drop does to a recomputed threshold",
        question=(
            "gRDA trains with c = 0.02 and μ = 0.65. After 40 epochs the learning rate falls from 0.1 to 0.01, "
            "and somebody computes the threshold anew, as g(n, 0.01). What becomes of the zeros?"
        ),
        answer=fate_of_zeros,
        options={
            "they stay": "A weight stays at zero only while the threshold is above its accumulator.",
            "a few come back": "The formula has γ to the power ½ + μ: a tenth of γ is far less than a tenth.",
            "most of them come back to life at once": "The threshold falls below the accumulators it had covered.",
        },
        explanation=(
            "The new threshold is {left:.1f} % of the old one. In the recorded runs {before:.1f} % of the weights "
            "are zero before the drop, {after:.1f} % one epoch after it."
        ),
        values=lambda: {
            "left": 100 * share_left(0.1, MU),
            "before": 100
            * curves("total_zeros")[recipe_name(RECOMPUTED, C, STEP)].mean(axis=0)[drop_after()],
            "after": 100
            * curves("total_zeros")[recipe_name(RECOMPUTED, C, STEP)].mean(axis=0)[
                drop_after() + 1
            ],
        },
    ),
    "same_c": Prediction(
        title="what momentum does to c",
        question=(
            "gRDAM with momentum 0.9, a learning rate of 0.01 in the place of 0.1, and the original g with the "
            "same c = 0.02. How many zeros does it have after 60 epochs, beside gRDA?"
        ),
        answer=zeros_of_momentum,
        options={
            "far fewer zeros": "The accumulator moves as far as before, but the original g sees only the smaller γ.",
            "about as many": "The accumulators do move as far. The threshold does not grow as fast.",
            "far more zeros": "Momentum drives the accumulator, not the threshold.",
        },
        explanation="gRDA has {plain:.1f} % zeros, gRDAM {momentum:.1f} %.",
        values=lambda: {"plain": _zeros(PLAIN), "momentum": _zeros(GRDAM)},
    ),
    "worth_it": Prediction(
        title="whether momentum pays at equal c",
        question=(
            f"c = {C:g} and the falling learning rate. Compare gRDAM, effective step, with plain gRDA: mean test "
            "accuracy over the three seeds. The standard error of one accuracy on 360 images is about 0.7 points."
        ),
        answer=worth,
        options={
            "clearly more accurate": "That is what many expect of momentum. Look at both rows of the table.",
            "clearly less accurate": "Its curves do not fall behind. Look at both rows of the table.",
            "a difference within one standard error": "Three seeds and 360 images cannot tell the two apart.",
        },
        explanation=(
            "The difference is {difference:+.2f} points, with {ours:.1f} % zeros against {plain:.1f} %; one "
            "standard error is {error:.2f} points."
        ),
        values=lambda: {
            "difference": 100 * gain(),
            "error": 100 * standard_error(),
            "ours": _zeros(EFFECTIVE, schedule=STEP),
            "plain": _zeros(PLAIN, schedule=STEP),
        },
    ),
}


def grdam_step(w, v, b, g, n, gradient, lr, c, mu, beta, decay):
    """The solution that the learner may compare with."""
    G = gradient + decay * w
    b = beta * b + G
    v = v - lr * b
    g = g + c * lr ** (0.5 + mu) * (n**mu - (n - 1) ** mu)
    w = np.sign(v) * np.maximum(np.abs(v) - g, 0)
    return w, v, b, g


def _grdam_oracle(w, v, b, g, n, gradient, lr, c, mu, beta, decay):
    direction = beta * np.asarray(b) + gradient + decay * np.asarray(w)
    moved = np.asarray(v) - lr * direction
    threshold = g + tuning_increment(n, lr, c, mu)
    return soft_threshold(moved, threshold), moved, direction, threshold


def effective_g(n, lr, c, mu, beta):
    """The solution that the learner may compare with."""
    step = lr / (1 - beta)
    return c * step**0.5 * (n * step) ** mu


_W = np.array([0.5, 0.0, -0.3, 0.0])
_V = np.array([0.7, 0.1, -0.5, -0.15])
_B = np.array([0.2, -1.0, 0.0, 4.0])
_D = np.array([1.0, -2.0, 0.5, 0.0])

EXERCISES = {
    "effective_g": Exercise(
        title="a threshold for the effective step",
        task=(
            "Write `effective_g(n, lr, c, mu, beta)`: the original formula with γ/(1 − β) in the place of γ."
        ),
        solution=effective_g,
        oracle=lambda n, lr, c, mu, beta: PowerTuning(c, mu, beta)(n, lr),
        cases=(
            Case((1, 1.0, 0.3, 0.7, 0.0), 0.3, "Without momentum, at n = 1 and γ = 1, it is c."),
            Case((100, 0.1, 0.02, 0.65, 0.0), why="With β = 0 it is the original formula."),
            Case(
                (100, 0.01, 0.02, 0.65, 0.9),
                why="γ = 0.01 with β = 0.9 is an effective step of 0.1.",
            ),
            Case((2400, 0.05, 0.005, 0.51, 0.5), why="The time t is n effective steps long, too."),
            Case((np.arange(5), 0.01, 0.02, 0.65, 0.9), why="A whole array of step numbers works."),
        ),
        hints=(
            "Say first what the effective step is, in a line of its own.",
            "The original formula is `c * lr**0.5 * (n * lr)**mu`. γ stands in it twice.",
            "`step = lr / (1 - beta)`, then `c * step**0.5 * (n * step)**mu`.",
        ),
        done="With a fixed c, mu and beta it is a tuning function: `GRDA(…, tuning=…)` takes it.",
    ),
    "grdam_step": Exercise(
        title="one step of gRDAM",
        task=(
            "Write `grdam_step(w, v, b, g, n, gradient, lr, c, mu, beta, decay)`, step number n = 1, 2, …: "
            "return the new `w, v, b, g`."
        ),
        solution=grdam_step,
        oracle=_grdam_oracle,
        cases=lambda: [
            Case(
                (_W, _V, 0 * _B, 0.0, 1, _D, 0.1, 0.0, 0.65, 0.0, 0.0),
                why="With c, β and decay 0 this is SGD on v.",
            ),
            Case(
                (_W, _V, _B, 0.2, 7, _D, 0.1, 0.0, 0.65, 0.9, 0.0),
                why="The buffer keeps β of what it was.",
            ),
            Case(
                (_W, _V, _B, 0.2, 7, _D, 0.1, 0.0, 0.65, 0.9, 0.5),
                why="Weight decay acts on the weights w, not on v.",
            ),
            Case(
                (_W, _V, _B, 0.2, 7, _D, 0.1, 0.3, 0.65, 0.9, 0.5),
                why="The threshold grows by this step's share.",
            ),
            Case(
                (_W, _V, _B, 0.2, 900, _D, 0.001, 5.0, 0.65, 0.9, 0.5),
                why="After a drop of γ the threshold stays where it was.",
            ),
        ],
        hints=(
            "Four lines, in this order: `G`, `b`, `v`, `g`; then `w` is the soft-thresholded `v`.",
            "`G = gradient + decay * w`, `b = beta * b + G`, `v = v - lr * b`.",
            "The threshold is added to: `g = g + c * lr**(0.5 + mu) * (n**mu - (n - 1)**mu)`.",
        ),
        done="`GRDA(parameters, lr, c, mu, momentum=beta, weight_decay=decay)` does this for every tensor.",
    ),
}

OBJECTIVES = {
    "say why a threshold is accumulated under a learning-rate schedule": "recomputed",
    "say what momentum does to the meaning of c": "same_c",
    "compare recipes by what their seeds can show": "worth_it",
    "write a tuning function for the effective step": "effective_g",
    "write one step of gRDAM": "grdam_step",
}
