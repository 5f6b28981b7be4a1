"""What becomes of the match as γ falls at the same time t."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.explore.legend import coloured
from grda_edu.lessons.lesson08.numbers import (
    SETTINGS,
    about,
    along_gamma,
    cutoffs,
    heading,
    lrs,
    power,
    seeds,
    short,
)


def falling_gamma() -> Explorable:
    """Correlation, cosines and growth for every recorded γ at the same t, with all seeds."""
    options = {f"c = {c:g}, μ = {mu:g}": (c, mu) for c, mu in SETTINGS}
    fixed = [(c, mu) for mu in about("mu") for c in about("fixed_c")]
    options |= {f"c = {c:g}, μ = {mu:g}": (c, mu) for c, mu in fixed}
    return Explorable(
        _gamma_figure,
        _gamma,
        {
            "setting": Choice(options, label="c (at γ = 0.1) and μ"),
            "cutoff": Slider(cutoffs(), label="cut-off", format=power, start=1e-3),
        },
        label="As γ falls at the same time t: correlation of ŝ with s, cosines, and growth",
    )


_CURVES = {  # trace -> (panel, style, held?)
    "correlation, c fixed": (1, palette.DIRECTIONAL),
    "correlation, λ held": (1, palette.GRDA),
    "correlation, s shuffled": (1, palette.TARGET),
    "cosine, directional": (2, palette.DIRECTIONAL),
    "cosine, soft": (2, palette.OBS),
    "grew, s < 0": (3, palette.DIRECTIONAL),
    "grew, s > 0": (3, palette.MAGNITUDE),
}


def _gamma_figure() -> go.Figure:
    x = lrs()
    traces = []
    for name, (panel, style) in _CURVES.items():
        axes = {"xaxis": f"x{panel}", "yaxis": f"y{panel}"}
        axes = {key: value.removesuffix("1") for key, value in axes.items()}
        dot = {"color": style.color, "symbol": style.symbol, "size": 8}
        traces += [
            go.Scatter(
                name=name,
                x=x,
                mode="lines+markers",
                line=style.line(2.5),
                marker=dot,
                cliponaxis=False,
                hovertemplate=f"{name}: %{{y:.2f}}<extra></extra>",
                **axes,
            ),
            go.Scatter(
                name=f"{name}, seeds",
                x=np.repeat(x, len(seeds())),
                mode="markers",
                marker=dot | {"size": 5},
                opacity=0.5,
                cliponaxis=False,
                hoverinfo="skip",
                **axes,
            ),
            go.Scatter(
                name=f"{name}, t doubled",
                x=[about("main_lr")],
                mode="markers",
                marker={"color": style.color, "symbol": "star-open", "size": 13, "line_width": 2},
                cliponaxis=False,
                hoverinfo="skip",
                **axes,
            ),
        ]
    rate = {
        "type": "log",
        "range": [np.log10(0.235), np.log10(0.0212)],
        "tickvals": x,
        "ticktext": [f"{lr:g}" for lr in x],
        "title_text": "γ, falling",
    }
    return palette.figure(
        *traces,
        height=430,
        margin={"l": 48, "r": 16, "t": 128, "b": 52},
        xaxis=rate | {"domain": [0, 0.28], "anchor": "y"},
        yaxis={"range": [-0.2, 1.0], "anchor": "x", "dtick": 0.2},
        xaxis2=rate | {"domain": [0.37, 0.64], "anchor": "y2"},
        yaxis2={"range": [0.4, 1.0], "anchor": "x2", "dtick": 0.1},
        xaxis3=rate | {"domain": [0.73, 1], "anchor": "y3"},
        yaxis3={"range": [-0.02, 0.62], "anchor": "x3", "tickformat": ".0%"},
        annotations=[
            heading(
                "<b>Correlation of ŝ with s</b><br>"
                + "<br>".join(
                    coloured(words, style)
                    for words, style in (
                        ("◆ c fixed, so λ falls", palette.DIRECTIONAL),
                        ("● λ held", palette.GRDA),
                        ("+ s shuffled", palette.TARGET),
                    )
                ),
                0,
                1.0,
            ),
            heading(
                "<b>Cosine with gRDA's move</b><br>"
                + coloured("◆ directional pruning", palette.DIRECTIONAL)
                + "<br>"
                + coloured("× soft-thresholding,<br>   gRDA's zeros", palette.OBS),
                0.37,
                1.0,
            ),
            heading(
                "<b>Survivors that grew</b><br>"
                + coloured("◆ where s < 0", palette.DIRECTIONAL)
                + "<br>"
                + coloured("▲ where s > 0", palette.MAGNITUDE)
                + "<br>☆ t doubled",
                0.73,
                1.0,
            ),
        ],
    )


def _gamma(setting: tuple[float, float], cutoff: float) -> tuple[dict, str]:
    c, mu = setting
    curves = along_gamma(c, mu, cutoff)
    row: dict[str, object] = {}
    for name, values in curves.items():
        row[f"{name}.y"] = values[:-1].mean(axis=1)
        row[f"{name}, seeds.y"] = values[:-1].ravel()
        row[f"{name}, t doubled.y"] = [values[-1].mean()]
    means = curves["correlation, c fixed"].mean(axis=1)
    words = ", ".join(f"{short(m)} at γ = {lr:g}" for m, lr in zip(means[:-1], lrs(), strict=True))
    row["layout.title.text"] = (
        f"c = {c:g}, μ = {mu:g}, t = {about('t'):g}: means of {len(seeds())} seeds"
    )
    held = curves["correlation, λ held"].mean(axis=1)[:-1]
    and_held = (
        f" With λ held: {short(held[0])} to {short(held[-1])}." if np.isfinite(held).all() else ""
    )
    return row, (
        f"c = {c:g}, μ = {mu:g}, cut-off {power(cutoff)}, means of {len(seeds())} seeds: correlation {words}."
        f"{and_held} Shuffled, it stays within {np.abs(curves['correlation, s shuffled'].mean(axis=1)).max():.2f} of zero. "
        f"At γ = {about('main_lr'):g} with t doubled: {short(means[-1])}."
    )
