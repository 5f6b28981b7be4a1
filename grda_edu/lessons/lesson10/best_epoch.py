"""Lesson 10: what choosing the best epoch on the test images adds."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

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
from grda_edu.explore.writing import percent, points

from .looks import style_of, wrong, wrong_axis
from .numbers import (
    LAST,
    RETRAINED,
    best,
    curves,
    epochs,
    flattered,
    level,
    right,
    seeds,
    sparsities,
)

FIXED = ("magnitude", "magnitude by layer", "random, magnitude's layers")
"""Their masks do not change while they are retrained: every epoch has the same zeros."""


def over_epochs() -> Explorable:
    """Accuracy over the epochs of retraining, and each seed's best epoch."""
    return Explorable(
        _figure,
        _row,
        {
            "way": Choice({way: way for way in FIXED}, label="pruned by"),
            "sparsity": Slider(sparsities(), label="zeros", format=".0%", start=sparsities()[3]),
        },
        label="Test accuracy over the epochs of retraining, eight seeds, with the best epoch of each",
    )


def _figure() -> go.Figure:
    time = np.arange(epochs() + 1)
    lines = [line(f"seed {seed}", palette.INK, width=1, opacity=0.5, x=time) for seed in seeds()]
    return panels(
        Panel(
            *lines,
            line("last epochs", palette.TARGET, width=3, x=[epochs() - LAST + 1, epochs()]),
            dots("best epoch", palette.OBS, size=10, outline=1.5),
            y=(0, 0.88),
            title="Test images read wrong",
            key=keys(
                key("best epoch of each seed", palette.OBS, "mark"),
                key(f"mean of the last {LAST}", palette.TARGET),
            ),
            xaxis=axis("epoch of retraining", (0, epochs() + 1)),
            yaxis=wrong_axis("share of the images", (0.05, -2.44)),
        ),
        height=340,
        margin={"l": 68, "r": 20, "t": 40, "b": 48},
    )


def _row(way: str, sparsity: float) -> tuple[dict, str]:
    k, style = level(sparsity), style_of((RETRAINED, way))
    found = curves(RETRAINED, way)[:, k]
    row: dict[str, object] = {}
    for seed, curve in zip(seeds(), found, strict=True):
        row[f"seed {seed}.y"] = wrong(curve)
        row[f"seed {seed}.line.color"] = style.color
    mean = float(right(RETRAINED, way)[:, k].mean())
    row["last epochs.y"] = 2 * [float(wrong(mean))]
    row["best epoch.x"] = 1.0 + found[:, 1:].argmax(axis=1)
    row["best epoch.y"] = wrong(found[:, 1:].max(axis=1))
    added = float(flattered(RETRAINED, way)[:, k].mean())
    row["layout.title.text"] = (
        f"{way}, {percent(sparsity, 0)} zeros: the best epoch adds {points(added)} points"
    )
    return row, (
        f"The last {LAST} epochs read {percent(mean)} of the test images right, mean of all seeds; each seed's best epoch "
        f"{percent(float(best(RETRAINED, way)[:, k].mean()))}. The difference, {points(added)} points, comes from choosing the best "
        f"of {epochs()} epochs."
    )
