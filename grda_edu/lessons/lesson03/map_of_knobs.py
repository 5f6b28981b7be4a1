"""The map of c and μ: every training of the regression, with Lasso's path for comparison."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import keep_goals
from grda_edu.explore import (
    Choice,
    Explorable,
    Goal,
    Handle,
    Panel,
    Slider,
    TextTable,
    axis,
    dots,
    key,
    keys,
    line,
    palette,
    panels,
    tiles,
)
from grda_edu.explore.writing import count, decimal, significant
from grda_edu.shrinkage import tuning_function
from grda_edu.toy import regression

from .numbers import DRAWS, LR, MU, STEPS, C, best_of, result

_MAP_C = C[1:]  # SGD has no place on a logarithmic axis
_MOST_FALSE = 60  # more are drawn at the lower panel's right edge
_LEVEL = palette.GRDA._replace(dash="dash")
_LOST = palette.ZERO._replace(symbol="x")  # a training that lost true weights


def knob_map() -> Explorable:
    """False weights and error over c and μ, with Lasso's path for comparison; a list of draws."""
    for draw in DRAWS.values():
        result(draw)  # outside the tables, whose making is timed
    demo = Explorable(
        _map_figure,
        _map,
        {
            "draw": Choice(DRAWS, label="data"),
            "c": Slider(_MAP_C, label="c", format="g", start=0.7),
            "mu": Slider(MU, label="μ", format="g", start=0.7),
        },
        label="False weights and estimation error after the training, for every c and μ",
        handles=[Handle(f"here{n}", "c", "mu", field=True) for n in ("", " 2")],
        goals=[
            Goal("all ten true weights, with as few false ones as you can.", _fewest, "03.fewest")
        ],
    )
    return keep_goals(demo)


def _fewest(draw: int, c: float, mu: float) -> bool:
    """Are all true weights found, and no fewer false ones to be had on this map?"""
    r = result(draw)
    found, false = (counts[-1, 1:] for counts in r.alive)
    fine, here = found == r.true, (_MAP_C.index(c), MU.index(mu))
    return bool(fine[here] and false[here] == false[fine].min())


def _map_figure() -> go.Figure:
    lower = Panel(
        dots("runs", palette.GRDA, size=7, outline=1.5, opacity=0.6),
        dots("runs that lost", _LOST, size=7, opacity=0.8),
        line("Lasso", palette.TARGET, width=2),
        dots("Lasso's best", palette.TARGET, size=11, outline=1.5),
        dots("here 3", palette.GRDA, size=15, hollow=True, outline=2.5),
        y=(0, 0.38),
        key=keys(
            key("gRDA, all ten found", palette.GRDA, "mark"),
            key("some lost", _LOST, "mark"),
            key("Lasso and its two best", palette.TARGET, "both"),
            key("your c and μ", palette.GRDA, "hollow"),
        ),
        xaxis=axis(f"false weights ({_MOST_FALSE} and more at the edge)", (-2, _MOST_FALSE + 1)),
        yaxis=axis("error", (-1.1, 0.05), log=True, ticks=[0.1, 0.2, 0.3, 0.5, 1]),
    )
    margin = {"l": 60, "r": 56, "t": 60, "b": 52}
    fields = _field("false weights", "(dark: few)"), _field("error", "(dark: small)", " 2")
    return panels(*fields, lower, height=530, margin=margin)


def _field(name: str, beside: str, n: str = "") -> Panel:
    """One of the two upper panels; ``n`` tells the second's marks from the first's."""
    low, high, hover = (0.1, 1, "error %{z:.2f}") if n else (0, _MOST_FALSE, "%{z} false weights")
    x, rows = (0.57, 0.98) if n else (0, 0.41), np.arange(len(MU))
    bar = {"x": x[1], "y": 1, "yanchor": "top", "len": 0.44}
    bar |= {"thickness": 10, "xpad": 4, "outlinewidth": 0}
    c_ticks = {k: f"{_MAP_C[k]:g}" for k in range(0, len(_MAP_C), 4)}
    mu_ticks = {k: f"{mu:g}" for k, mu in enumerate(MU)}
    field = tiles(name, low, high, gap=1, hovertemplate=f"{hover}<extra></extra>")
    return Panel(
        field.update(showscale=True, colorbar=bar),
        line(f"edge{n}", palette.HALO, width=3),
        line(f"level under{n}", palette.HALO, width=6, y=rows),
        line(f"level{n}", _LEVEL, y=rows),
        dots(f"here under{n}", palette.HALO, size=15, hollow=True, outline=7),
        dots(f"here{n}", palette.GRDA, size=15, hollow=True, outline=3),
        x=x,
        y=(0.55, 1),
        title=name,
        beside=beside,
        xaxis=axis("c", (-0.5, len(_MAP_C) - 0.5), ticks=c_ticks, showgrid=False),
        yaxis=axis(
            "" if n else "μ",  # the second's rows are the first's
            (-0.5, len(MU) - 0.5),
            ticks=mu_ticks,
            showgrid=False,
            showticklabels=not n,
        ),
    )


def _map(draw: int, c: float, mu: float) -> tuple[dict[str, object], str]:
    r = result(draw)
    i, j = _MAP_C.index(c), MU.index(mu)
    found, false = (counts[-1, 1:] for counts in r.alive)
    error = r.distance[-1, 1:]
    edge, level = _edge(found == r.true), _same_height(c, mu)
    kept = regression.alive(r.lasso, r.problem.truth)[1]
    off = regression.distance(r.lasso, r.problem.truth)
    best = [r.lasso_fewest_false(), r.lasso_closest()]
    all_found, drawn = (found == r.true).ravel(), np.minimum(false, _MOST_FALSE)
    row = {
        "false weights.z": false.T,
        "error.z": error.T,
        "runs.x": drawn.ravel(),
        "runs.y": np.where(all_found, error.ravel(), np.nan),
        "runs that lost.x": drawn.ravel(),
        "runs that lost.y": np.where(all_found, np.nan, error.ravel()),
        "Lasso.x": kept,
        "Lasso.y": off,
        "Lasso's best.x": kept[best],
        "Lasso's best.y": off[best],
        "here 3.x": [drawn[i, j]],
        "here 3.y": [error[i, j]],
        "layout.title.text": (
            f"{count(false[i, j], 'false weight')}, {found[i, j]} of {r.true} true ones, "
            f"error {decimal(error[i, j])}"
        ),
    }
    for n in ("", " 2"):
        row |= {f"edge{n}.x": edge[0], f"edge{n}.y": edge[1]}
        for mark in ("", " under"):
            row |= {f"level{mark}{n}.x": level, f"here{mark}{n}.x": [i], f"here{mark}{n}.y": [j]}
    height = significant(tuning_function(STEPS, LR, c, mu), 3)
    return row, (
        f"After {STEPS:,} steps the threshold is {height}, and as high along the dashed line. Lasso with "
        f"the fewest false weights has {kept[best[0]]} and error {decimal(off[best[0]])}, with the least "
        f"error {kept[best[1]]} and {decimal(off[best[1]])}."
    )


def _edge(fine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The line on the map right of which some true weight is lost: x, y for ``fine`` [C, MU]."""
    first = np.where(fine.all(axis=0), len(fine), fine.argmin(axis=0)) - 0.5
    y = np.arange(fine.shape[1])
    return np.repeat(first, 2), np.column_stack([y - 0.5, y + 0.5]).ravel()


def _same_height(c: float, mu: float) -> np.ndarray:
    """For each μ the place on the c axis where the threshold ends as high; NaN beyond the map."""
    height = tuning_function(STEPS, LR, c, mu)
    wanted = np.log(height / tuning_function(STEPS, LR, 1.0, np.array(MU)))
    at = np.arange(len(_MAP_C))
    return np.interp(wanted, np.log(_MAP_C), at, left=np.nan, right=np.nan)


def beside_lasso() -> TextTable:
    """gRDA's and Lasso's best on each draw of the data: false weights and error."""
    rows = [
        (name, who, *(f"{false} false, error {decimal(error)}" for false, error in best))
        for name, draw in DRAWS.items()
        for who, best in best_of(draw).items()
    ]
    return TextTable(rows, ("data", "method", "fewest false weights", "least error"))
