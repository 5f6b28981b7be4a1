"""Lesson 07's first figure: a valley that is turned by hand, and what a wish and its shadow cost there."""

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
    heading,
    heading_key,
    key,
    keys,
    line,
    palette,
    panels,
    words,
    writing,
)
from grda_edu.explore.layout import rule
from grda_edu.toy.flat_valley import direction, first_zero

from .from_above import RIGHT, arrow, many, marked, placed, valley_panel, valley_rows
from .looks import STYLES, degrees, hundredths, lam_slider, pair
from .numbers import TO_THE_TIP, TURNED_BY, W_SGD, both_ways, race, straight_path, valley_at

_DROP = palette.Style(palette.MUTED, "dot", "square")
_REACH = 0.85  # how far from w_SGD the floor is taken hold of
_WIDEST = 1.5  # of the gauges
_STILL = 5e-3  # a smaller change of a weight is none, as far as two decimals show
_WISH, _SHADOW = palette.style_of(palette.INK), STYLES["directional"]
_MARK = palette.Style(palette.INK, "solid", "line-ns")


@veiled("07.turning")
def valley_in_hand() -> Explorable:
    """The valley from above with the wish and its shadow, the loss along both, what is left of the weights."""
    demo = Explorable(
        _figure,
        _valley_in_hand,
        {
            "angle": Slider(TURNED_BY, label="angle of the floor", start=15.0, format=degrees),
            "lam": lam_slider(TO_THE_TIP, start=0.0),
        },
        label="A valley seen from above that can be turned, the loss along the wish and along the floor, "
        "and how much is left of the two weights",
        handles=[Handle("turn", "angle"), Handle("balls", "lam", point=1)],
        goals=[
            Goal(
                "an angle at which both weights reach zero almost together.",
                lambda angle, lam: angle == min(TURNED_BY, key=_apart),
                "07.together",
            ),
            Goal(
                "make one weight grow: its gauge fills beyond the mark.",
                _one_grows,
                "07.grows",
            ),
        ],
    )
    return keep_goals(demo)


@cache
def _apart(angle: float) -> float:
    """By how much λ differs between the deaths of the two weights; ∞ where one of them lives."""
    first, second = race(angle)
    return abs(first - second) if np.isfinite([first, second]).all() else np.inf


def _one_grows(angle: float, lam: float) -> bool:
    return bool(lam * valley_at(angle).scores.min() < -_STILL)


def _figure() -> go.Figure:
    green = _SHADOW.color
    valley = valley_panel(
        line("route", _SHADOW, width=3),
        arrow("wish", palette.INK),
        line("drop", _DROP, width=1.2),
        arrow("shadow", green),
        marked("sgd", palette.SGD, "w<sub>SGD</sub>"),
        dots("turn", palette.MUTED, size=9),
        many("balls", [_WISH, _SHADOW]),
        key=keys(
            key("the wish, −sign(w)", _WISH, "both"),
            key("its shadow on the floor", _SHADOW, "both"),
        ),
    )
    loss = Panel(
        line("loss of the wish", _WISH, line_simplify=False),
        line("loss of the shadow", _SHADOW),
        many("losses", [_WISH, _SHADOW]).update(cliponaxis=False),  # whole on the floor too
        x=RIGHT,
        y=(0.55, 1),
        title="The loss on the way",
        xaxis=axis("λ", (0, TO_THE_TIP[-1])),
        yaxis=axis("loss", (0, 4.2), ticks=1),
    )
    names = ["w<sub>1</sub>", "w<sub>2</sub>"]
    gauges = Panel(
        bars("gauges", green, horizontal=True, y=names, width=0.6),
        dots("full", _MARK, size=13, outline=2.5, x=np.abs(W_SGD), y=names),
        dots("dead", palette.ZERO, size=11, outline=2.5, y=names, cliponaxis=False),
        words("left", palette.INK, x=[_WIDEST] * 2, y=names, textposition="middle left"),
        x=RIGHT,
        y=(0, 0.26),
        title="What is left of each weight",
        xaxis=axis("size", (0, _WIDEST), ticks=0.5),
        yaxis=axis(type="category", autorange="reversed"),
    )
    return panels(
        valley, loss, gauges, height=460, shapes=[rule(palette.MUTED, x=0, width=1, panel=1)]
    )


def _valley_in_hand(angle: float, lam: float) -> tuple[dict[str, object], str]:
    found, k = both_ways(angle), TO_THE_TIP.index(lam)
    wish, now = found["wish"][k], found["shadow"][k]
    dear, cheap = (float(found[f"loss of {name}"][k]) for name in ("wish", "shadow"))
    row = {
        **valley_rows(angle),
        **_arrows(angle),
        **placed("balls", np.array([wish, now])),
        "losses.x": [lam, lam],
        "losses.y": [dear, cheap],
        "gauges.x": np.abs(now),
        "dead.x": np.where(now == 0, 0.0, np.nan),
        "left.text": ["zero" if w == 0 else writing.decimal(abs(w)) for w in now],
        "layout.shapes[0].x0": lam,
        "layout.shapes[0].x1": lam,
        "layout.title.text": _title(angle, lam),
    }
    return row, (
        f"At λ = {hundredths(lam)} the way along the floor has come to w = {pair(now)}, at a loss of "
        f"{writing.decimal(cheap)}; along the wish the loss is {writing.decimal(dear)}."
    )


@cache
def _arrows(angle: float) -> dict[str, object]:
    """What does not depend on λ: arrows, whole ways, losses, scores."""
    valley, found = valley_at(angle), both_ways(angle)
    w, s = valley.w, valley.scores
    tip, shadow = w - np.sign(w), w - valley.P0 @ np.sign(w)
    return {
        **placed("route", straight_path(valley, s, TO_THE_TIP[-1])[1]),
        **placed("wish", np.array([w, tip])),
        **placed("drop", np.array([tip, shadow])),
        **placed("shadow", np.array([w, shadow])),
        **placed("sgd", w[None]),
        **placed("turn", (np.array(W_SGD) + _REACH * direction(angle))[None]),
        **placed("loss of the wish", np.stack([TO_THE_TIP, found["loss of wish"]], axis=1)),
        **placed("loss of the shadow", np.stack([TO_THE_TIP, found["loss of shadow"]], axis=1)),
        heading_key(2): heading("What is left of each weight", f"scores s = {pair(s)}"),
    }


@cache
def _died_first(angle: float) -> tuple[int, float]:
    """Which weight the floor's way brings to zero first, and at which λ; (-1, ∞) if none."""
    valley = valley_at(angle)
    return first_zero(valley.w, valley.scores)


def _title(angle: float, lam: float) -> str:
    j, at = _died_first(angle)
    if lam >= at:
        return f"w<sub>{j + 1}</sub> died first, at λ = {writing.decimal(at)}"
    if not lam:
        return "At the start: both weights as SGD left them"
    return "Both weights are alive"
