"""Lesson 06: what a falling learning rate does to two thresholds, and to recorded zeros."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.explore.legend import coloured
from grda_edu.explore.writing import percent
from grda_edu.studies.recipes import MU, STEP, recipe_name

from .looks import OTHER, drop_line, line_and_band, stretch
from .numbers import (
    PLAIN,
    RECOMPUTED,
    C,
    accumulated_and_recomputed,
    curves,
    drop_after,
    final,
    recorded,
    strengths,
)

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


def undone() -> Explorable:
    """Zeros and accuracy of recorded runs with either threshold, under the step schedule."""
    return Explorable(
        _undone_figure,
        _undone,
        {"c": Slider(strengths(), label="c", format="g", start=C)},
        label="Recorded trainings under the step schedule with the accumulated and the recomputed threshold",
    )


_PAIR = {"accumulated": (PLAIN, palette.GRDA), "recomputed": (RECOMPUTED, OTHER)}


def _undone_figure() -> go.Figure:
    epochs = recorded().epoch
    traces = []
    for label, (_, style) in _PAIR.items():
        for k, axis in ((1, ""), (2, "2")):
            traces += line_and_band(f"{label} {k}", style, epochs, axis)
    share = {"tickformat": ".0%"}
    return palette.figure(
        *traces,
        height=360,
        xaxis={"domain": [0, 0.46], "range": [0, epochs[-1]], "title_text": "epoch"},
        yaxis=share | {"range": [0, 1]},
        xaxis2={
            "domain": [0.56, 1],
            "range": [0, epochs[-1]],
            "title_text": "epoch",
            "anchor": "y2",
        },
        yaxis2=share | {"anchor": "x2", "range": [0.9, 1]},
        margin={"l": 52, "r": 16, "t": 84, "b": 52},
        shapes=[drop_line("x", "y domain"), drop_line("x2", "y2 domain")],
        annotations=[
            _above(0.0, "<b>Weights that are exactly zero</b>"),
            _above(0.56, "<b>Test images read correctly</b>"),
        ],
    )


def _above(x: float, heading: str) -> dict:
    """A panel's heading over a line that names both thresholds."""
    names = f"{coloured('accumulated ━━', palette.GRDA)}   {coloured('recomputed ┈┈┈', OTHER)}"
    return palette.legend(x, (f"{heading}<br>{names}", palette.INK)) | {"align": "left"}


def _undone(c: float) -> tuple[dict, str]:
    row: dict[str, object] = {}
    said = {}
    at = drop_after()
    for label, (method, _) in _PAIR.items():
        recipe = recipe_name(method, c, STEP)
        for k, curve in ((1, "total_zeros"), (2, "test_accuracy")):
            by_seed = curves(curve)[recipe]
            row[f"{label} {k}.y"] = by_seed.mean(axis=0)
            row[f"{label} {k} band.y"] = stretch(by_seed)
        zeros = curves("total_zeros")[recipe].mean(axis=0)
        said[label] = (
            f"{label} {percent(zeros[at])} → {percent(zeros[-1])} zeros "
            f"and {final('test_accuracy', recipe).mean():.1%} right"
        )
    after = curves("total_zeros")[recipe_name(RECOMPUTED, c, STEP)].mean(axis=0)[at + 1]
    row["layout.title.text"] = (
        f"c = {c:g}: one epoch after the drop, recomputing leaves {percent(after)} zeros"
    )
    return row, (
        f"Recorded on {recorded().device}, c = {c:g}, μ = {MU:g}, mean of {len(recorded().seeds)} seeds, from "
        f"the drop after epoch {at} to epoch {int(recorded().epoch[-1])}: {said['accumulated']}; "
        f"{said['recomputed']}."
    )
