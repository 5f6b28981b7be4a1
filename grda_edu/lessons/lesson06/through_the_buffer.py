"""Lesson 06: one gradient on its way through the momentum buffer."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import (
    Explorable,
    Panel,
    Slider,
    axis,
    bars,
    dots,
    key,
    keys,
    line,
    palette,
    panels,
)
from grda_edu.explore.writing import count, decimal, percent

STEPS = np.arange(41)  # since the gradient came
BETAS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95)


def one_gradient() -> Explorable:
    """What the buffer holds of one gradient, and how far it has moved v, step by step."""
    return Explorable(
        _figure,
        _row,
        {
            "beta": Slider(list(BETAS), label="momentum β", format="g", start=0.9),
            "step": Slider(
                STEPS.tolist(), label="steps since", format=".0f", start=10, play=True, seconds=5.0
            ),
        },
        label="One gradient in the momentum buffer, and how far it moves the accumulator",
    )


def _figure() -> go.Figure:
    time = axis("steps since the gradient came", (-0.8, STEPS[-1] + 0.8), zeroline=False)
    return panels(
        Panel(
            bars("buffer", palette.MUTED, x=STEPS, width=0.7),
            x=(0, 0.45),
            title="Left of it in the buffer b",
            xaxis=time,
            yaxis=axis(share=True, range=(0, 1.05)),
        ),
        Panel(
            line("in all", palette.TARGET, width=2, x=[-0.8, STEPS[-1] + 0.8]),
            line("moved", palette.GRDA, x=STEPS, line_shape="hv"),
            dots("here", palette.GRDA, size=11, outline=2, cliponaxis=False),
            x=(0.57, 1),
            title="How far v has moved, in γ",
            key=keys(key("so far", palette.GRDA), key("in all: 1/(1 − β)", palette.TARGET)),
            xaxis=time,
            yaxis=axis(range=(0, 21)),
        ),
        height=330,
        margin={"l": 52, "r": 16, "t": 76, "b": 52},
    )


def _row(beta: float, step: float) -> tuple[dict[str, object], str]:
    left = beta ** STEPS.astype(float)
    moved, come = np.cumsum(left), step >= STEPS
    now, in_all = moved[int(step)], 1 / (1 - beta)
    row: dict[str, object] = {
        "buffer.y": np.where(come, left, 0.0),
        "moved.y": np.where(come, moved, np.nan),
        "here.x": [step],
        "here.y": [now],
        "in all.y": [in_all, in_all],
        "layout.title.text": f"β = {beta:g}: one gradient moves v by {in_all:.3g} γ in all",
    }
    return row, (
        f"{count(int(step), 'step')} after the gradient came the buffer holds {percent(left[int(step)], 0)} of it, and "
        f"it has moved v by {decimal(now, 1)} γ."
    )
