"""Lesson 02's first figure: the accumulator against the growing band, and the weight beside it."""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import keep_goals
from grda_edu.explore import (
    Choice,
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
    words,
    writing,
)
from grda_edu.toy import quadratic
from grda_edu.toy.quadratic import GRDA

from .numbers import END, FLAT, GOAL_TIME, SITUATIONS, A, C, Situation, c_for_goal

NOW = np.linspace(0, END, 51).round(6)  # where the time slider stops
DRAWN = np.linspace(0, END, 151).round(6)  # the curves' points
MARKED = 8  # deaths, and revivals, that are marked at most
_NEVER = 2 * END  # after every time that the slider reaches
_SLACK = 1e-6  # of times that are sums of steps
LASTING = 2.0  # a death or revival that lasts so long gets words beside its mark
NAN = float("nan")
BLANK = "\u00a0"  # plotly loses a text that was empty before


class _Paths:
    """gRDA in one situation for all ``A`` and ``C``, looked up by position afterwards."""

    def __init__(self, here: Situation) -> None:
        path = quadratic.simulate(
            GRDA,
            a=np.array(A)[:, None],
            c=np.array(C),
            w_star=here.w_star,
            w0=here.w0,
            lr=here.lr,
            mu=here.mu,
            noise=here.noise(),
            steps=round(END / here.lr),
        )
        drawn, now = (np.rint(times / here.lr).astype(int) for times in (DRAWN, NOW))
        self.now = np.stack([path.v, path.g, path.w])[:, now].tolist()  # [3][time][a][c]
        died, revived = quadratic.deaths(path.w), quadratic.revivals(path.w)
        top = path.g.max()
        self.died, self.revived = {}, {}  # (curvature, c) -> times
        self.still = {}  # (curvature, c) -> the part of a row that does not follow the time
        for i, j in np.ndindex(len(A), len(C)):
            events = [np.flatnonzero(where[:, i, j]) for where in (died, revived)]
            self.died[i, j], self.revived[i, j] = (path.t[steps] for steps in events)
            v, g, w = (x[drawn, i, j] for x in (path.v, path.g, path.w))
            self.still[i, j] = {
                "upper.y": g,
                "lower.y": -g,
                "v.y": v,
                "target.y": [here.w_star] * 2,
                "SGD.y": path.w[drawn, i, 0],
                "w.y": w,
                "zero.y": np.where(w == 0, 0.0, np.nan),
                "layout.yaxis.range": [-1.08 * top, 1.08 * max(top, path.v.max())],
                **_marks(path.t, path.v[:, i, j], *events),
            }


def _marks(t: np.ndarray, v: np.ndarray, died: np.ndarray, revived: np.ndarray) -> dict:
    """Where deaths and revivals (step numbers) are marked, and words go beside the first ones.

    Words that never come are placed at the end, where they stay blank: plotly loses a text that had
    no place.
    """
    x, y = np.full(2 * MARKED, np.nan), np.full(2 * MARKED, np.nan)
    at = [_NEVER, _NEVER]
    for k, (steps, others) in enumerate(((died, revived), (revived, died))):
        shown = steps[:MARKED]
        here = slice(k * MARKED, k * MARKED + shown.size)
        x[here], y[here] = t[shown], v[shown]
        lasting = [n for n in shown if not _between(t[others], t[n], t[n] + LASTING)]
        if lasting:
            at[k] = t[lasting[0]]
    return {"marks of v.x": x, "marks of v.y": y, "marks of w.x": x, "words.x": at}


def _said(at: list[float], time: float) -> list[str]:
    """The words beside a death and a revival at these times, blank until they have happened."""
    death, revival = at
    return [
        f"dies {death:.1f}" if death <= time + _SLACK else BLANK,
        f"{BLANK}<br>revives {revival:.1f}" if revival <= time + _SLACK else BLANK,  # a line below
    ]


def _between(times: np.ndarray, low: float, high: float) -> bool:
    return bool(((times > low) & (times < high)).any())


_paths = cache(_Paths)


def two_spaces() -> Explorable:
    """The accumulator against the growing band, the weight beside it, at one time.

    Choosing a situation also moves the sliders a and c to where it is meant to be seen.
    """
    demo = Explorable(
        _figure,
        _two_spaces,
        {
            "situation": Choice(SITUATIONS, label="situation"),
            "a": Slider(A, label="curvature a", format=lambda a: f"{a:g}" if a else "0 (flat)"),
            "c": Slider(C, label="c", format="g", start=FLAT.at[1]),
            "time": Slider(NOW.tolist(), label="time t", format=".1f", start=12.0, play=True),
        },
        label="Accumulator with the band on the left, weight on the right, over the same time",
        goals=[
            Goal(
                f"with a flat weight, a = 0, the smallest c with which it is zero before t = {GOAL_TIME:g}.",
                lambda situation, a, c, time: situation is FLAT and a == 0 and c == c_for_goal(),
                name="02.dead_in_time",
            )
        ],
    )
    demo.observe(lambda change: _go_to(demo, SITUATIONS[change["new"]]), "situation")
    return keep_goals(demo)


def _go_to(demo: Explorable, here: Situation) -> None:
    """Move the sliders to where ``here`` is meant to be seen; Reset goes back there too."""
    demo.a, demo.c = here.at
    demo.start = [_A_AT[demo.a], _C_AT[demo.c], demo.start[2]]


def _figure() -> go.Figure:
    edge: dict[str, Any] = {"width": 1.4, "x": DRAWN}
    accumulator = Panel(
        line("upper", palette.BAND_EDGE, **edge),
        line("lower", palette.BAND_EDGE, fill="tonexty", fillcolor=palette.BAND, **edge),
        line("v", palette.INK, width=2.4, x=DRAWN),
        _marks_trace("marks of v"),
        _future("future of v"),
        _stick("beyond"),
        x=(0, 0.45),
        title="Accumulator",
        key=keys(
            key("v", palette.INK),
            key("band ±g", palette.BAND_EDGE, "bar"),
            key("what is beyond it", palette.GRDA, "both"),
        ),
        xaxis=axis("time t = nγ", (0, END)),
        yaxis=axis("accumulator v"),
    )
    weight = Panel(
        line("target", palette.TARGET, width=1.4, x=[0, END]),
        line("SGD", palette.SGD, width=1.8, x=DRAWN),
        line("w", palette.GRDA, width=2.6, x=DRAWN),
        line("zero", palette.ZERO, width=5, x=DRAWN),
        _marks_trace("marks of w", y=np.zeros(2 * MARKED)),
        words(
            "words",
            palette.INK,
            size=12,
            y=[0, 0],
            mode="markers+text",
            marker={"size": 11, "opacity": 0},  # text keeps clear of them
            textposition="bottom right",
            cliponaxis=False,
        ),
        _future("future of w"),
        _stick("weight"),
        x=(0.56, 1),
        title="Weight",
        key=keys(
            key("w = S<sub>g</sub>(v)", palette.GRDA),
            key("exactly 0", palette.ZERO),
            key("SGD", palette.SGD),
            key("w*", palette.TARGET),
        ),
        xaxis=axis("time t = nγ", (0, END)),
        yaxis=axis("weight w", matches="y"),
    )
    return panels(accumulator, weight, height=440, margin={"t": 84})


def _marks_trace(name: str, **more: Any) -> go.Scatter:
    """Hollow circles for deaths, then stars for revivals."""

    def each(death: object, revival: object) -> list[object]:
        return [death] * MARKED + [revival] * MARKED

    marker = {
        "symbol": each(palette.ZERO.symbol, "star-diamond"),
        "color": each(palette.ZERO.color, palette.GRDA.color),
        "line": {"width": each(2.5, 0.0)},
    }
    return dots(name, palette.GRDA, size=11, cliponaxis=False, marker=marker, **more)


def _stick(name: str) -> go.Scatter:
    """A bar from its first point to a dot at its second, or a hollow dot at the third point."""
    full, hollow = palette.GRDA, palette.ZERO
    rim = {"width": [0, 1.5, 2.5], "color": [palette.PAPER, palette.PAPER, hollow.color]}
    marker = {
        "size": [0, 12, 11],
        "color": [full.color, full.color, hollow.color],
        "symbol": [full.symbol, full.symbol, hollow.symbol],
        "opacity": 1,
        "line": rim,
    }
    return line(name, full, width=6, mode="lines+markers", marker=marker, cliponaxis=False)


def _future(name: str) -> go.Scatter:
    """A veil over what has not happened yet; its edge is now. What is drawn later lies above it."""
    veil: dict[str, Any] = {"fill": "toself", "fillcolor": palette.PAPER, "opacity": 0.65}
    return line(name, palette.MUTED, width=1.5, y=[-99, 99, 99, -99], **veil)


_A_AT, _C_AT = ({value: k for k, value in enumerate(grid)} for grid in (A, C))
_NOW_AT = {value: k for k, value in enumerate(NOW.tolist())}


def _two_spaces(situation: Situation, a: float, c: float, time: float) -> tuple[dict, str]:
    paths = _paths(situation)
    at = i, j = _A_AT[a], _C_AT[c]
    v, g, w = (state[_NOW_AT[time]][i][j] for state in paths.now)
    veil = [time, time, 2 * END, 2 * END]
    row = paths.still[at] | {
        "future of v.x": veil,
        "future of w.x": veil,
        "beyond.x": [time] * 3,
        "beyond.y": [v - w, v, NAN] if w else [NAN, NAN, v],
        "weight.x": [time] * 3,
        "weight.y": [0.0, w, NAN] if w else [NAN, NAN, 0.0],
        "words.text": _said(paths.still[at]["words.x"], time),
        "layout.title.text": _title(v, g, w),
    }
    return row, _story(a, c, time, (v, g, w), paths.died[at], paths.revived[at])


def _title(v: float, g: float, w: float) -> str:
    if not w:
        return f"v = {_value(v)} is inside ±{_value(g)}, so w = 0"
    return f"v = {_value(v)} is beyond {_value(g if v > 0 else -g)}, so w = {_value(w)}"


def _value(x: float) -> str:
    """Two decimals, or one significant digit of what they would write as zero."""
    return writing.decimal(x) if abs(x) >= 0.005 or x == 0 else writing.significant(x, 1)


def _story(
    a: float,
    c: float,
    time: float,
    now: tuple[float, float, float],
    died: np.ndarray,
    revived: np.ndarray,
) -> str:
    v, g, w = now
    where = f"t = {time:.1f}, a = {a:g}, c = {c:g}"
    if c == 0:
        return f"{where}: without a threshold w = v = {_value(w)}. This is SGD."
    deaths, revivals = (bisect_right(times, time + _SLACK) for times in (died, revived))
    if not w:
        since = f"since t = {died[deaths - 1]:.1f}"
        return f"{where}: v is inside ±{_value(g)}, and w exactly 0, {since}."
    back = f" It came back at t = {revived[revivals - 1]:.1f}." if revivals else ""
    beyond = f"v = {_value(v)} is {_value(abs(w))} beyond the band"
    return f"{where}: {beyond}, and that is the weight.{back}"
