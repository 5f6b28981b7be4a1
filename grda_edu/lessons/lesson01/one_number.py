"""Lesson 01's first figure: the rule for one number, and the objective that it minimises."""

from __future__ import annotations

from functools import partial

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import (
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
    writing,
)
from grda_edu.explore.layout import box
from grda_edu.shrinkage import soft_threshold

from .numbers import objective

X = np.linspace(-3, 3, 241)
W = np.linspace(-3, 3, 121)
_ENDS = (-3, 3)
_SQUARE = palette.Style(palette.INK, "dot", "circle")  # no method: a part of the objective
_tenths = partial(writing.decimal, digits=1)


def rule_and_objective() -> Explorable:
    """S_τ over x on the left, the objective that it minimises on the right, linked."""
    return Explorable(
        _figure,
        _rule_and_objective,
        {
            "tau": Slider.linear(0, 2, 21, label="threshold τ", format=_tenths, start=0.5),
            "x": Slider.linear(-3, 3, 61, label="input x", format=_tenths, start=1.2),
        },
        label="Soft-thresholding of x, and the objective whose lowest point it finds",
    )


def _figure() -> go.Figure:
    rule = Panel(
        line("kept", palette.TARGET, width=1.2, x=X, y=X),
        line("soft", palette.GRDA, width=3.5, x=X),
        dots("point", palette.GRDA, size=13, outline=2, cliponaxis=False),
        x=(0, 0.45),
        key=keys(
            key("S<sub>τ</sub>(x)", palette.GRDA),
            key("x unchanged", palette.TARGET),
            key("becomes zero", palette.BAND_EDGE, "bar"),
        ),
        xaxis=axis("input x", _ENDS),
        yaxis=axis("output w", _ENDS),
    )
    cost = Panel(
        line("square", _SQUARE, width=1.8, x=W),
        line("penalty", palette.BAND_EDGE, width=1.8, x=W),
        line("sum", palette.INK, width=3, x=W),
        dots("lowest", palette.GRDA, size=13, outline=2, cliponaxis=False),
        x=(0.56, 1),
        key=keys(
            key("½(w − x)² + τ|w|", palette.INK),
            key("½(w − x)²", _SQUARE),
            key("τ|w|", palette.BAND_EDGE),
        ),
        xaxis=axis("candidate w", _ENDS),
        yaxis=axis("objective", (-0.5, 7)),
    )
    zeros = box(palette.BAND, _ENDS, line=palette.BAND_EDGE.line(1))
    return panels(rule, cost, height=400, shapes=[zeros])


def _rule_and_objective(tau: float, x: float) -> tuple[dict[str, object], str]:
    w = soft_threshold(x, tau)
    row = {
        "soft.y": soft_threshold(X, tau),
        "point.x": [x],
        "point.y": [w],
        "square.y": objective(W, x, 0.0),
        "penalty.y": tau * np.abs(W),
        "sum.y": objective(W, x, tau),
        "lowest.x": [w],
        "lowest.y": [objective(w, x, tau)],
        "layout.shapes[0].x0": -tau,
        "layout.shapes[0].x1": tau,
        "layout.title.text": f"S<sub>{_tenths(tau)}</sub>({_tenths(x)}) = {_tenths(w)}",
    }
    return row, f"τ = {_tenths(tau)}, x = {_tenths(x)}: {_verdict(tau, w)}."


def _verdict(tau: float, w: float) -> str:
    if tau == 0:
        return f"without a threshold nothing moves: w = {_tenths(w)}"
    if w == 0:
        return "x lies in the band, so the lowest point sits in the kink: w is exactly 0"
    return f"x lies outside the band and moves towards zero by τ: w = {_tenths(w)}"
