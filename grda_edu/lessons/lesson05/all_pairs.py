"""Lesson 05: every recorded pair (c, μ), and the frontier."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Explorable, Slider, palette
from grda_edu.explore.legend import coloured
from grda_edu.explore.writing import percent
from grda_edu.views.probes import SearchView

from .by_seed import _above
from .numbers import (
    FINAL_LOSS,
    MARGIN,
    chosen,
    collapsed,
    developed,
    frontier,
    gap,
    means,
    nearest,
    points,
)

_LOWEST = -0.06  # accuracy lost beyond it is drawn at the lower edge


def trade_off(search: SearchView | None = None) -> Explorable:
    """Every recorded (c, μ) with the seeds' spread; the sliders stand where ``search`` ended."""
    runs = developed()
    c, mu = chosen(search)
    return Explorable(
        _map_figure,
        _map_row,
        {
            "c": Slider(runs.c[1:].tolist(), label="c", format="g", start=c),
            "mu": Slider(runs.mu.tolist(), label="μ", format="g", start=mu),
        },
        label="All recorded pairs of c and μ: zeros and accuracy, the frontier, and one pair's seeds",
    )


def _map_figure() -> go.Figure:
    runs = developed()
    zeros, lost = means(runs)
    columns, rows = np.arange(len(runs.c) - 1), np.arange(len(runs.mu))
    dead = collapsed(runs)[1:].sum(axis=2)  # [C-1, M]
    text = [
        [("†" * int(dead[i, j]) or points(lost[i, j])) for i in range(len(columns))]
        for j in range(len(rows))
    ]
    best = frontier(runs)
    at = tuple(best.T)
    picture = palette.figure(
        go.Heatmap(
            name="map",
            x=columns,
            y=rows,
            z=zeros.T,
            zmin=0,
            zmax=1,
            colorscale=palette.FIELD,
            showscale=False,
            xgap=1,
            ygap=1,
            text=text,
            texttemplate="%{text}",
            textfont={"size": 11},
            hovertemplate="%{z:.0%} zeros<extra></extra>",
        ),
        go.Scatter(
            name="here",
            mode="markers",
            marker={"symbol": "square-open", "size": 30, "color": palette.GRDA.color}
            | {"line": {"width": 3}},
            hoverinfo="skip",
        ),
        go.Scatter(
            name="all",
            x=zeros.ravel(),
            y=np.maximum(lost, _LOWEST).ravel(),
            mode="markers",
            marker={"color": palette.MUTED, "size": 5},
            opacity=0.5,
            xaxis="x2",
            yaxis="y2",
            hoverinfo="skip",
        ),
        go.Scatter(
            name="frontier",
            x=zeros[at],
            y=np.maximum(lost[at], _LOWEST),
            mode="lines",
            line={"color": palette.INK, "width": 1.5, "shape": "vh", "dash": "solid"},
            xaxis="x2",
            yaxis="y2",
            hoverinfo="skip",
        ),
        go.Scatter(
            name="seeds",
            mode="markers",
            marker={"symbol": "circle-open", "size": 9, "color": palette.GRDA.color},
            xaxis="x2",
            yaxis="y2",
            hoverinfo="skip",
        ),
        go.Scatter(
            name="mean",
            mode="markers",
            marker={"symbol": "circle", "size": 12, "color": palette.GRDA.color}
            | {"line": {"color": palette.PAPER, "width": 1.5}},
            xaxis="x2",
            yaxis="y2",
            hoverinfo="skip",
        ),
        height=420,
        margin={"l": 52, "r": 16, "t": 40, "b": 48},
        xaxis={
            "domain": [0, 0.52],
            "range": [-0.5, len(columns) - 0.5],
            "tickvals": columns,
            "showgrid": False,
            "zeroline": False,
        }
        | {"ticktext": [f"{c:g}" for c in runs.c[1:]], "title_text": "c", "tickangle": 0}
        | {"tickfont": {"size": 11}},
        yaxis={
            "domain": [0, 0.84],
            "range": [-0.5, len(rows) - 0.5],
            "tickvals": rows,
            "showgrid": False,
            "zeroline": False,
        }
        | {"ticktext": [f"{m:g}" for m in runs.mu], "title_text": "μ"},
        xaxis2={"domain": [0.64, 1], "anchor": "y2", "range": [-0.04, 1.04], "tickformat": ".0%"}
        | {"title_text": "weights exactly zero", "zeroline": False, "dtick": 0.25},
        yaxis2={"domain": [0, 0.84], "anchor": "x2", "range": [_LOWEST - 0.006, 0.015]}
        | {"title_text": "points from SGD", "tickvals": [*np.arange(-5, 2) / 100, _LOWEST]}
        | {"ticktext": [*(points(k / 100, 0) for k in range(-5, 2)), "≤ −6"]},
        annotations=[_above(0.85), _above(0.85, 0.58)],
    )
    first, second = picture.layout.annotations
    first.text = (
        "<b>Zeros</b> (brighter is more); in each field<br>points from SGD, one † a collapsed seed"
    )
    second.text = f"━ frontier   {coloured('● mean, ○ seeds of □', palette.GRDA)}"
    return picture


def _map_row(c: float, mu: float) -> tuple[dict, str]:
    runs = developed()
    i, j = nearest(runs.c, c), nearest(runs.mu, mu)
    accuracy = runs.final("test_accuracy")
    lost, zeros = (accuracy - accuracy[:1])[i, j], runs.final("total_zeros")[i, j]
    more = gap(runs, c, mu)
    row = {
        "here.x": [i - 1],
        "here.y": [j],
        "seeds.x": zeros,
        "seeds.y": np.maximum(lost, _LOWEST),
        "mean.x": [zeros.mean()],
        "mean.y": [max(lost.mean(), _LOWEST)],
        "layout.title.text": f"c = {c:g}, μ = {mu:g}: {percent(zeros.mean())} zeros, "
        f"{points(lost.mean())} points from SGD",
    }
    dead = int(collapsed(runs)[i, j].sum())
    words = f"{dead} of {len(lost)} seeds collapsed. " if dead else ""
    if lost.mean() < -FINAL_LOSS:
        where = "This loses more than one point."
    elif more == 0:
        where = "This is on the frontier: no recorded pair has more zeros and is as accurate."
    else:
        where = f"Another recorded pair is as accurate with {100 * more:.1f} points more zeros"
        where += ": on the frontier, give or take." if more <= MARGIN else "."
    return row, (
        f"c = {c:g}, μ = {mu:g} after {int(runs.epoch[-1])} epochs: {percent(zeros.mean())} zeros; the seeds end "
        f"{', '.join(points(x) for x in lost)} points from SGD. {words}{where}"
    )
