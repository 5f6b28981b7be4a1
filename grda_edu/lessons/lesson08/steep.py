"""How much of the moves lies in the steepest directions, over training."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.explore.legend import coloured
from grda_edu.lessons.lesson08.numbers import (
    about,
    array,
    heading,
    seeds,
    shares,
)


def steep_share() -> Explorable:
    """Share of gRDA's move in the top-k eigenspace over training, and of two others."""
    return Explorable(
        _steep_figure,
        _steep,
        {
            "mu": Choice({f"{m:g}": m for m in about("mu")}, label="μ"),
            "k": Slider(
                [1, 2, 3, 5, 10, 20, 50], label="k steepest directions", start=10, format="g"
            ),
            "c": Slider(about("c"), label="c", format="g", start=about("c")[-1]),
        },
        label="Share of the move in the k steepest directions, over training",
    )


_MOVES = {
    "grda": ("gRDA", palette.GRDA),
    "magnitude": ("magnitude pruning of SGD", palette.MAGNITUDE),
}


def _steep_figure() -> go.Figure:
    times = about("times")[1:]
    traces = []
    for name, (words, style) in _MOVES.items():
        dot = {"color": style.color, "symbol": style.symbol, "size": 9}
        traces += [
            go.Scatter(
                name=name, x=times, mode="lines+markers", line=style.line(), marker=dot
            ).update(hovertemplate=words + " %{y:.3f}<extra></extra>"),
            go.Scatter(
                name=f"{name}, seeds",
                x=np.repeat(times, len(seeds())),
                mode="markers",
                marker=dot | {"size": 5},
                opacity=0.5,
                hoverinfo="skip",
            ),
        ]
    line = go.Scatter(
        name="random", x=times, mode="lines", line=palette.TARGET.line(2), hoverinfo="skip"
    )
    legend = (
        ("● gRDA's move", palette.GRDA),
        ("▲ magnitude pruning of SGD, gRDA's zeros", palette.MAGNITUDE),
        ("─ a random direction, √(k/D)", palette.TARGET),
    )
    return palette.figure(
        *traces,
        line,
        height=380,
        margin={"l": 60, "r": 20, "t": 76, "b": 52},
        xaxis={"type": "log", "title_text": "time t = nγ", "tickvals": times}
        | {"ticktext": [f"{t:g}" for t in times]},
        yaxis={"type": "log", "range": [-3, 0.1], "dtick": 1, "title_text": "share ‖P d‖ / ‖d‖"}
        | {"tickformat": "~g"},
        annotations=[heading("   ".join(coloured(text, style) for text, style in legend), 0, 1.0)],
    )


def _steep(mu: float, k: float, c: float) -> tuple[dict, str]:
    k = int(k)
    row: dict[str, object] = {}
    ends = {}
    for name in _MOVES:
        found = shares(name, c, mu, k)
        row[f"{name}.y"] = np.nanmean(found, axis=0)
        row[f"{name}, seeds.y"] = found.T.ravel()
        ends[name] = found.mean(axis=0)[-2]
    chance = float(np.sqrt(k / array("values").shape[-1]))
    row["random.y"] = np.full(len(about("times")) - 1, chance)
    row["layout.title.text"] = (
        f"At t = {about('t'):g} the {k} steepest directions hold {ends['grda']:.1%} of gRDA's move"
    )
    first = float(np.nanmean(shares("grda", c, mu, k)[:, 0]))
    return row, (
        f"c = {c:g}, μ = {mu:g}, k = {k}, means of {len(seeds())} seeds: gRDA's share goes from {first:.3f} at t = "
        f"{about('times')[1]:g} to {ends['grda']:.3f} at t = {about('t'):g}; there magnitude pruning's is "
        f"{ends['magnitude']:.3f}, a random direction's {chance:.3f}."
    )
