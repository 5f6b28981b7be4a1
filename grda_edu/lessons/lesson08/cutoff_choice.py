"""How much the match depends on where flat ends."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, Explorable, palette
from grda_edu.explore.legend import coloured
from grda_edu.lessons.lesson08.numbers import (
    SETTINGS,
    about,
    cutoffs,
    ended,
    heading,
    or_none,
    pairs,
    power,
    seeds,
)


def cutoff_matters() -> Explorable:
    """Correlation, cosine and rank for every recorded cut-off; a drop-down for (c, μ)."""
    main = [*SETTINGS, *(pair for pair in pairs() if pair not in SETTINGS)]
    return Explorable(
        _cutoff_figure,
        _cutoff,
        {"setting": Choice({f"c = {c:g}, μ = {mu:g}": (c, mu) for c, mu in main}, label="c and μ")},
        label="How much the cut-off matters: correlation of ŝ with s, cosine, and the rank of P0",
    )


_BY_CUTOFF = {
    "correlation": palette.DIRECTIONAL,
    "cosine": palette.GRDA,
    "share": palette.SGD,
    "rank": palette.TARGET,
}


def _cutoff_figure() -> go.Figure:
    traces = []
    for name, style in _BY_CUTOFF.items():
        line, dot = style.line(), {"color": style.color, "symbol": style.symbol, "size": 9}
        traces += [
            go.Scatter(name=name, x=cutoffs(), mode="lines+markers", line=line, marker=dot).update(
                hovertemplate=f"{name} %{{y:.2f}}<extra></extra>"
            ),
            go.Scatter(
                name=f"{name}, seeds",
                x=np.repeat(cutoffs(), len(seeds())),
                mode="markers",
                marker=dot | {"size": 5},
                opacity=0.5,
                hoverinfo="skip",
            ),
        ]
    legend = (
        ("◆ correlation of ŝ with s", palette.DIRECTIONAL),
        ("● cosine of the moves", palette.GRDA),
        ("■ share of sign(w) that is flat", palette.SGD),
        ("+ rank, as a share", palette.TARGET),
    )
    return palette.figure(
        *traces,
        height=360,
        margin={"l": 52, "r": 20, "t": 76, "b": 52},
        xaxis={"type": "log", "title_text": "cut-off: eigenvalues below it count as flat"}
        | {"tickvals": cutoffs(), "ticktext": [power(v) for v in cutoffs()]},
        yaxis={"range": [-0.05, 1.02], "dtick": 0.25, "tickformat": ".2~f"},
        shapes=[
            {"type": "line", "x0": 1 / about("t"), "x1": 1 / about("t"), "yref": "paper"}
            | {"y0": 0, "y1": 1, "line": {"color": palette.MUTED, "width": 1.5, "dash": "dot"}}
        ],
        annotations=[
            {"x": np.log10(1 / about("t")), "y": 0.02, "yref": "paper", "xanchor": "left"}
            | {"text": " 1/t", "showarrow": False, "yanchor": "bottom", "font": {"size": 13}},
            heading("   ".join(coloured(text, style) for text, style in legend), 0, 1.0),
        ],
    )


def _cutoff(setting: tuple[float, float]) -> tuple[dict, str]:
    c, mu = setting
    cells = [ended(c, mu, s) for s in seeds()]
    found = {
        "correlation": [[one.evidence(cut).correlation for one in cells] for cut in cutoffs()],
        "cosine": [[one.match(one.directional(cut)).cosine for one in cells] for cut in cutoffs()],
        "share": [[one.score(cut).sum() / len(one.sgd) for one in cells] for cut in cutoffs()],
        "rank": [[one.rank[k] / len(one.sgd) for one in cells] for k in range(len(cutoffs()))],
    }
    row: dict[str, object] = {}
    for name, values in found.items():
        row[f"{name}.y"] = np.mean(values, axis=1)
        row[f"{name}, seeds.y"] = np.ravel(values)
    means = np.mean(found["correlation"], axis=1)
    best, falls = int(np.argmax(means)), int(np.argmin(np.diff(means)))
    flat, rank = np.diff(np.mean(found["share"], axis=1)), np.diff(np.mean(found["rank"], axis=1))
    row["layout.title.text"] = (
        f"c = {c:g}, μ = {mu:g}: largest correlation at cut-off {power(cutoffs()[best])}"
    )
    told = ", ".join(
        f"{or_none(m)} at {power(cut)}" for m, cut in zip(means, cutoffs(), strict=True)
    )
    return row, (
        f"c = {c:g}, μ = {mu:g}, means of {len(seeds())} seeds: correlation of ŝ with s {told}. It falls most "
        f"between {power(cutoffs()[falls])} and {power(cutoffs()[falls + 1])}, where P0's rank grows by "
        f"{rank[falls]:.1%} of all directions, and the flat share of sign(w) by {100 * flat[falls]:.0f} points."
    )
