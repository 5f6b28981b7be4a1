"""What becomes of the match as γ falls at the same time t."""

from __future__ import annotations

from typing import Any

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
    palette,
    panels,
    writing,
)

from .curves import along, curve, cut, means, named
from .numbers import SETTINGS, about, along_gamma, cutoffs, lrs

_PANELS = {  # title -> where, its axis, and curve of ``along_gamma`` -> words, style
    "Correlation of ŝ with s": (
        (0, 0.28),
        axis(range=(-0.2, 1), ticks=0.2),
        {
            "correlation, c fixed": ("c fixed, so λ falls", palette.DIRECTIONAL),
            "correlation, λ held": ("λ held", palette.Style(palette.INK, "dash", "square")),
            "correlation, s shuffled": ("s shuffled", palette.TARGET),
        },
    ),
    "Cosine with gRDA's move": (
        (0.37, 0.64),
        axis(range=(0.4, 1), ticks=0.1),
        {
            "cosine, directional": ("directional pruning", palette.DIRECTIONAL),
            "cosine, soft": ("soft-thresholding, gRDA's zeros", palette.SOFT),
        },
    ),
    "Survivors that grew": (
        (0.73, 1),
        axis(share=True, range=(-0.02, 0.62)),
        {
            "grew, s < 0": ("where s < 0", palette.DIRECTIONAL),
            "grew, s > 0": ("where s > 0", palette.MAGNITUDE),
        },
    ),
}
_DOUBLED = palette.Style(palette.INK, "solid", "star")  # each in its curve's colour


@veiled("08.smaller_gamma")
def falling_gamma() -> Explorable:
    """Correlation, cosines and growth for every recorded γ at the same t, with all seeds."""
    fixed = [(c, mu) for mu in about("mu") for c in about("fixed_c")]
    options = {named(*pair): pair for pair in (*SETTINGS, *fixed)}
    return Explorable(
        _gamma_figure,
        _gamma,
        {
            "setting": Choice(options, label=f"c (at γ = {about('main_lr'):g}) and μ"),
            "cutoff": Slider(cutoffs(), label="cut-off", format=cut, start=1e-3),
        },
        label="As γ falls at the same time t: correlation of ŝ with s, cosines, and growth",
    )


def _gamma_figure() -> go.Figure:
    falling = (np.log10(0.235), np.log10(0.0212))
    rates = {lr: f"{lr:g}" for lr in lrs()}
    parts: list[Panel] = []
    for title, (x, yaxis, curves) in _PANELS.items():
        traces: list[go.Scatter] = []
        for name, (_, style) in curves.items():
            star = style._replace(symbol=_DOUBLED.symbol)
            traces += curve(
                name, style, lrs(), name + ": %{y:.2f}<extra></extra>", cliponaxis=False
            )
            rim: dict[str, Any] = {"size": 13, "hollow": True, "outline": 2, "cliponaxis": False}
            traces.append(dots(f"{name}, t doubled", star, x=[about("main_lr")], **rim))
        entries = [key(words, style, "both") for words, style in curves.values()]
        if len(parts) == len(_PANELS) - 1:  # stars mean the same in every panel
            entries.append(key("t doubled", _DOUBLED, "hollow"))
        xaxis = axis("γ, falling", falling, type="log", ticks=rates)
        parts.append(
            Panel(*traces, x=x, title=title, key="<br>".join(entries), xaxis=xaxis, yaxis=yaxis)
        )
    return panels(*parts, height=430, margin={"l": 48, "r": 16, "t": 128, "b": 52})


def _gamma(setting: tuple[float, float], cutoff: float) -> tuple[dict, str]:
    curves = along_gamma(*setting, cutoff)
    row: dict[str, object] = {}
    for name, values in curves.items():
        row |= along(name, values[:-1])
        row[f"{name}, t doubled.y"] = [values[-1].mean()]
    at_each = {name: values.mean(axis=1) for name, values in curves.items()}
    *found, _ = at_each["correlation, c fixed"]
    first, last = (f"{writing.decimal(found[k])} at γ = {lrs()[k]:g}" for k in (0, -1))
    row["layout.title.text"] = f"{named(*setting)}, t = {about('t'):g}: {means()}"
    held = at_each["correlation, λ held"][:-1]
    with_held = (
        f", with λ held from {writing.decimal(held[0])} to {writing.decimal(held[-1])}"
        if np.isfinite(held).all()
        else ""
    )
    return row, f"The correlation of ŝ with s goes from {first} to {last}{with_held}."
