"""The valley of lesson 07 seen from above, and what lies on it: arrows and points."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Panel, axis, band, dots, line, palette
from grda_edu.toy.flat_valley import direction

from .numbers import W_SGD, valley_at

RIGHT = (0.64, 1)  # where the panels beside the valley are
_STEPS = 7  # of the shading, from the floor to the darkest
LEVELS = tuple((k / _STEPS) ** 2 for k in range(_STEPS, 0, -1))  # of the loss; equal steps across
_WALLS = "rgba(110,119,129,0.4)"  # muted ink, everywhere; the bands lighten it down to the floor


def valley_panel(*traces: go.Scatter, key: str) -> Panel:
    """Shaded walls, lighter in bands down to a white floor, its line, and ``traces``.

    On axes of equal units for the two weights.
    """
    same: dict[str, Any] = {"ticks": 0.5, "constrain": "domain"}
    return Panel(
        band("walls", _WALLS, x=[-9, 9, 9, -9], y=[-9, -9, 9, 9]),
        *(
            # each takes away as much of the shade as the one around it
            band(f"band {k}", palette.PAPER, opacity=1 / k)
            for k in range(_STEPS, 0, -1)
        ),
        line("ground", palette.MUTED, width=1.2),
        *traces,
        x=(0, 0.53),
        key=key,
        xaxis=axis("weight w<sub>1</sub>", (-0.55, 2.15), constraintoward="left", **same),
        yaxis=axis("weight w<sub>2</sub>", (-0.95, 1.55), constraintoward="top", **same)
        | {"scaleanchor": "x"},
    )


@cache
def valley_rows(angle: float) -> dict[str, object]:
    """Where bands and floor of ``valley_panel`` lie at this angle."""
    rows = placed("ground", cross(angle))
    for k, level in zip(range(_STEPS, 0, -1), LEVELS, strict=True):
        rows |= placed(f"band {k}", strip(angle, level))
    return rows


def cross(angle: float) -> np.ndarray:
    """The floor's line through ``W_SGD``, far beyond the axes: [2, 2] (ends, coordinates)."""
    return np.array(W_SGD) + np.array([[-6.0], [6.0]]) * direction(angle)


def strip(angle: float, level: float) -> np.ndarray:
    """Corners of the strip around the floor where the loss is below ``level``: [4, 2]."""
    valley = valley_at(angle)
    aside = np.sqrt(2 * level / valley.curvature) * valley.sharp
    ends = cross(angle)
    return np.array([ends[0] + aside, ends[1] + aside, ends[1] - aside, ends[0] - aside])


def placed(trace: str, points: np.ndarray) -> dict[str, object]:
    """A row that puts a trace at points [T, 2] or [T, 3]."""
    return {f"{trace}.{axis}": at for axis, at in zip("xyz", points.T, strict=False)}


def marked(name: str, look: palette.Look, text: str, at: str = "top right") -> go.Scatter:
    """A point that a slider moves, with words beside it."""
    font = {"color": palette.tint(palette.style_of(look).color), "size": 13}
    words: dict[str, Any] = {"text": [text], "textfont": font, "textposition": at}
    return dots(name, look, size=13, outline=2, mode="markers+text", **words)


def many(name: str, styles: Sequence[palette.Style]) -> go.Scatter:
    """Several points that one slider moves together; the hollow ones are larger."""
    hollow = [style.symbol.endswith("open") for style in styles]
    colors = [style.color for style in styles]
    rims = [c if h else palette.PAPER for c, h in zip(colors, hollow, strict=True)]
    marker = {
        "color": colors,
        "symbol": [style.symbol for style in styles],
        "size": [17 if h else 12 for h in hollow],
        "line": {"color": rims, "width": 2},
    }
    return dots(name, palette.INK, marker=marker | {"opacity": 1})


def arrow(name: str, color: str) -> go.Scatter:
    """A line with a head at its second point."""
    head = {"symbol": "arrow", "angleref": "previous", "size": [0, 13], "color": color}
    return line(name, color, width=2, mode="lines+markers", marker=head)
