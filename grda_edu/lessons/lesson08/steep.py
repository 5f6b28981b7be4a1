"""How much of the moves lies in the steepest directions, over training."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

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
    writing,
)

from .curves import along, curve
from .numbers import about, array, shares

_MOVES = {  # recorded shares -> words, style
    "grda": ("gRDA's move", palette.GRDA),
    "magnitude": ("magnitude pruning of SGD, gRDA's zeros", palette.MAGNITUDE),
}


def steep_share() -> Explorable:
    """Share of gRDA's move in the top-k eigenspace over training, and of two others."""
    steepest = [1, 2, 3, 5, 10, 20, 50]
    return Explorable(
        _steep_figure,
        _steep,
        {
            "mu": Choice({f"{m:g}": m for m in about("mu")}, label="μ"),
            "k": Slider(steepest, label="k steepest directions", start=10, format="g"),
            "c": Slider(about("c"), label="c", format="g", start=about("c")[-1]),
        },
        label="Share of the move in the k steepest directions, over training",
    )


def _steep_figure() -> go.Figure:
    times = about("times")[1:]
    traces = [
        trace
        for name, (words, style) in _MOVES.items()
        for trace in curve(name, style, times, words + " %{y:.3f}<extra></extra>")
    ]
    entries = [key(words, style, "both") for words, style in _MOVES.values()]
    shown = Panel(
        *traces,
        line("random", palette.TARGET, width=2, x=times),
        key=keys(*entries, key("a random direction, √(k/D)", palette.TARGET)),
        xaxis=axis("time t = nγ", type="log", ticks={t: f"{t:g}" for t in times}),
        yaxis=axis("share ‖P d‖ / ‖d‖", (-3, 0.1), log=True),
    )
    return panels(shown, margin={"l": 60, "r": 20, "t": 76, "b": 52})


def _steep(mu: float, k: float, c: float) -> tuple[dict, str]:
    end = about("times")[1:].index(about("t"))
    row: dict[str, object] = {}
    mean = {}
    for name in _MOVES:
        found = shares(name, c, mu, int(k)).T
        row |= along(name, found)
        mean[name] = found.mean(axis=1)
    chance = float(np.sqrt(k / array("values").shape[-1]))
    row["random.y"] = np.full(len(about("times")) - 1, chance)
    directions = "steepest direction holds" if k == 1 else f"{k:g} steepest directions hold"
    held = writing.percent(mean["grda"][end])
    row["layout.title.text"] = f"At t = {about('t'):g} the {directions} {held} of gRDA's move"
    first, ours, magnitude, random = (
        writing.decimal(value, 3)
        for value in (mean["grda"][0], mean["grda"][end], mean["magnitude"][end], chance)
    )
    return row, (
        f"gRDA's share goes from {first} at t = {about('times')[1]:g} to {ours} at "
        f"t = {about('t'):g}; there magnitude pruning's is {magnitude}, a random direction's {random}."
    )
