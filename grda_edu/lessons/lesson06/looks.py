"""How lesson 06's figures draw what they have in common."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import palette

from .numbers import drop_after

OTHER = palette.Style(palette.INK, "dot", "x")  # what stands beside gRDA in a figure


def line_and_band(name: str, style: palette.Style, epochs: np.ndarray, axis: str) -> list:
    """A mean over seeds, "NAME", and the stretch from the lowest to the highest, "NAME band"."""
    axes = {"xaxis": f"x{axis}", "yaxis": f"y{axis}", "hoverinfo": "skip", "mode": "lines"}
    band = go.Scatter(
        name=f"{name} band",
        x=np.concatenate([epochs, epochs[::-1]]),
        fill="toself",
        fillcolor=_faint(style),
        line={"width": 0},
        **axes,
    )
    return [band, go.Scatter(name=name, x=epochs, line=style.line(), **axes)]


def _faint(style: palette.Style) -> str:
    red, green, blue = (int(style.color[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.18)"


def stretch(by_seed: np.ndarray) -> np.ndarray:
    """[S, E+1] -> up along the highest, back along the lowest: [2(E+1)]."""
    return np.concatenate([by_seed.max(axis=0), by_seed.min(axis=0)[::-1]])


def drop_line(xref: str, yref: str, x: float | None = None) -> dict:
    at = drop_after() if x is None else x
    line = {"color": palette.MUTED, "dash": "dot", "width": 1}
    return {
        "type": "line",
        "xref": xref,
        "yref": yref,
        "x0": at,
        "x1": at,
        "y0": 0,
        "y1": 1,
        "line": line,
    }
