"""What four ways to the same number of zeros cost in training loss."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, Explorable, palette
from grda_edu.explore.legend import coloured
from grda_edu.lessons.lesson08.numbers import (
    array,
    crossover,
    heading,
    priced,
    seeds,
)

_PRICED = {  # recorded loss -> (words, style)
    "gRDA": ("gRDA", palette.GRDA),
    "directional at zeros": ("directional", palette.DIRECTIONAL),
    "magnitude": ("magnitude", palette.MAGNITUDE),
    "soft": ("soft-thresholding", palette.OBS),
}


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
    traces = [
        go.Scatter(
            name=name,
            mode="lines+markers",
            line=style.line(2),
            marker={"color": style.color, "symbol": style.symbol, "size": 10},
            hovertemplate=words + ": %{y:.3g}<extra></extra>",
        )
        for name, (words, style) in _PRICED.items()
    ]
    legend = "   ".join(
        coloured(f"{mark} {words}", style)
        for mark, (words, style) in zip("●◆▲×", _PRICED.values(), strict=True)
    )
    return palette.figure(
        *traces,
        height=400,
        margin={"l": 64, "r": 20, "t": 84, "b": 52},
        xaxis={"range": [0, 1], "tickformat": ".0%", "title_text": "weights exactly zero"},
        yaxis={"type": "log", "range": [-2.7, 0.1], "title_text": "training loss", "dtick": 1}
        | {"tickformat": "~g"},
        shapes=[{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "line": palette.SGD.line(1.5)}],
        annotations=[
            heading(f"{legend}   {coloured('╌ SGD, no zeros', palette.SGD)}", 0, 1.0),
        ],
    )


def _losses(seed: int) -> tuple[dict, str]:
    zeros, losses = priced(seed)
    row: dict[str, object] = {}
    for name, values in losses.items():
        row[f"{name}.x"], row[f"{name}.y"] = zeros, values
    sgd = array("sgd_loss")
    plain = float(np.exp(np.log(sgd).mean()) if seed < 0 else sgd[seeds().index(seed)])
    row["layout.shapes[0].y0"] = row["layout.shapes[0].y1"] = plain
    where = crossover(seed)
    wins = (
        f"From {where:.0%} zeros on, gRDA is below magnitude pruning"
        if np.isfinite(where)
        else "At no number of zeros is gRDA below magnitude pruning for good"
    )
    row["layout.title.text"] = wins
    told = "; ".join(
        f"at {zeros[k]:.0%} zeros gRDA {losses['gRDA'][k]:.2g}, directional pruning "
        f"{losses['directional at zeros'][k]:.2g}, magnitude {losses['magnitude'][k]:.2g}, "
        f"soft-thresholding {losses['soft'][k]:.2g}"
        for k in (0, len(zeros) // 2, len(zeros) - 1)
    )
    who = f"geometric means of {len(seeds())} seeds" if seed < 0 else f"seed {seed}"
    return (
        row,
        f"Training loss, {who}: {told}. SGD without zeros: {plain:.2g}. {wins}.",
    )
