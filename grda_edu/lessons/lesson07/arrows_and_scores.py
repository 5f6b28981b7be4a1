"""Lesson 07's first figure: the floor with its arrows, the scores, and the weights over λ."""

from __future__ import annotations

from functools import cache

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import keep_goals, veiled
from grda_edu.explore import (
    Explorable,
    Goal,
    Handle,
    Panel,
    Slider,
    axis,
    bars,
    dots,
    key,
    keys,
    line,
    palette,
    panels,
    writing,
)
from grda_edu.toy.flat_valley import direction

from .from_above import arrow, many, marked, placed, valley_panel, valley_rows
from .looks import degrees, hundredths, pair, scores_title, tenths
from .numbers import ANGLES, LAMS, PIVOT, PLACES, closed_path, deaths, paths_at, valley_at

_FIRST = palette.style_of(palette.INK)
_SECOND = palette.Style(palette.MUTED, "dot", "square")
_REACH = 0.85  # how far from the pivot the floor is taken hold of
_STILL = 5e-3  # a weight with a smaller score stays, as far as two decimals show
RIGHT = (0.64, 1)  # where the panels beside the valley are


def valley_sliders(angle: float, lam: float) -> dict[str, Slider]:
    """The floor's angle, w_SGD's place on it, and λ, which plays; angle and λ say where they start."""
    place = "place of SGD's end along the floor"
    return {
        "angle": Slider(ANGLES, label="angle of the floor", start=angle, format=degrees),
        "place": Slider(PLACES, label=place, start=0.0, format=tenths),
        "lam": Slider(LAMS, label="λ", start=lam, format=hundredths, play=True),
    }


@veiled("07.turning")
def floor_and_scores() -> Explorable:
    """The valley from above with w_SGD, sign and its projection; the scores; the weights over λ."""
    demo = Explorable(
        _figure,
        _floor_and_scores,
        valley_sliders(15.0, 0.5),
        label="A valley seen from above, the direction scores of its two weights, and the weights over λ",
        handles=[
            Handle("turn", "angle"),
            Handle("sgd", "place"),
            Handle("now", "lam"),
        ],
        goals=[
            Goal(
                "an angle at which both weights reach zero almost together.",
                _together,
                "07.together",
            ),
            Goal("make one weight grow: its bar has to point down.", _one_grows, "07.grows"),
        ],
    )
    return keep_goals(demo)


def _together(angle: float, place: float, lam: float) -> bool:
    """Is this the angle of the slider whose floor leads closest past the origin?"""
    return angle == min(ANGLES, key=lambda other: _apart(other, place))


@cache
def _apart(angle: float, place: float) -> float:
    """By how much λ differs between the deaths of the two weights; ∞ where one of them lives."""
    first, second = deaths(angle, place)
    return abs(first - second) if np.isfinite([first, second]).all() else np.inf


def _one_grows(angle: float, place: float, lam: float) -> bool:
    return bool(valley_at(angle, place).scores.min() < -_STILL)


def _figure() -> go.Figure:
    green = palette.DIRECTIONAL
    valley = valley_panel(
        line("route", green, width=3),
        arrow("sign", palette.INK),
        line("drop", _SECOND, width=1.2),
        arrow("shadow", green.color),
        marked("sgd", palette.SGD, "w<sub>SGD</sub>"),
        dots("turn", palette.MUTED, size=9),
        marked("now", green, "w<sub>DP</sub>", "bottom left"),
        key=keys(
            key("→ −sign(w)", palette.INK, "none"),
            key("→ its shadow on the floor, −P<sub>0</sub> sign(w)", green, "none"),
            key("w<sub>DP</sub>", green, "both"),
        ),
    )
    names = ["s<sub>1</sub>", "s<sub>2</sub>"]
    scores = Panel(
        bars("scores", green, x=names, width=0.5, textposition="outside", cliponaxis=False),
        x=RIGHT,
        y=(0.62, 1),
        yaxis=axis("score s", (-1.05, 2.35)),
    )
    sizes = Panel(
        line("first", _FIRST),
        line("second", _SECOND),
        many("sizes", [_FIRST, _SECOND]).update(cliponaxis=False),  # whole at zero too
        x=RIGHT,
        y=(0, 0.42),
        key=keys(key("|w<sub>1</sub>|", _FIRST, "both"), key("|w<sub>2</sub>|", _SECOND, "both")),
        xaxis=axis("λ", (0, LAMS[-1])),
        yaxis=axis("size of a weight", (0, 2)),
    )
    return panels(valley, scores, sizes, height=440)


def _floor_and_scores(angle: float, place: float, lam: float) -> tuple[dict[str, object], str]:
    now = paths_at(angle, place)["directional"][LAMS.index(lam)]
    row = {
        **valley_rows(angle),
        **_arrows(angle, place),
        **placed("now", now[None]),
        "sizes.x": [lam, lam],
        "sizes.y": np.abs(now),
    }
    s = valley_at(angle, place).scores
    fates = ", ".join(f"w{'₁₂'[j]} {_fate(s[j], now[j])}" for j in range(2))
    return row, (
        f"s = {pair(s)}. At λ = {hundredths(lam)} directional pruning has reached {pair(now)}: {fates}."
    )


@cache
def _arrows(angle: float, place: float) -> dict[str, object]:
    """What does not depend on λ: the arrows, the whole path, the bars, the title."""
    valley = valley_at(angle, place)
    w, s = valley.w, valley.scores
    tip, shadow = w - np.sign(w), w - valley.P0 @ np.sign(w)
    lams, route = closed_path(valley, LAMS[-1])
    return {
        **placed("route", route),
        **placed("first", np.stack([lams, np.abs(route[:, 0])], axis=1)),
        **placed("second", np.stack([lams, np.abs(route[:, 1])], axis=1)),
        **placed("sign", np.array([w, tip])),
        **placed("drop", np.array([tip, shadow])),
        **placed("shadow", np.array([w, shadow])),
        **placed("sgd", w[None]),
        **placed("turn", (np.array(PIVOT) + _REACH * direction(angle))[None]),
        "scores.y": s,
        "scores.text": [writing.decimal(value) for value in s],
        "layout.title.text": scores_title(w, s),
    }


def _fate(s: float, now: float) -> str:
    if now == 0:
        return "is zero"
    if abs(s) < _STILL:
        return "stays"
    return "shrinks" if s > 0 else "grows"
