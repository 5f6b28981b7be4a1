"""Every recorded run at once: zeros, and the accuracy that they cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import (
    Explorable,
    Panel,
    Slider,
    axis,
    dots,
    key,
    keys,
    line,
    note,
    palette,
    panels,
    writing,
)
from grda_edu.explore.layout import box
from grda_edu.explore.writing import count, percent, points, span

from .numbers import GOAL_LOSS, GOAL_ZEROS, MU, TEST_IMAGES, C, grid

_DEEPEST = -0.06  # losses beyond it are drawn at the lower edge


def all_runs() -> Explorable:
    """Zeros against accuracy lost, one dot a run; a slider lights up the runs of one c."""
    runs = grid()
    return Explorable(
        _all_runs_figure,
        _all_runs,
        {"c": Slider(runs.c[1:].tolist(), label="c", format="g", start=C)},
        label="Every recorded run: zeros, and accuracy compared with SGD's from the same seed",
    )


def _all_runs_figure() -> go.Figure:
    runs = grid()
    error, ends = runs.standard_error(TEST_IMAGES), runs.final("test_accuracy")[0, 0]
    sgd = f"SGD, which ends<br>at {span(ends.min(), ends.max(), percent)}, by seed"
    zeros = runs.final("total_zeros")[1:].ravel()
    drawn = np.maximum(runs.minus_sgd()[1:, ..., -1], _DEEPEST).ravel()
    between = len(runs.mu) - 2
    labels: dict[str, Any] = {
        "text": [f"μ {runs.mu[0]:g}", *[""] * between, f"μ {runs.mu[-1]:g}"],
        "textfont": {"color": palette.tint(palette.GRDA.color), "size": 11},
    }
    joined: dict[str, Any] = {"mode": "lines+markers+text", "line": palette.GRDA.line(2)}
    depths = {k / 100: writing.signed(k, 0) for k in range(-5, 2)} | {_DEEPEST: "−6 or less"}
    return panels(
        Panel(
            line("SGD", palette.SGD, width=1.5, x=[-0.06, 1.02], y=[0, 0]),
            dots("all", palette.MUTED, size=5, opacity=0.45, x=zeros, y=drawn),
            dots("this c", palette.GRDA, hollow=True),
            dots("mean", palette.GRDA, size=11, outline=1.5, **joined, **labels),
            xaxis=axis("weights exactly zero", (-0.06, 1.02), share=True, zeroline=False),
            yaxis=axis(
                "accuracy minus SGD's, in points",
                (_DEEPEST - 0.01, 0.02),
                ticks=depths,
                zeroline=False,
            ),
        ),
        height=420,
        margin={"l": 80, "r": 24, "t": 40, "b": 52},
        shapes=[
            box("rgba(0,158,115,0.16)", (GOAL_ZEROS, 1.02), (-GOAL_LOSS, 0.02)),
            box(palette.BAND, y=(-error, error)),
        ],
        notes=[
            note(-0.055, -0.022, key(sgd, palette.SGD), yanchor="top", align="left"),
            note(1.01, 0.018, key("the goal", palette.DIRECTIONAL, "bar"), "right", "top"),
            note(0.12, error, f"± one standard error, {writing.decimal(100 * error, 1)} points"),
        ],
    )


def _beside(zeros: np.ndarray) -> list[str]:
    """Where each mean's words have room: the ends apart, and both inside the picture."""
    side = "left" if zeros[0] > 0.5 else "right"
    return [f"bottom {side}", *["middle center"] * (len(zeros) - 2), "top left"]


def _all_runs(c: float) -> tuple[dict, str]:
    runs = grid()
    i, _ = runs.cell(c, MU)
    seeds = len(runs.seeds)
    zeros, lost = runs.final("total_zeros")[i], runs.minus_sgd()[i, ..., -1]
    reached = runs.goal_reached(GOAL_ZEROS, GOAL_LOSS, mean=True)[i, :, -1]
    where = ", ".join(f"μ = {mu:g}" for mu in runs.mu[reached])
    row = {
        "this c.x": zeros.ravel(),
        "this c.y": np.maximum(lost, _DEEPEST).ravel(),
        "mean.x": zeros.mean(axis=1),
        "mean.y": np.maximum(lost.mean(axis=1), _DEEPEST),
        "mean.textposition": _beside(zeros.mean(axis=1)),
        "layout.title.text": keys(
            f"c = {c:g}:",
            key("single runs", palette.GRDA, "hollow"),
            key(f"mean of {count(seeds, 'seed')} at each μ", palette.GRDA, "both"),
            key("other c", palette.MUTED, "mark"),
        ),
    }
    return row, (
        f"Single runs end between {points(lost.min())} and {points(lost.max())} points of SGD; "
        f"{runs.collapsed()[i].sum()} of {lost.size} collapsed. In the mean of the seeds the goal is "
        f"reached with {where or 'no μ'}."
    )
