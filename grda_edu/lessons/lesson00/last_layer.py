"""Lesson 00's second figure: a network that loses its wires."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import (
    Choice,
    Explorable,
    Panel,
    Slider,
    axis,
    coloured,
    dots,
    line,
    palette,
    panels,
    writing,
)

from .curves import NAMES, curves_panel, curves_row
from .numbers import LAST, opening, revived, runs

OUTPUTS, HIDDEN = 10, 64  # the last layer's shape


def wires_figure() -> Explorable:
    """The last layer's wires and both curves, epoch by epoch."""
    epochs = [int(epoch) for epoch in opening().picture_epochs]
    return Explorable(
        _figure,
        _wires,
        {
            "trained": Choice({"gRDA": "grda", "SGD": "sgd"}, label="trained with"),
            "epoch": Slider(epochs, label="epoch", format=".0f", play=True),
        },
        label="The last layer's wires, the accuracy and the share of zeros during training",
    )


def _figure() -> go.Figure:
    digits = [str(digit) for digit in range(OUTPUTS)]
    named: dict[str, Any] = {"mode": "markers+text", "textposition": "middle right", "text": digits}
    ends = np.tile([0.0, 1.0, np.nan], OUTPUTS * HIDDEN)
    layer = Panel(
        line("wires", palette.INK, width=0.8, opacity=0.6, x=ends),
        dots("hidden", palette.MUTED, size=5, x=np.zeros(HIDDEN), y=_height(HIDDEN)),
        dots("digits", palette.MUTED, x=np.ones(OUTPUTS), y=_height(OUTPUTS), **named),
        x=(0, 0.44),
        key=coloured(f"{HIDDEN} units, {OUTPUTS} digits", palette.MUTED),
        xaxis=axis(range=(-0.06, 1.16), hidden=True),
        yaxis=axis(range=(-0.03, 1.06), hidden=True),
    )
    return panels(layer, curves_panel(0.56, "zeros of gRDA"), height=430)


def _height(count: int) -> np.ndarray:
    """Heights of ``count`` cells in a column, the first on top: float [count]."""
    return np.linspace(1, 0, count)


def wires(weights: np.ndarray) -> np.ndarray:
    """Heights of the ends of the wires that are not zero; zeros are gaps.

    weights: [outputs, hidden]. Returns 3 numbers a wire: begin, end, gap: float [3·outputs·hidden].
    """
    outputs, hidden = weights.shape
    ends = np.full((outputs, hidden, 3), np.nan)
    ends[..., 0] = _height(hidden)[None, :]
    ends[..., 1] = _height(outputs)[:, None]
    return np.where(weights[..., None] != 0, ends, np.nan).ravel()


def _wires(trained: str, epoch: float) -> tuple[dict[str, object], str]:
    run, k = runs()[trained], int(epoch)
    weights = run.snapshots[k][LAST]
    largest = int(np.argmax(run.sizes))
    alive, back = np.count_nonzero(weights), revived(run, k)
    zeros, right = writing.percent(run.total_zeros[k]), writing.percent(run.test_accuracy[k])
    inside = writing.percent(run.zeros[k, largest] / run.sizes[largest])
    came_back = f", {back} of them back from zero" if back else ""
    row = curves_row(k, trained) | {
        "wires.y": wires(weights),
        "layout.title.text": f"{NAMES[trained]}, epoch {k}: {zeros} zeros, {right} right",
    }
    return row, (
        f"{NAMES[trained]}: {zeros} of all weights are exactly zero, {inside} of those in the largest "
        f"layer. The last layer keeps {alive} of {weights.size} wires{came_back}. "
        f"{right} of the test images are read right."
    )
