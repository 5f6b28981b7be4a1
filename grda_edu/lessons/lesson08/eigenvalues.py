"""The spectrum of the Hessian along SGD's way, and the rank of P0 as the cut-off slides."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.explore.legend import coloured
from grda_edu.lessons.lesson08.numbers import (
    about,
    array,
    at,
    heading,
    power,
    seeds,
    signed,
)

FLAT_FILL = "rgba(0, 158, 115, 0.16)"  # what lies below the cut-off


_LEAST = 1e-8  # eigenvalues smaller than this are drawn as zero: single precision knows no better
_CUTS = np.round(np.geomspace(1e-6, 1, 25), 12)


def spectrum() -> Explorable:
    """All eigenvalues with their signs, and the rank of P0 as the cut-off slides."""
    return Explorable(
        _spectrum_figure,
        _spectrum,
        {
            "seed": Choice({f"seed {s}": s for s in seeds()}, label="random seed"),
            "cutoff": Slider(_CUTS.tolist(), label="cut-off", format=power, start=1e-3),
            "t": Slider(about("times"), label="time t", format="g", start=about("t"), play=True),
        },
        label="The 1,370 eigenvalues of the Hessian, and how many lie below a cut-off",
    )


def signed_log(values: np.ndarray) -> np.ndarray:
    """Decades above ``_LEAST`` with the sign of the value, 0 for what is smaller."""
    size = np.log10(np.maximum(np.abs(values), _LEAST) / _LEAST)
    return np.sign(values) * size


def _spectrum_figure() -> go.Figure:
    ticks = np.array([-1e-1, -1e-3, -1e-5, 0, 1e-5, 1e-3, 1e-1, 10])
    words = [power(abs(v)) if v >= 0 else f"−{power(-v)}" for v in ticks]
    faint = {"color": palette.MUTED, "width": 1}
    picture = palette.figure(
        go.Scatter(
            name="eigenvalues",
            x=np.arange(1, 1371),
            mode="markers",
            marker={"color": palette.INK, "size": 3.5},
            hoverinfo="skip",
        ),
        *(
            go.Scatter(
                name=f"rank at t = {t:g}",
                x=_CUTS,
                mode="lines",
                line=faint,
                opacity=0.5,
                xaxis="x2",
                yaxis="y2",
                hovertemplate=f"t = {t:g}: %{{y:.0f}}<extra></extra>",
            )
            for t in about("times")
        ),
        go.Scatter(
            name="rank now",
            x=_CUTS,
            mode="lines",
            line=palette.DIRECTIONAL.line(3) | {"dash": "solid"},
            xaxis="x2",
            yaxis="y2",
            hoverinfo="skip",
        ),
        go.Scatter(
            name="here",
            mode="markers",
            marker={"color": palette.DIRECTIONAL.color, "size": 12, "symbol": "diamond"}
            | {"line": {"color": palette.PAPER, "width": 2}},
            xaxis="x2",
            yaxis="y2",
            hoverinfo="skip",
        ),
        height=420,
        margin={"l": 72, "r": 20, "t": 76, "b": 52},
        xaxis={"domain": [0, 0.52], "range": [-20, 1390], "title_text": "eigenvalue, in order"},
        yaxis={"range": [-8, 9.6], "title_text": "its value", "title_standoff": 2}
        | {"tickvals": signed_log(ticks), "ticktext": words},
        xaxis2={"domain": [0.66, 1], "anchor": "y2", "type": "log", "title_text": "cut-off"}
        | {
            "tickvals": [1e-6, 1e-4, 1e-2, 1],
            "ticktext": [power(v) for v in (1e-6, 1e-4, 0.01, 1)],
        },
        yaxis2={"range": [0, 1420], "anchor": "x2", "title_text": "rank of P<sub>0</sub>"},
        shapes=[
            {"type": "rect", "x0": 0, "y0": -8, "y1": 9.6, "line_width": 0, "layer": "below"}
            | {"fillcolor": FLAT_FILL},
            {"type": "line", "x0": -20, "x1": 1390, "line": palette.DIRECTIONAL.line(2)},
        ],
        annotations=[
            heading("<b>Eigenvalues</b>, signs kept", 0, 1.0),
            heading("<b>Rank</b> now; grey: other times", 0.66, 1.0),
            {"x": 300, "y": -7.6, "showarrow": False, "xanchor": "left", "yanchor": "bottom"}
            | {"text": coloured("▮ flat: below the cut-off", palette.DIRECTIONAL)},
        ],
    )
    return picture


def _spectrum(seed: int, cutoff: float, t: float) -> tuple[dict, str]:
    k, n = seeds().index(seed), at(about("times"), t)
    values = array("values")[k]
    ranks = np.array([np.searchsorted(at_time, _CUTS) for at_time in values])
    now, j = values[n], at(_CUTS.tolist(), cutoff)
    rank, negative = int(ranks[n, j]), int((now[: ranks[n, j]] < -_LEAST).sum())
    dead, shift = array("symmetries")[k, n]
    row: dict[str, object] = {
        "eigenvalues.y": signed_log(now),
        "rank now.y": ranks[n],
        "here.x": [cutoff],
        "here.y": [rank],
        "layout.shapes[0].x1": rank + 0.5,
        "layout.shapes[1].y0": float(signed_log(np.array(cutoff))),
        "layout.shapes[1].y1": float(signed_log(np.array(cutoff))),
        "layout.title.text": f"P<sub>0</sub> has rank {rank:,} of {len(now):,} at t = {t:g}",
    }
    for m, time in enumerate(about("times")):
        row[f"rank at t = {time:g}.y"] = ranks[m]
    sentence = (
        f"Seed {seed}, SGD's weights at t = {t:g}, cut-off {power(cutoff)}: {rank:,} of {len(now):,} "
        f"eigenvalues lie below it, {negative} of them negative, the lowest {signed(now[0])}. The largest is "
        f"{now[-1]:.2f}. Flat exactly and for a known reason are {dead + shift} directions: {dead} dead "
        f"weights and {shift} shifts of all ten outputs."
    )
    if rank in (0, len(now)):
        sentence += " Nothing is flat." if rank == 0 else " Everything is flat."
    return row, sentence
