"""How much the match depends on where flat ends, and how flat ends elsewhere as time goes on."""

from __future__ import annotations

import numpy as np
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
    writing,
)
from grda_edu.explore.layout import rule

from .curves import along, curve, cut, named, setting_choice
from .numbers import about, array, by_cutoff, cutoffs

_CURVES = {  # what depends on the cut-off -> words, style
    "correlation": ("correlation of ŝ with s", palette.DIRECTIONAL),
    "cosine": ("cosine of the moves", palette.Style(palette.INK, "dash", "square")),
    "share": ("share of sign(w) that is flat", palette.OBS),
    "rank": ("rank, as a share", palette.TARGET),
}
_CUTS = np.round(np.geomspace(1e-6, 1, 25), 12)


def cutoff_matters() -> Explorable:
    """Correlation, cosine and rank for every recorded cut-off, and the rank over time."""
    times = about("times")
    return Explorable(
        _cutoff_figure,
        _cutoff,
        {
            "setting": setting_choice(every=True),
            "t": Slider(times, label="time t", format="g", start=about("t"), play=True),
        },
        label="How much the cut-off matters: correlation of ŝ with s, cosine, and the rank of P₀",
    )


def _cutoff_figure() -> go.Figure:
    traces = [
        trace
        for name, (_, style) in _CURVES.items()
        for trace in curve(name, style, cutoffs(), name + " %{y:.2f}<extra></extra>")
    ]
    entries = [key(words, style, "both") for words, style in _CURVES.values()]
    shown = Panel(
        *traces,
        x=(0, 0.58),
        title=f"At t = {about('t'):g}",
        key=f"{keys(*entries[:2])}<br>{keys(*entries[2:])}",
        xaxis=axis("cut-off", type="log", ticks={c: cut(c) for c in cutoffs()}),
        yaxis=axis(range=(-0.05, 1.02), ticks=0.25, tickformat=".2~f"),
    )
    now = palette.DIRECTIONAL.color  # a solid line: the rank is no method
    faint = [
        line(
            f"rank at t = {t:g}",
            palette.MUTED,
            width=1,
            opacity=0.5,
            x=_CUTS,
            y=_ranks(t),
            hovertemplate=f"t = {t:g}: %{{y:.0f}}<extra></extra>",
        )
        for t in about("times")
    ]
    rank = Panel(
        *faint,
        line("rank now", now, width=3, x=_CUTS),
        x=(0.7, 1),
        title="Rank of P<sub>0</sub>",
        key=keys(key("at time t", now), key("at other times", palette.MUTED)),
        xaxis=axis(
            "cut-off", (-6.2, 0.2), log=True, ticks={v: cut(v) for v in (1e-6, 1e-4, 1e-2, 1)}
        ),
        yaxis=axis(range=(0, array("values").shape[-1] + 50)),
    )
    pull = 1 / about("t")  # the curvature that has begun to pull at t
    return panels(
        shown,
        rank,
        height=400,
        margin={"l": 52, "r": 20, "t": 104, "b": 52},
        shapes=[rule(palette.Style(palette.MUTED, "dot", "circle"), x=pull)],
        notes=[note(np.log10(pull), -0.03, " 1/t")],
    )


def _ranks(t: float) -> np.ndarray:
    """The first seed's rank at each of ``_CUTS``."""
    return np.searchsorted(array("values")[0, about("times").index(t)], _CUTS)


def _cutoff(setting: tuple[float, float], t: float) -> tuple[dict, str]:
    values = by_cutoff(*setting)
    row: dict[str, object] = {"rank now.y": _ranks(t)}
    for name in _CURVES:
        row |= along(name, values[name])
    mean = {name: rows.mean(axis=1) for name, rows in values.items()}
    best, falls = int(mean["correlation"].argmax()), int(np.diff(mean["correlation"]).argmin())
    words = [cut(value) for value in cutoffs()]
    row["layout.title.text"] = f"{named(*setting)}: largest correlation at cut-off {words[best]}"
    flat = int((array("values")[0, about("times").index(t)] < about("main_cutoff")).sum())
    return row, (
        f"The correlation of ŝ with s falls most between {words[falls]} and {words[falls + 1]}. There P₀'s rank grows by "
        f"{writing.percent(np.diff(mean['rank'])[falls])} of all directions, and the flat share of sign(w) by "
        f"{writing.decimal(100 * np.diff(mean['share'])[falls], 0)} points. At t = {t:g}, {flat:,} directions lie below "
        "the main cut-off."
    )
