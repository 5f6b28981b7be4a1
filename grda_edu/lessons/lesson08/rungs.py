"""The ladder from the closed form to gRDA itself."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, Explorable, palette
from grda_edu.lessons.lesson08.numbers import (
    RUNGS,
    SETTINGS,
    ended,
    heading,
    ladder_of,
    pairs,
    seeds,
    short,
)

_MEASURES = {"cosine": "x", "overlap": "x2", "loss": "x3"}


def ladder() -> Explorable:
    """Every rung and control for a recorded (c, μ): cosine, overlap of zeros, training loss."""
    main = [*SETTINGS, *(pair for pair in pairs() if pair not in SETTINGS)]
    return Explorable(
        _ladder_figure,
        _ladder,
        {"setting": Choice({f"c = {c:g}, μ = {mu:g}": (c, mu) for c, mu in main}, label="c and μ")},
        label="The ladder from the closed form to gRDA: cosine, overlap of zeros, training loss",
    )


def _ladder_figure() -> go.Figure:
    words = list(RUNGS.values())
    colors = [
        palette.TARGET.color if text.startswith("control") else palette.DIRECTIONAL.color
        for text in words
    ]
    colors[-1] = palette.GRDA.color
    symbols = ["circle-open" if text.startswith("control") else "diamond" for text in words]
    symbols[-1] = "circle"
    traces = []
    for measure, axis in _MEASURES.items():
        axes = {"xaxis": axis, "yaxis": axis.replace("x", "y"), "mode": "markers"}
        traces += [
            go.Scatter(
                name=f"{measure}, seeds",
                y=np.repeat(words, len(seeds())),
                marker={"color": np.repeat(colors, len(seeds())), "size": 5},
                opacity=0.6,
                hoverinfo="skip",
                cliponaxis=False,
                **axes,
            ),
            go.Scatter(
                name=measure,
                y=words,
                marker={"color": colors, "symbol": symbols, "size": 11}
                | {"line": {"width": 1.5, "color": palette.PAPER}},
                hovertemplate=measure + " %{x:.3g}<extra></extra>",
                cliponaxis=False,
                **axes,
            ),
        ]
    rows = {"autorange": "reversed", "type": "category", "ticks": "", "categoryarray": words}
    return palette.figure(
        *traces,
        height=430,
        margin={"l": 16, "r": 24, "t": 76, "b": 52},
        xaxis={"domain": [0.3, 0.52], "anchor": "y", "range": [0.45, 1.03], "dtick": 0.25}
        | {"title_text": "larger is closer"},
        yaxis={"anchor": "x", **rows, "automargin": False},
        xaxis2={"domain": [0.57, 0.77], "anchor": "y2", "range": [0.45, 1.03], "dtick": 0.25}
        | {"title_text": "larger is closer"},
        yaxis2={"anchor": "x2", **rows, "showticklabels": False},
        xaxis3={"domain": [0.82, 1], "anchor": "y3", "type": "log", "range": [-2.6, 1.2]}
        | {"dtick": 1, "tickformat": "~g", "title_text": "smaller is better"},
        yaxis3={"anchor": "x3", **rows, "showticklabels": False},
        annotations=[
            heading("<b>Cosine</b> of the moves", 0.3, 1.0),
            heading("<b>Overlap</b> of the zeros", 0.57, 1.0),
            heading("<b>Training loss</b>", 0.82, 1.0),
        ],
    )


def _ladder(setting: tuple[float, float]) -> tuple[dict, str]:
    c, mu = setting
    values = ladder_of(c, mu)
    row: dict[str, object] = {}
    for measure, found in values.items():
        mean = np.exp(np.log(found).mean(axis=1)) if measure == "loss" else found.mean(axis=1)
        row[f"{measure}.x"], row[f"{measure}, seeds.x"] = mean, found.ravel()
    zeros = np.mean([ended(c, mu, s).zeros for s in seeds()])
    names = list(RUNGS)

    def told(name: str) -> str:
        k = names.index(name)
        return f"{short(row['cosine.x'][k])} (loss {row['loss.x'][k]:.2g})"  # type: ignore[index]

    climb = " → ".join(
        short(row["cosine.x"][names.index(name)])  # type: ignore[index]
        for name in ("directional", "flat", "twin", "path")
    )
    row["layout.title.text"] = f"c = {c:g}, μ = {mu:g}, {zeros:.0%} zeros: cosine {climb}"
    return row, (
        f"c = {c:g}, μ = {mu:g}. Cosine with gRDA's move: closed form {told('directional')}, w_flat {told('flat')}, "
        f"quadratic twin {told('twin')}, twin along the path {told('path')}; beside them soft-thresholding at gRDA's "
        f"zeros {told('soft')} and a random P0 {told('random')}. gRDA's own loss: {row['loss.x'][-1]:.2g}."  # type: ignore[index]
    )
