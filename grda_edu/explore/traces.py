"""What a panel is drawn from: lines, dots, bars, tiles, contours, words and bands.

Each is a plotly trace that has a name of its own, the look of a palette ``Style`` (a colour alone
stands for a solid line and round dots) and no hover text. Every further keyword is plotly's and
wins: ``line("gRDA", palette.GRDA, x=epochs, line_shape="hv", opacity=0.4)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import plotly.graph_objects as go

from . import palette
from .palette import Look, style_of

Trace = TypeVar("Trace", go.Scatter, go.Bar, go.Heatmap, go.Contour)


def line(name: str, look: Look, *, width: float = 2.5, **more: object) -> go.Scatter:
    """A line in the look's colour and dash."""
    drawn = go.Scatter(name=name, mode="lines", line=style_of(look).line(width))
    return _finish(drawn, more)


def dots(
    name: str,
    look: Look,
    *,
    size: float = 8,
    hollow: bool = False,
    outline: float = 0,
    **more: object,
) -> go.Scatter:
    """Markers in the look's colour and symbol.

    hollow: only the rim is drawn, ``outline`` (pixels) wide where it is given;
    outline: of full markers, the width of a rim in the page's colour that sets them off; of short
        lines ("line-ew", "line-ns"), which have no inside, their own width.
    """
    style = style_of(look)
    symbol = style.symbol
    if hollow and not symbol.endswith("-open"):
        symbol += "-open"
    marker: dict = {"color": style.color, "symbol": symbol, "size": size}
    if outline:
        rim = style.color if symbol.startswith("line-") else palette.PAPER
        marker["line"] = ({} if symbol.endswith("-open") else {"color": rim}) | {"width": outline}
    return _finish(go.Scatter(name=name, mode="markers", marker=marker), more)


def bars(name: str, look: Look, *, horizontal: bool = False, **more: object) -> go.Bar:
    """Bars in the look's colour."""
    drawn = go.Bar(name=name, marker={"color": style_of(look).color, "line": {"width": 0}})
    if horizontal:
        drawn.orientation = "h"
    return _finish(drawn, more)


def tiles(name: str, low: float, high: float, *, gap: float = 0, **more: object) -> go.Heatmap:
    """A field of values ``z`` in the palette's colour scale for sizes, or for values with a sign.

    low, high: where the scale ends; it has two arms that meet in zero where low is -high;
    gap: between tiles, in pixels.
    """
    scale = palette.SIGNED if low == -high else palette.FIELD
    drawn = go.Heatmap(name=name, colorscale=scale, zmin=low, zmax=high, showscale=False)
    if gap:
        drawn.update(xgap=gap, ygap=gap)
    return _finish(drawn, more)


def contours(
    name: str, powers: tuple[float, float], *, title: str, bar: float, **more: object
) -> go.Contour:
    """A field of ``z``, decimal logarithms, in half powers of ten of the palette's one colour scale.

    powers: of ten, where the scale begins and ends; title: what z is the logarithm of, above the
    scale; bar: where the scale begins, as a share of the figure's width.
    """
    low, high = powers
    ticks = range(math.ceil(low), math.floor(high) + 1)
    scale = {"tickvals": list(ticks), "ticktext": [f"{10.0**k:g}" for k in ticks]}
    scale |= {"title": {"text": title, "side": "top"}, "x": bar, "xpad": 4}
    drawn = go.Contour(
        name=name,
        colorscale=palette.FIELD,
        zmin=low,
        zmax=high,
        contours={"start": low, "end": high, "size": 0.5},
        line={"width": 0.5, "color": palette.PAPER},
        colorbar=scale | {"thickness": 10, "outlinewidth": 0},
    )
    return _finish(drawn, more)


def words(name: str, look: Look, *, size: float = 13, **more: object) -> go.Scatter:
    """Words (``text``) at points ``x``, ``y``, in the look's colour."""
    font = {"color": palette.tint(style_of(look).color), "size": size}
    return _finish(go.Scatter(name=name, mode="text", textfont=font), more)


def band(name: str, color: str = palette.BAND, **more: object) -> go.Scatter:
    """A stretch between two curves, filled and without an edge; ``around`` makes its x and y."""
    return _finish(go.Scatter(name=name, mode="none", fill="toself", fillcolor=color), more)


def around(low: Sequence[float] | np.ndarray, high: Sequence[float] | np.ndarray) -> np.ndarray:
    """The edge of a band: along ``low`` and back along ``high`` [T] each: [2 T]."""
    return np.concatenate([np.asarray(low), np.asarray(high)[::-1]])


def _finish(trace: Trace, more: dict[str, object]) -> Trace:
    if "hovertemplate" not in more:
        trace.hoverinfo = "skip"
    return trace.update(more)
