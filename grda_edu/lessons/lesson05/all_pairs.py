"""Lesson 05: every recorded pair (c, μ), and the frontier."""

from __future__ import annotations

from typing import Any

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
    tiles,
)
from grda_edu.explore.writing import decimal, percent, points
from grda_edu.views.probes import SearchView

from .numbers import (
    FINAL_LOSS,
    MARGIN,
    chosen,
    developed,
    frontier,
    gap,
    means,
    nearest,
)

HERE = palette.GRDA._replace(symbol="square-open")  # the chosen pair
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
    dead = runs.collapsed()[1:].sum(axis=2)
    best = tuple(frontier(runs).T)
    words = [
        ["†" * n or points(x) for n, x in zip(*column, strict=True)]
        for column in zip(dead.T, lost.T, strict=True)
    ]
    cells: dict[str, Any] = {"showgrid": False, "zeroline": False}
    fields = Panel(
        tiles("map", 0, 1, gap=1, z=zeros.T, hovertemplate="%{z:.0%} zeros<extra></extra>").update(
            text=words, texttemplate="%{text}", textfont_size=11
        ),
        dots("here", HERE, size=30, outline=3),
        x=(0, 0.52),
        y=(0, 0.84),
        title="Zeros (brighter is more)",
        key=f"in each field points from SGD, † a collapsed seed, {key('chosen', HERE, 'mark')}",
        xaxis=axis(
            "c",
            (-0.5, len(zeros) - 0.5),
            ticks=_names(runs.c[1:]),
            tickangle=0,
            tickfont_size=11,
            **cells,
        ),
        yaxis=axis("μ", (-0.5, len(runs.mu) - 0.5), ticks=_names(runs.mu), **cells),
    )
    depths = {_LOWEST: f"≤ {points(_LOWEST, 0)}"} | {
        k / 100: points(k / 100, 0) for k in range(-5, 2)
    }
    runs_of_all = Panel(
        dots("all", palette.MUTED, size=5, opacity=0.5, x=zeros.ravel(), y=_drawn(lost).ravel()),
        line(
            "frontier", palette.INK, width=1.5, line_shape="vh", x=zeros[best], y=_drawn(lost[best])
        ),
        dots("seeds", palette.GRDA, hollow=True, size=9),
        dots("mean", palette.GRDA, size=12, outline=1.5),
        x=(0.64, 1),
        y=(0, 0.84),
        key=keys(
            key("frontier", palette.INK),
            key("its mean", palette.GRDA, "mark"),
            key("its seeds", palette.GRDA, "hollow"),
        ),
        xaxis=axis("weights exactly zero", (-0.04, 1.04), share=True, ticks=0.25, zeroline=False),
        yaxis=axis("points from SGD", (_LOWEST - 0.006, 0.015), ticks=depths),
    )
    return panels(fields, runs_of_all, height=420, margin={"l": 52, "r": 16, "t": 40, "b": 48})


def _names(values: np.ndarray) -> dict[float, str]:
    return {k: f"{value:g}" for k, value in enumerate(values)}


def _drawn(lost: np.ndarray) -> np.ndarray:
    return np.maximum(lost, _LOWEST)


def _map_row(c: float, mu: float) -> tuple[dict, str]:
    runs = developed()
    i, j = nearest(runs.c, c), nearest(runs.mu, mu)
    lost, zeros = runs.minus_sgd()[i, j, :, -1], runs.final("total_zeros")[i, j]
    more = gap(runs, c, mu)
    row = {
        "here.x": [i - 1],
        "here.y": [j],
        "seeds.x": zeros,
        "seeds.y": _drawn(lost),
        "mean.x": [zeros.mean()],
        "mean.y": _drawn(lost.mean(keepdims=True)),
        "layout.title.text": f"c = {c:g}, μ = {mu:g}: {percent(zeros.mean())} zeros, "
        f"{points(lost.mean())} points from SGD",
    }
    dead = int(runs.collapsed()[i, j].sum())
    words = f"{dead} of {len(lost)} seeds collapsed. " if dead else ""
    if lost.mean() < -FINAL_LOSS:
        where = "This loses more than one point."
    elif more == 0:
        where = "This is on the frontier: no recorded pair has more zeros and is as accurate."
    else:
        where = (
            f"Another recorded pair is as accurate with {decimal(100 * more, 1)} points more zeros"
        )
        where += ": on the frontier, give or take." if more <= MARGIN else "."
    return row, (
        f"The seeds end {', '.join(points(x) for x in lost)} points from SGD. {words}{where}"
    )
