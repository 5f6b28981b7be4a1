"""How much the match depends on where flat ends."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Explorable, Panel, axis, key, keys, note, palette, panels, writing
from grda_edu.explore.layout import rule

from .curves import along, curve, cut, named, setting_choice
from .numbers import about, cutoffs, ended, seeds

_CURVES = {  # what depends on the cut-off -> words, style
    "correlation": ("correlation of ŝ with s", palette.DIRECTIONAL),
    "cosine": ("cosine of the moves", palette.Style(palette.INK, "dash", "square")),
    "share": ("share of sign(w) that is flat", palette.OBS),
    "rank": ("rank, as a share", palette.TARGET),
}


def cutoff_matters() -> Explorable:
    """Correlation, cosine and rank for every recorded cut-off; a drop-down for (c, μ)."""
    return Explorable(
        _cutoff_figure,
        _cutoff,
        {"setting": setting_choice()},
        label="How much the cut-off matters: correlation of ŝ with s, cosine, and the rank of P₀",
    )


def _cutoff_figure() -> go.Figure:
    traces = [
        trace
        for name, (_, style) in _CURVES.items()
        for trace in curve(name, style, cutoffs(), name + " %{y:.2f}<extra></extra>")
    ]
    entries = [key(words, style, "both") for words, style in _CURVES.values()]
    ticks = {value: cut(value) for value in cutoffs()}
    shown = Panel(
        *traces,
        key=f"{keys(*entries[:2])}<br>{keys(*entries[2:])}",
        xaxis=axis("cut-off: eigenvalues below it count as flat", type="log", ticks=ticks),
        yaxis=axis(range=(-0.05, 1.02), ticks=0.25, tickformat=".2~f"),
    )
    pull = 1 / about("t")  # the curvature that has begun to pull at t
    return panels(
        shown,
        height=360,
        margin={"l": 52, "r": 20, "t": 76, "b": 52},
        shapes=[rule(palette.Style(palette.MUTED, "dot", "circle"), x=pull)],
        notes=[note(np.log10(pull), -0.03, " 1/t")],
    )


def _cutoff(setting: tuple[float, float]) -> tuple[dict, str]:
    cells = [ended(*setting, s) for s in seeds()]
    found = {
        "correlation": [[one.evidence(at).correlation for one in cells] for at in cutoffs()],
        "cosine": [[one.match(one.directional(at)).cosine for one in cells] for at in cutoffs()],
        "share": [[one.score(at).mean() for one in cells] for at in cutoffs()],
        "rank": np.transpose([one.rank for one in cells]) / len(cells[0].sgd),
    }
    values = {name: np.array(rows) for name, rows in found.items()}
    row: dict[str, object] = {}
    for name, rows in values.items():
        row |= along(name, rows)
    mean = {name: rows.mean(axis=1) for name, rows in values.items()}
    best, falls = int(mean["correlation"].argmax()), int(np.diff(mean["correlation"]).argmin())
    words = [cut(value) for value in cutoffs()]
    row["layout.title.text"] = f"{named(*setting)}: largest correlation at cut-off {words[best]}"
    largest = writing.decimal(mean["correlation"][best])
    return row, (
        f"The correlation of ŝ with s is {largest} at {words[best]}. It falls most between {words[falls]} and "
        f"{words[falls + 1]}, where P₀'s rank grows by {writing.percent(np.diff(mean['rank'])[falls])} of all directions, "
        f"and the flat share of sign(w) by {writing.decimal(100 * np.diff(mean['share'])[falls], 0)} points."
    )
