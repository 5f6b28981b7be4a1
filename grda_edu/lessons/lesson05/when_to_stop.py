"""Lesson 05: the epochs at which the second rule stops, and what stopping loses."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.explore.legend import coloured
from grda_edu.recordings import RunGrid

from .by_seed import _above
from .numbers import (
    MU,
    C,
    curves,
    held_out,
    in_points,
    nearest,
    points,
    stops,
)

_MOST_ZEROS, _MOST_LOST = 0.62, 0.12  # losses beyond them are drawn at the edge


def stopping() -> Explorable:
    """Recorded traces, the epochs at which the rule stops, and what that loses against the end."""
    runs = held_out()
    cells = [(C, MU), (0.005, MU), (0.03, MU), (C, 0.65)]
    return Explorable(
        lambda: _stopping_figure(runs),
        _Stopping(runs),
        {
            "cell": Choice({f"c = {c:g}, μ = {m:g}": (c, m) for c, m in cells}, label="run with"),
            "patience": Slider(
                list(range(1, 21)), label="patience", format=".0f", unit="epochs", start=5
            ),
            "tolerance": Slider(
                [0.0, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05],
                label="tolerance",
                format=in_points,
                start=0.005,
            ),
        },
        label="When to stop: validation accuracy and zeros of ten seeds, and what stopping loses",
    )


def _stopping_figure(runs: RunGrid) -> go.Figure:
    lines, dots = [], []
    for curve, (axis, style) in {
        "accuracy": ("", palette.GRDA),
        "zeros": ("2", palette.ZERO),
    }.items():
        for seed in runs.seeds:
            lines.append(
                go.Scatter(
                    name=f"{curve} {seed}",
                    x=runs.epoch,
                    mode="lines",
                    line={"color": style.color, "width": 1},
                    opacity=0.5,
                    xaxis=f"x{axis}",
                    yaxis=f"y{axis}",
                    hovertemplate=f"seed {seed}, epoch %{{x}}: %{{y:.1%}}<extra></extra>",
                )
            )
        dots.append(
            go.Scatter(
                name=f"{curve} at the stop",
                mode="markers",
                marker={"color": style.color, "symbol": style.symbol, "size": 8},
                xaxis=f"x{axis}",
                yaxis=f"y{axis}",
                cliponaxis=False,
                hoverinfo="skip",
            )
        )
    regret = {"mode": "markers", "xaxis": "x3", "yaxis": "y3", "cliponaxis": False}
    dots += [
        go.Scatter(
            name="regret",
            marker={"color": palette.GRDA.color, "symbol": "circle-open", "size": 9},
            hoverinfo="skip",
            **regret,
        ),
        go.Scatter(
            name="mean regret",
            marker={"color": palette.INK, "symbol": "cross", "size": 11},
            hoverinfo="skip",
            **regret,
        ),
    ]
    epochs = {"range": [0, int(runs.epoch[-1])]}
    share = {"tickformat": ".0%", "range": [0, 1]}
    return palette.figure(
        *lines,
        *dots,
        height=460,
        margin={"l": 52, "r": 20, "t": 40, "b": 48},
        xaxis=epochs | {"domain": [0, 0.52], "anchor": "y"},
        yaxis={"tickformat": ".0%", "range": [0.8, 1]} | {"domain": [0.53, 0.88], "anchor": "x"},
        xaxis2=epochs | {"domain": [0, 0.52], "anchor": "y2", "title_text": "epoch"},
        yaxis2=share | {"domain": [0, 0.35], "anchor": "x2"},
        xaxis3={"domain": [0.66, 1], "anchor": "y3", "range": [-0.04, _MOST_ZEROS + 0.02]}
        | {"title_text": "points of zeros lost", "dtick": 0.2}
        | {"tickvals": np.arange(0, 7, 2) / 10, "ticktext": [f"{k}" for k in range(0, 70, 20)]},
        yaxis3={"domain": [0, 0.88], "anchor": "x3", "range": [-0.04, _MOST_LOST + 0.005]}
        | {"title_text": "points of test accuracy lost"}
        | {
            "tickvals": np.arange(-2, 13, 2) / 100,
            "ticktext": [f"{k}".replace("-", "−") for k in range(-2, 13, 2)],
        },
        annotations=[_above(0.885), _above(0.355), _above(0.885, 0.6)],
    )


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
        row: dict[str, object] = {}
        for k, seed in enumerate(runs.seeds):
            row[f"accuracy {seed}.y"] = np.maximum(self.accuracy[at][k], 0.8)
            row[f"zeros {seed}.y"] = self.zeros[at][k]
        row["accuracy at the stop.x"] = row["zeros at the stop.x"] = epochs
        row["accuracy at the stop.y"] = np.maximum(self.accuracy[at][seeds, epochs], 0.8)
        row["zeros at the stop.y"] = self.zeros[at][seeds, epochs]
        row["regret.x"], row["regret.y"] = (
            np.minimum(fewer, _MOST_ZEROS),
            np.minimum(lost, _MOST_LOST),
        )
        row["mean regret.x"] = [min(fewer.mean(), _MOST_ZEROS)]
        row["mean regret.y"] = [min(lost.mean(), _MOST_LOST)]
        row["layout.annotations[0].text"] = "<b>Validation accuracy</b>   " + coloured(
            "━ ten seeds, ● the stop", palette.GRDA
        )
        row["layout.annotations[1].text"] = "<b>Zeros</b>   " + coloured(
            "━ ○ the same", palette.ZERO
        )
        row["layout.annotations[2].text"] = (
            "<b>Lost by stopping</b>   " + coloured("○ a seed", palette.GRDA) + "   ✚ mean"
        )
        mean = epochs.mean()
        row["layout.title.text"] = f"Stopped after {mean:.0f} of {runs.epoch[-1]} epochs on average"
        return row, (
            f"c = {c:g}, μ = {mu:g}, patience {patience:.0f} epochs, tolerance {in_points(tolerance)}: the rule "
            f"stops between epochs {epochs.min()} and {epochs.max()}, after {mean:.1f} on average. Going on to epoch "
            f"{runs.epoch[-1]} would have brought {points(lost.mean())} points of test accuracy "
            f"(worst seed {points(lost.max())}) and {points(fewer.mean())} points of zeros."
        )
