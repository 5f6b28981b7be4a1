"""Lesson 06: the learner's own tuning function, drawn and trained live."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import MultiStepLR

from grda_edu.data import digits
from grda_edu.explore import Panel, Picture, axis, key, keys, line, palette, panels
from grda_edu.explore.writing import decimal
from grda_edu.models import digits_cnn
from grda_edu.optim import GRDA
from grda_edu.studies.recipes import DROP, MU
from grda_edu.training.run import Run
from grda_edu.training.turns import MakeOptimizer, train_in_turns
from grda_edu.views.runs import TrainingView

from .looks import OTHER
from .numbers import C

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


_LINES = {  # trace -> (its words, how it is drawn)
    "yours": ("yours", palette.GRDA),
    "original": ("the original g, γ = 0.01", OTHER),
    "plain": ("plain gRDA's, γ = 0.1", palette.TARGET),
}


def _threshold_figure() -> go.Figure:
    epochs = np.arange(EPOCHS + 1)
    return panels(
        Panel(
            *(line(name, style, x=epochs) for name, (_, style) in _LINES.items()),
            key=keys(*(key(words, style) for words, style in _LINES.values())),
            xaxis=axis("epoch", (0, EPOCHS)),
            yaxis=axis("threshold g", rangemode="tozero"),
        ),
        height=320,
        margin={"l": 64, "r": 24, "t": 76, "b": 52},
    )


def _threshold_row(tuning: Callable[[int, float], float]) -> tuple[dict, str]:
    curves = {
        "yours": _accumulated(0.01, tuning=tuning),
        "original": _accumulated(0.01, c=C, mu=MU),
        "plain": _accumulated(0.1, c=C, mu=MU),
    }
    ends = {name: decimal(curve[-1], 3) for name, curve in curves.items()}
    row: dict[str, object] = {f"{name}.y": curve for name, curve in curves.items()}
    row["layout.title.text"] = f"Your threshold ends at {ends['yours']}"
    return row, (
        f"After {EPOCHS} epochs your threshold is {ends['yours']}, that of the original g "
        f"{ends['original']}, plain gRDA's {ends['plain']}."
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
        return train_in_turns(
            digits_cnn,
            digits(),
            optimizers,
            epochs=epochs,
            seed=seed,
            progress=progress,
            stop=stop,
            make_scheduler=schedule,
        )

    styles = dict(zip(optimizers, (OTHER, palette.GRDA), strict=True))
    return TrainingView(
        job,
        epochs,
        label=f"Training the digits CNN live: {' and '.join(optimizers)}",
        styles=styles,
    )
