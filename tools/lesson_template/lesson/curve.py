"""Lesson __NN__'s figure: a parabola and its tangent."""

from __future__ import annotations

import plotly.graph_objects as go

from grda_edu.course import keep_goals
from grda_edu.explore import (
    Explorable,
    Goal,
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

from .numbers import AT, X, height, slope


def parabola() -> Explorable:
    """A parabola whose curvature is a slider, and its tangent at x = 2."""
    demo = Explorable(
        _figure,
        _row,
        {"a": Slider.linear(0, 2, 21, label="curvature a", format=".1f", start=0.5)},
        label="A parabola and its tangent",
        goals=[
            Goal(
                f"the curvature whose tangent at x = {AT:g} rises by 3.",
                lambda a: abs(slope(AT, a) - 3) < 1e-9,
                name="__NN__.rises_by_three",
            )
        ],
    )
    return keep_goals(demo)


def _figure() -> go.Figure:
    return panels(
        Panel(
            line("curve", palette.INK, x=X),
            line("tangent", palette.TARGET, x=X),
            dots("point", palette.INK, size=10, outline=1.5, x=[AT]),
            y=(0, 0.9),
            key=keys(key("½ a x²", palette.INK), key("tangent", palette.TARGET)),
            xaxis=axis("x", (-3, 3)),
            yaxis=axis("height", (-1, 9)),
        )
    )


def _row(a: float) -> tuple[dict, str]:
    high, rise = height(AT, a), slope(AT, a)
    row = {
        "curve.y": height(X, a),
        "tangent.y": high + rise * (X - AT),
        "point.y": [high],
        "layout.title.text": f"The slope at x = {AT:g} is {writing.decimal(rise, 1)}",
    }
    return row, (
        f"Curvature {writing.decimal(a, 1)}: at x = {AT:g} the curve is {writing.decimal(high, 1)} high "
        f"and rises by {writing.decimal(rise, 1)} a unit."
    )
