"""Lesson 06: what a falling learning rate does to two thresholds, and to recorded zeros."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import veiled
from grda_edu.explore import (
    Choice,
    Explorable,
    Panel,
    Slider,
    axis,
    key,
    keys,
    line,
    palette,
    panels,
)
from grda_edu.explore.layout import rule
from grda_edu.explore.writing import decimal, percent
from grda_edu.studies.recipes import MU, STEP, recipe_name

from .looks import DROP, OTHER, line_and_band, line_and_band_row
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

BOTH = {"accumulated": palette.GRDA, "recomputed": OTHER}
KEY = keys(*(key(name, style) for name, style in BOTH.items()))
TRAININGS = {  # steps an epoch, epochs, learning rate, c, μ
    "ImageNet: 5,005 steps an epoch": (5005, 150, 0.1, 0.005, 0.51),
    "digits: 40 steps an epoch": (40, 60, 0.1, C, MU),
}


SHARES = [1 / 3, 1 / 2, 2 / 3, 14 / 15]  # of the training, before the drop


@veiled("06.recomputed")
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
    return panels(
        Panel(
            line("rate", palette.SGD),
            y=(0.74, 0.93),
            key=key("learning rate γ", palette.SGD),
            xaxis=axis(showticklabels=False),
            yaxis=axis("γ", (-3.3, -0.7), log=True),
        ),
        Panel(
            *(line(name, style, width=3) for name, style in BOTH.items()),
            y=(0, 0.6),
            key=KEY,
            xaxis=axis("epoch"),
            yaxis=axis("threshold g", rangemode="tozero"),
        ),
        height=430,
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
    drawn = {"rate": np.where(n <= drop, lr, lr * factor)}
    drawn |= {"accumulated": accumulated, "recomputed": recomputed}
    row: dict[str, object] = {f"{name}.x": x for name in drawn}
    row |= {f"{name}.y": y for name, y in drawn.items()}
    row |= {f"layout.xaxis{k}.range": [0, epochs] for k in ("", 2)}
    highest = accumulated_and_recomputed(n, drop, lr, 1.0, c, mu)[0].max()
    row["layout.yaxis2.range"] = [0, 1.12 * highest]  # one scale for all drops
    change = "falls" if factor < 1 else "stays"
    fall = f"{decimal(before, 3)} → {decimal(after, 3)}"
    row["layout.title.text"] = f"At the drop: recomputed {fall}"
    return row, (
        f"The learning rate {change} after epoch {last} of {epochs}. The accumulated threshold goes from "
        f"{decimal(before, 3)} to {decimal(accumulated[-1], 3)} by the last epoch; the recomputed one goes "
        f"from {decimal(before, 3)} to {decimal(after, 3)} at one step."
    )


@veiled("06.recomputed")
def undone() -> Explorable:
    """Zeros and accuracy of recorded runs with either threshold, under the step schedule."""
    return Explorable(
        _undone_figure,
        _undone,
        {"c": Slider(strengths(), label="c", format="g", start=C)},
        label="Recorded trainings under the step schedule with the accumulated and the recomputed threshold",
    )


_METHODS = {"accumulated": PLAIN, "recomputed": RECOMPUTED}
_CURVES = {
    "total_zeros": "Weights that are exactly zero",
    "test_accuracy": "Test images read right",
}


def _undone_figure() -> go.Figure:
    epochs = recorded().epoch
    zeros, right = (
        [t for name, style in BOTH.items() for t in line_and_band(f"{name} {curve}", style, epochs)]
        for curve in _CURVES
    )
    time = axis("epoch", (0, epochs[-1]))
    shares = axis(share=True), axis(range=(0.9, 1), share=True)
    titles = list(_CURVES.values())
    return panels(
        Panel(*zeros, x=(0, 0.46), title=titles[0], key=KEY, xaxis=time, yaxis=shares[0]),
        Panel(*right, x=(0.56, 1), title=titles[1], key=KEY, xaxis=time, yaxis=shares[1]),
        height=360,
        margin={"l": 52, "r": 16, "t": 84, "b": 52},
        shapes=[rule(DROP, drop_after(), width=1, panel=k) for k in (0, 1)],
    )


def _undone(c: float) -> tuple[dict, str]:
    row: dict[str, object] = {}
    said = []
    at = drop_after()
    for label, method in _METHODS.items():
        recipe = recipe_name(method, c, STEP)
        for curve in _CURVES:
            row |= line_and_band_row(f"{label} {curve}", curves(curve)[recipe])
        zeros = curves("total_zeros")[recipe].mean(axis=0)
        said.append(
            f"{label} {percent(zeros[at])} → {percent(zeros[-1])} zeros "
            f"and {percent(final('test_accuracy', recipe).mean())} right"
        )
    after = curves("total_zeros")[recipe_name(RECOMPUTED, c, STEP)].mean(axis=0)[at + 1]
    row["layout.title.text"] = (
        f"c = {c:g}: one epoch after the drop, recomputing leaves {percent(after)} zeros"
    )
    return row, (
        f"Recorded on {recorded().device}, mean of the seeds, from the drop to the end: {'; '.join(said)}."
    )
