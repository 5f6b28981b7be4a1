"""What four ways to the same number of zeros cost in training loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import (
    Choice,
    Explorable,
    Panel,
    axis,
    dots,
    key,
    keys,
    palette,
    panels,
    writing,
)
from grda_edu.explore.layout import rule

from .numbers import array, crossover, priced, seeds

_WAYS = {  # recorded loss -> words, style
    "gRDA": ("gRDA", palette.GRDA),
    "directional at zeros": ("directional pruning", palette.DIRECTIONAL),
    "magnitude": ("magnitude", palette.MAGNITUDE),
    "soft": ("soft-thresholding", palette.SOFT),
}
_LOSS = "%{y:.3g}<extra></extra>"


def losses_at_equal_zeros() -> Explorable:
    """Training loss after pruning to gRDA's number of zeros, at every recorded (c, μ)."""
    means = f"mean of {len(seeds())} seeds"
    return Explorable(
        _losses_figure,
        _losses,
        {"seed": Choice({means: -1} | {f"seed {s}": s for s in seeds()}, label="show")},
        label="Training loss of four networks with the same number of zeros",
    )


def _losses_figure() -> go.Figure:
    joined: dict[str, Any] = {"size": 10, "mode": "lines+markers"}
    ways = [
        dots(name, style, line=style.line(2), hovertemplate=f"{words}: {_LOSS}", **joined)
        for name, (words, style) in _WAYS.items()
    ]
    entries = [key(words, style, "both") for words, style in _WAYS.values()]
    shown = Panel(
        *ways,
        key=keys(*entries, key("SGD, no zeros", palette.SGD)),
        xaxis=axis("weights exactly zero", share=True),
        yaxis=axis("training loss", (-2.7, 0.1), log=True),
    )
    margin = {"l": 64, "r": 20, "t": 84, "b": 52}
    return panels(shown, height=400, margin=margin, shapes=[rule(palette.SGD, y=1)])


def _losses(seed: int) -> tuple[dict, str]:
    zeros, losses = priced(seed)
    row: dict[str, object] = {}
    for name, values in losses.items():
        row[f"{name}.x"], row[f"{name}.y"] = zeros, values
    sgd = array("sgd_loss")
    plain = float(np.exp(np.log(sgd).mean()) if seed < 0 else sgd[seeds().index(seed)])
    row["layout.shapes[0].y0"] = row["layout.shapes[0].y1"] = plain
    where = crossover(seed)
    wins = "At no number of zeros is gRDA below magnitude pruning for good"
    if np.isfinite(where):
        wins = f"From {writing.percent(where, 0)} zeros on, gRDA is below magnitude pruning"
    row["layout.title.text"] = wins
    told = ", ".join(
        f"{words} {writing.loss(losses[name][-1])}" for name, (words, _) in _WAYS.items()
    )
    return row, (
        f"Training loss{' (geometric means)' if seed < 0 else ''} at {writing.percent(zeros[-1], 0)} zeros: {told}; "
        f"SGD without zeros {writing.loss(plain)}."
    )
