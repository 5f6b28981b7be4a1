"""Lesson 02's first figure: the accumulator against the growing band, and the weight beside it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.toy import quadratic
from grda_edu.toy.quadratic import GRDA

LINES = {"mode": "lines", "hoverinfo": "skip"}
HOLLOW: dict[str, object] = {"symbol": palette.ZERO.symbol, "color": palette.ZERO.color}
HOLLOW |= {"size": 11, "line": {"width": 2.5}}  # markers of what is exactly zero

A = (0.0, 0.01, 0.02, 0.03, 0.05, 0.1, 0.3, 1.0)
C = tuple(np.linspace(0, 0.3, 13).round(3).tolist())
END = 60.0  # time at the right edge
NOW = np.linspace(0, END, 51).round(6)  # where the time slider stops
DRAWN = np.linspace(0, END, 151).round(6)  # the curves' points
MARKED = 8  # deaths, and revivals, that are marked at most
LASTING = 2.0  # a death or revival that lasts so long gets words beside its mark
NAN = float("nan")
BLANK = "\u00a0"  # plotly loses a text that was empty before


@dataclass(frozen=True)
class Situation:
    """A preset: a problem, and where it puts the sliders ``a`` and ``c``."""

    w0: float
    w_star: float
    at: tuple[float, float]  # a, c
    mu: float = 0.6
    lr: float = 0.1
    sigma: float = 0.0
    seed: int = 0

    def noise(self) -> np.ndarray | float:
        """The gradients' noise, the same for every curvature and c: [steps, 1, 1], or 0."""
        if not self.sigma:
            return 0.0
        draws = np.random.default_rng(self.seed).standard_normal((round(END / self.lr), 1, 1))
        return self.sigma * draws


FLAT = Situation(0.5, 0.5, at=(0.0, 0.2))
SHARP = Situation(0.5, 0.5, at=(1.0, 0.2))
BACK = Situation(-0.4, 1.0, at=(0.03, 0.2))
SITUATIONS = {
    "a flat weight": FLAT,
    "a sharp weight": SHARP,
    "a weight that dies and revives (w* = 1)": BACK,
    "the loss wants zero (w* = 0)": Situation(0.5, 0.0, at=(0.3, 0.2)),
    "noise in the gradients (σ = 0.25)": Situation(0.5, 0.5, at=(0.0, 0.2), sigma=0.25, seed=8),
    "a faster threshold (μ = 0.9)": Situation(0.5, 0.5, at=(0.3, 0.1), mu=0.9),
    "larger steps (γ = 0.4)": Situation(0.5, 0.5, at=(0.0, 0.2), lr=0.4),
}


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
                "layout.yaxis.range": [-1.08 * path.g.max(), 1.04 * path.v.max()],
                **_marks(path.t, path.v[:, i, j], *events),
            }


def _marks(t: np.ndarray, v: np.ndarray, died: np.ndarray, revived: np.ndarray) -> dict:
    """Where deaths and revivals (step numbers) are marked, and the words beside the first ones."""
    x, y = np.full(2 * MARKED, np.nan), np.full(2 * MARKED, np.nan)
    at, text = [0.0, 0.0], [BLANK, BLANK]
    for k, (steps, others) in enumerate(((died, revived), (revived, died))):
        shown = steps[:MARKED]
        here = slice(k * MARKED, k * MARKED + shown.size)
        x[here], y[here] = t[shown], v[shown]
        lasting = [n for n in shown if not _between(t[others], t[n], t[n] + LASTING)]
        if lasting:
            at[k] = t[lasting[0]]
            text[k] = (f"dies {at[k]:.1f}", f"{BLANK}<br>revives {at[k]:.1f}")[k]  # a line below
    return {"marks of v.x": x, "marks of v.y": y, "marks of w.x": x} | {
        "words.x": at,
        "words.text": text,
    }


def _between(times: np.ndarray, low: float, high: float) -> bool:
    return bool(((times > low) & (times < high)).any())


_paths = cache(_Paths)


def two_spaces() -> Explorable:
    """The accumulator against the growing band, the weight beside it, at one time.

    Choosing a situation also moves the sliders a and c to where it is meant to be seen.
    """
    demo = Explorable(
        _spaces_figure,
        _two_spaces,
        {
            "situation": Choice(SITUATIONS, label="situation"),
            "a": Slider(A, label="curvature a", format=lambda a: f"{a:g}" if a else "0 (flat)"),
            "c": Slider(C, label="c", format="g", start=FLAT.at[1]),
            "time": Slider(NOW.tolist(), label="time t", format=".1f", start=12.0, play=True),
        },
        label="Accumulator with the band on the left, weight on the right, over the same time",
    )
    demo.observe(lambda change: _go_to(demo, SITUATIONS[change["new"]]), "situation")
    return demo


def _go_to(demo: Explorable, here: Situation) -> None:
    """Move the sliders to where ``here`` is meant to be seen; Reset goes back there too."""
    demo.a, demo.c = here.at
    demo.start = [_A_AT[demo.a], _C_AT[demo.c], demo.start[2]]


def _spaces_figure() -> go.Figure:
    left, right = {"xaxis": "x", "yaxis": "y"}, {"xaxis": "x2", "yaxis": "y2"}
    edge = {"x": DRAWN, "line": palette.BAND_EDGE.line(1.4), **LINES, **left}
    marks = {"hoverinfo": "skip", "cliponaxis": False, "marker": _marker()}
    marks["mode"] = "markers"
    words = {"mode": "markers+text", "textposition": "bottom right", "cliponaxis": False}
    words |= {"y": [0, 0], "marker": {"size": 11, "opacity": 0}}  # text keeps clear of them
    words["textfont"] = {"size": 12, "color": palette.INK}
    return palette.figure(
        go.Scatter(name="upper", **edge),
        go.Scatter(name="lower", fill="tonexty", fillcolor=palette.BAND, **edge),
        go.Scatter(name="v", x=DRAWN, line={"color": palette.INK, "width": 2.4}, **LINES, **left),
        go.Scatter(name="marks of v", **marks, **left),
        _future("future of v", **left),
        _stick("beyond", **left),
        go.Scatter(name="target", x=[0, END], line=palette.TARGET.line(1.4), **LINES, **right),
        go.Scatter(name="SGD", x=DRAWN, line=palette.SGD.line(1.8), **LINES, **right),
        go.Scatter(name="w", x=DRAWN, line=palette.GRDA.line(2.6), **LINES, **right),
        go.Scatter(name="zero", x=DRAWN, line=palette.ZERO.line(5), **LINES, **right),
        go.Scatter(name="marks of w", y=np.zeros(2 * MARKED), **marks, **right),
        go.Scatter(name="words", hoverinfo="skip", **words, **right),
        _future("future of w", **right),
        _stick("weight", **right),
        height=440,
        margin={"t": 84},
        xaxis={"domain": [0, 0.45], "range": [0, END], "title_text": "time t = nγ"},
        yaxis={"title_text": "accumulator v"},
        xaxis2={"domain": [0.56, 1], "range": [0, END], "title_text": "time t = nγ"},
        yaxis2={"anchor": "x2", "matches": "y", "title_text": "weight w"},
        annotations=[
            heading(
                0.0,
                "Accumulator",
                ("v ━", palette.INK),
                ("▮ band ±g", palette.BAND_EDGE.color),
                ("▌what is beyond it", palette.GRDA.color),
            ),
            heading(
                0.56,
                "Weight",
                ("w = S<sub>g</sub>(v) ━", palette.GRDA.color),
                ("▬ exactly 0", palette.ZERO.color),
                ("SGD ╌", palette.SGD.color),
                ("w* ─·", palette.TARGET.color),
            ),
        ],
    )


def _marker() -> dict:
    """Hollow for deaths, then a star for revivals."""
    both = ((palette.ZERO.symbol, palette.ZERO.color), ("star-diamond", palette.GRDA.color))
    symbols, colors = (
        [value for value in pair for _ in range(MARKED)] for pair in zip(*both, strict=True)
    )
    edges = [2.5] * MARKED + [0.0] * MARKED
    return {"symbol": symbols, "color": colors, "size": 11, "line": {"width": edges}}


def _stick(name: str, **place: object) -> go.Scatter:
    """A bar from its first point to a dot at its second, or a hollow dot at the third point."""
    colors = [palette.GRDA.color, palette.GRDA.color, palette.ZERO.color]
    marker = {"size": [0, 12, 11], "color": colors, "symbol": ["circle", "circle", "circle-open"]}
    marker |= {
        "opacity": 1,
        "line": {"width": [0, 1.5, 2.5], "color": [palette.PAPER] * 2 + colors[2:]},
    }
    line = {"color": palette.GRDA.color, "width": 6}
    look = {"mode": "lines+markers", "hoverinfo": "skip", "cliponaxis": False}
    return go.Scatter(name=name, marker=marker, line=line, **look, **place)


def _future(name: str, **place: object) -> go.Scatter:
    """A veil over what has not happened yet; its edge is now. What is drawn later lies above it."""
    edge = {"color": palette.MUTED, "width": 1.5}
    veil = {"fill": "toself", "fillcolor": palette.PAPER, "opacity": 0.65, "line": edge}
    return go.Scatter(name=name, y=[-99, 99, 99, -99], **veil, **LINES, **place)


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
        "layout.title.text": _title(v, g, w),
    }
    return row, _story(a, c, time, (v, g, w), paths.died[at], paths.revived[at])


def _title(v: float, g: float, w: float) -> str:
    if w:
        return f"v = {_signed(v)} is beyond {_signed(g if v > 0 else -g)}, so w = {_signed(w)}"
    return f"v = {_signed(v)} is inside ±{g:.2f}, so w = 0"


def _signed(x: float) -> str:
    return f"{x + 0.0:.2f}".replace("-", "−")


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
        return f"{where}: without a threshold w = v = {_signed(w)}. This is SGD."
    past = bisect_right(died, time), bisect_right(revived, time)
    if not w:
        return f"{where}: v is inside ±{g:.2f}, and w exactly 0, since t = {died[past[0] - 1]:.1f}."
    back = f" It came back at t = {revived[past[1] - 1]:.1f}." if past[1] else ""
    return (
        f"{where}: v = {_signed(v)} is {abs(w):.2f} beyond the band, and that is the weight.{back}"
    )


def heading(x: float, title: str, *entries: tuple[str, str]) -> dict:
    """A bold title above a panel's legend."""
    words = palette.legend(x, *entries)
    return words | {"text": f"<b>{title}</b><br>{words['text']}", "align": "left"}
