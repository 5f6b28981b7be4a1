"""Lesson 05: the epochs at which the second rule stops, and what stopping loses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import veiled
from grda_edu.explore import (
    Choice,
    Explorable,
    Panel,
    Slider,
    axis,
    dots,
    key,
    keys,
    line,
    palette,
    panels,
)
from grda_edu.explore.writing import count, decimal, points
from grda_edu.recordings import RunGrid
from grda_edu.training.rules import in_points

from .numbers import (
    MU,
    C,
    curves,
    held_out,
    nearest,
    stops,
)

MEAN = palette.Style(palette.INK, "solid", "cross")
BEYOND = MEAN._replace(symbol="triangle-up")  # drawn at the edge, for it lies further out
_SEED_BEYOND = palette.GRDA._replace(symbol=BEYOND.symbol)
_LEAST = 0.8  # accuracies below it are drawn at the edge
_MOST_ZEROS, _MOST_LOST = 0.6, 0.12  # and so are losses beyond these


@veiled("05.zeros_at_stop")
def stopping() -> Explorable:
    """Recorded traces, the epochs at which the rule stops, and what that loses against the end."""
    runs = held_out()
    cells = [(C, MU), (0.005, MU), (0.03, MU), (C, 0.65)]
    return Explorable(
        lambda: _stopping_figure(runs),
        _Stopping(runs),
        {
            "cell": Choice({f"c = {c:g}, μ = {m:g}": (c, m) for c, m in cells}, label="run with"),
            "patience": Slider(list(range(1, 21)), label="patience", format=_epochs, start=5),
            "tolerance": Slider(
                [0.0, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05],
                label="tolerance",
                format=in_points,
                start=0.005,
            ),
        },
        label="When to stop: validation accuracy and zeros of ten seeds, and what stopping loses",
    )


def _epochs(patience: float) -> str:
    return count(int(patience), "epoch")


def _stopping_figure(runs: RunGrid) -> go.Figure:
    end = int(runs.epoch[-1])
    accuracies = {_LEAST: f"≤ {_LEAST:.0%}"} | {k / 100: f"{k}%" for k in (85, 90, 95, 100)}
    return panels(
        Panel(
            *_traces("accuracy", palette.GRDA, runs),
            x=(0, 0.52),
            y=(0.53, 0.88),
            title="Validation accuracy",
            key=keys(key("ten seeds", palette.GRDA), key("the stop", palette.GRDA, "mark")),
            xaxis=axis(range=(0, end)),
            yaxis=axis(range=(_LEAST, 1), ticks=accuracies),
        ),
        Panel(
            *_traces("zeros", palette.ZERO, runs),
            x=(0, 0.52),
            y=(0, 0.35),
            title="Zeros",
            key=keys(key("ten seeds", palette.ZERO), key("the stop", palette.ZERO, "mark")),
            xaxis=axis("epoch", (0, end)),
            yaxis=axis(share=True),
        ),
        Panel(
            dots("regret", palette.GRDA, hollow=True, size=9, cliponaxis=False),
            dots("mean regret", MEAN, size=11, cliponaxis=False),
            dots("regret beyond", _SEED_BEYOND, hollow=True, size=10, cliponaxis=False),
            dots("mean regret beyond", BEYOND, hollow=True, size=12, outline=2, cliponaxis=False),
            x=(0.66, 1),
            y=(0, 0.88),
            title="Lost by stopping",
            key=keys(
                key("a seed", palette.GRDA, "hollow"),
                key("mean", MEAN, "mark"),
                key("beyond the edge", BEYOND, "hollow"),
            ),
            xaxis=axis(
                "points of zeros lost", (-0.04, _MOST_ZEROS), ticks=_up_to(_MOST_ZEROS, (0, 20, 40))
            ),
            yaxis=axis(
                "points of test accuracy lost",
                (-0.04, _MOST_LOST),
                ticks=_up_to(_MOST_LOST, range(-2, 12, 2)),
            ),
        ),
        height=460,
        margin={"l": 60, "r": 24, "t": 40, "b": 48},
    )


def _traces(what: str, style: palette.Style, runs: RunGrid) -> list[go.Scatter]:
    """A line a seed, "WHAT SEED", and the points at which they are stopped."""
    lines = [
        line(f"{what} {seed}", style, width=1, opacity=0.5, x=runs.epoch).update(
            hovertemplate=f"seed {seed}, epoch %{{x}}: %{{y:.1%}}<extra></extra>"
        )
        for seed in runs.seeds
    ]
    return [*lines, dots(f"{what} at the stop", style, cliponaxis=False)]


def _up_to(most: float, ticks: Sequence[int]) -> dict[float, str]:
    """Ticks in points, and one at the end, where what lies beyond it is drawn."""
    return {k / 100: decimal(k, 0) for k in ticks} | {most: f"≥ {decimal(100 * most, 0)}"}


def _placed(what: str, zeros: np.ndarray, lost: np.ndarray) -> dict[str, object]:
    """A row that puts dots at what is lost, and those that lie beyond the axes' ends at the ends."""
    x, y = np.minimum(zeros, _MOST_ZEROS), np.minimum(lost, _MOST_LOST)
    beyond = (zeros > _MOST_ZEROS) | (lost > _MOST_LOST)
    return {
        f"{what}.x": x,
        f"{what}.y": np.where(beyond, np.nan, y),
        f"{what} beyond.x": x,
        f"{what} beyond.y": np.where(beyond, y, np.nan),
    }


class _Stopping:
    """compute of ``stopping``."""

    def __init__(self, runs: RunGrid) -> None:
        self.runs = runs
        self.accuracy, self.test = curves(runs, "val_accuracy"), curves(runs, "test_accuracy")
        self.zeros = curves(runs, "total_zeros")

    def __call__(
        self, cell: tuple[float, float], patience: float, tolerance: float
    ) -> tuple[dict, str]:
        (c, mu), runs = cell, self.runs
        at = nearest(runs.c, c), nearest(runs.mu, mu)
        epochs = stops(runs, c, mu, int(patience), tolerance)
        seeds = np.arange(len(epochs))
        lost = self.test[at][:, -1] - self.test[at][seeds, epochs]
        fewer = self.zeros[at][:, -1] - self.zeros[at][seeds, epochs]
        accuracy, zeros = np.maximum(self.accuracy[at], _LEAST), self.zeros[at]
        row: dict[str, object] = {}
        for what, by_seed in {"accuracy": accuracy, "zeros": zeros}.items():
            row |= {f"{what} {seed}.y": by_seed[k] for k, seed in enumerate(runs.seeds)}
            row |= {
                f"{what} at the stop.x": epochs,
                f"{what} at the stop.y": by_seed[seeds, epochs],
            }
        row |= _placed("regret", fewer, lost)
        row |= _placed("mean regret", fewer.mean(keepdims=True), lost.mean(keepdims=True))
        mean = epochs.mean()
        row["layout.title.text"] = (
            f"Stopped after {decimal(mean, 0)} of {runs.epoch[-1]} epochs on average"
        )
        return row, (
            f"The rule stops between epochs {epochs.min()} and {epochs.max()}. Going on to epoch "
            f"{runs.epoch[-1]} would have brought {points(lost.mean())} points of test accuracy "
            f"(worst seed {points(lost.max())}) and {points(fewer.mean())} points of zeros."
        )
