"""Lesson 07's last figure: three weights, and a floor that is a plane."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from grda_edu.explore import (
    Explorable,
    Panel,
    Slider,
    axis,
    key,
    keys,
    line,
    note,
    palette,
    panels,
)
from grda_edu.explore.layout import rule

from .from_above import placed
from .looks import NAMES, STYLES, degrees, lam_slider, paid, scores_title
from .numbers import LAMS3, POINT, TILTS, plane_corners, plane_paths, plane_valley

_DRAWN = {
    "directional": STYLES["directional"],
    "floor": STYLES["floor"],
    # in space an x is taken from a font, which not every computer has
    "obs": STYLES["obs"]._replace(symbol="circle"),
}


def three_weights() -> Explorable:
    """The same in three dimensions: a flat plane with the paths over it, and the weights over λ."""
    return Explorable(
        _figure,
        _three_weights,
        {
            "tilt": Slider(TILTS, label="tilt of the floor", start=20.0, format=degrees),
            "lam": lam_slider(LAMS3, start=0.7),
        },
        label="Three weights: paths of pruning over a flat plane in space, and the weights over λ",
    )


def _figure() -> go.Figure:
    weights = Panel(
        *(
            line(f"{name} {j}", STYLES[name], x=LAMS3)
            for name in ("directional", "floor")
            for j in (1, 2, 3)
        ),
        x=(0.68, 1),
        xaxis=axis("λ", (0, LAMS3[-1])),
        yaxis=axis("weight", (-0.03, 1.1)),
    )
    space = Panel(
        *_space_traces(),
        x=(0, 0.6),
        key=keys(*(key(NAMES[name], style, "both") for name, style in _DRAWN.items())),
        scene=_scene(),
    )
    labels = [
        note(0.04, w + 0.05, f"w<sub>{j}</sub>", yanchor="middle") for j, w in enumerate(POINT, 1)
    ]
    return panels(
        space,
        weights,
        height=440,
        notes=labels,
        shapes=[rule(palette.MUTED, x=0, width=1)],
        margin_l=8,
    )


def _scene() -> dict[str, object]:
    look: dict[str, Any] = {
        "gridcolor": palette.GRID,
        "zerolinecolor": palette.MUTED,
        "color": palette.INK,
    }
    axes = {
        f"{letter}axis": axis(f"w<sub>{j}</sub>", (-0.3, 1.5), ticks=(0, 0.5, 1), **look)
        for j, letter in enumerate("xyz", 1)
    }
    return {
        **axes,
        "aspectmode": "cube",
        "camera": {
            "eye": {"x": 1.8, "y": 1.55, "z": 0.87},
            "center": {"x": 0.1, "y": -0.12, "z": -0.12},
        },
        "dragmode": "turntable",
    }


def _space_traces() -> list[go.Mesh3d | go.Scatter3d]:
    quiet = {"hoverinfo": "skip"}
    plane = {"i": [0, 0], "j": [1, 2], "k": [2, 3], "color": palette.MUTED, "opacity": 0.3}
    traces = [go.Mesh3d(name="plane", **plane, **quiet)]
    for name, style in _DRAWN.items():
        dot = {"color": style.color, "symbol": style.symbol, "size": 6}
        traces += [
            go.Scatter3d(name=name, mode="lines", line=style.line(6), **quiet),
            go.Scatter3d(name=f"{name} now", mode="markers", marker=dot, **quiet),
        ]
    blue = {"color": palette.SGD.color}
    words = {"text": ["w<sub>SGD</sub>"], "textfont": blue, "textposition": "bottom center"}
    dot = {**blue, "symbol": palette.SGD.symbol, "size": 6}
    at = dict(zip("xyz", POINT[:, None], strict=True))
    traces.append(go.Scatter3d(name="sgd", mode="markers+text", marker=dot, **at, **words, **quiet))
    return traces


def _three_weights(tilt: float, lam: float) -> tuple[dict[str, object], str]:
    k, found, valley = LAMS3.index(lam), plane_paths(tilt), plane_valley(tilt)
    row: dict[str, object] = {
        **placed("plane", plane_corners(valley)),
        "layout.title.text": scores_title(valley.w, valley.scores),
        "layout.shapes[0].x0": lam,
        "layout.shapes[0].x1": lam,
    }
    for name in _DRAWN:
        row |= placed(name, found[name]) | placed(f"{name} now", found[name][k : k + 1])
    for name in ("directional", "floor"):
        row |= {f"{name} {j}.y": found[name][:, j - 1] for j in (1, 2, 3)}
    return row, paid(lam, {name: float(valley.loss(found[name][k])) for name in _DRAWN})
