"""Lesson 09's first figure: straight from one network to another."""

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
    dots,
    heading,
    heading_key,
    key,
    line,
    palette,
    panels,
)
from grda_edu.explore.writing import loss, percent
from grda_edu.views.curve import LOSS_AXIS

from .looks import STYLES, over_seeds
from .numbers import PATHS, nearest, positions, seeds, values

_BESIDE = {"matched": "start", "grda": ""}  # what a path is seen beside, where it is not gRDA's
_WORDS = {"start": "without matching", "grda": "SGD → gRDA"}
_MEASURED = {"loss": "line_train_loss", "accuracy": "line_test_accuracy"}


@veiled("09.three_quarters", "09.other_start")
def straight() -> Explorable:
    """Loss and accuracy along straight lines, all seeds; a slider walks, a list sets the direction."""
    return Explorable(
        _figure,
        _straight,
        {
            "path": Choice({label: pair for pair, label in PATHS.items()}, label="path"),
            "t": Slider(positions().tolist(), label="way t", format=".3g", play=True),
        },
        label="Training loss and test accuracy along the straight line between two networks",
    )


def _figure() -> go.Figure:
    way = axis("way t: 0 is the first network, 1 the second", (0, 1))
    share = axis(range=(0, 1.02), share=True)
    losses = Panel(
        *_traces("loss"),
        x=(0, 0.44),
        title="Loss on training images",
        beside=f"(bold: seed {seeds()[0]})",
        xaxis=way,
        yaxis=LOSS_AXIS,
    )
    accuracies = Panel(
        *_traces("accuracy"), x=(0.56, 1), title="Test images read right", xaxis=way, yaxis=share
    )
    return panels(losses, accuracies)


def _traces(what: str) -> list[go.Scatter]:
    """A line a seed, the first of them bold, and where the slider is on each; a row colours them."""
    curves = [
        line(f"{what}, seed {seed}", palette.INK, width=1.2 if k else 2.5, x=positions())
        for k, seed in enumerate(seeds())
    ]
    for curve in curves[1:]:
        curve.opacity = 0.55
    here = {"size": [11, *[7] * (len(seeds()) - 1)], "opacity": 1}
    beside = line(f"{what} beside", palette.TARGET, width=2, x=positions())
    return [
        beside,
        *curves,
        dots(f"{what} here", palette.INK, outline=1.5, marker=here, cliponaxis=False),
    ]


def _straight(path: str, t: float) -> tuple[dict[str, object], str]:
    k, style = nearest(positions(), t), STYLES[path]
    losses, right = (values(path, name) for name in _MEASURED.values())
    row: dict[str, object] = {
        heading_key(0): _heading(path),
        "layout.title.text": (
            f"{PATHS[path]}, t = {t:.3g}: loss {loss(losses[0, k])}, {percent(right[0, k])} right"
        ),
    }
    beside = _BESIDE.get(path, "grda")
    for what, curves in (("loss", losses), ("accuracy", right)):
        other = values(beside, _MEASURED[what])[0] if beside else np.full(len(positions()), np.nan)
        row[f"{what} beside.y"] = other
        for seed, curve in zip(seeds(), curves, strict=True):
            row[f"{what}, seed {seed}.y"] = curve
            row[f"{what}, seed {seed}.line.color"] = style.color
            row[f"{what}, seed {seed}.line.dash"] = style.dash
        row[f"{what} here.x"] = np.full(len(curves), t)
        row[f"{what} here.y"] = curves[:, k]
        row[f"{what} here.marker.color"] = style.color
        row[f"{what} here.marker.symbol"] = style.symbol
    return row, (
        f"Here the training loss is {over_seeds(losses[:, k])}, from one recorded pair of networks to another, "
        f"and {over_seeds(right[:, k], percent)} of the test images are read right. On the whole line the "
        f"highest loss is {over_seeds(losses.max(axis=1))}."
    )


def _heading(path: str) -> str:
    """The loss panel's heading, which names what the path is seen beside."""
    beside = _BESIDE.get(path, "grda")
    named = key(_WORDS[beside], palette.TARGET) if beside else ""
    return heading("Loss on training images", named, beside=f"(bold: seed {seeds()[0]})")
