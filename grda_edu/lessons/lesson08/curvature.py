"""Lesson 08's first figures: the spectrum with P0's rank, and direction scores over the weights."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.explore.legend import coloured
from grda_edu.lessons.lesson08.data import (
    SETTINGS,
    about,
    array,
    at,
    cutoffs,
    ended,
    heading,
    layers,
    power,
    seeds,
    short,
    signed,
)

C, _ = SETTINGS[0]
FLAT_FILL = "rgba(0, 158, 115, 0.16)"  # what lies below the cut-off


# ------------------------------------------------- first figure: the spectrum

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


# ------------------------------------------------- second figure: scores laid over the weights


def scores_on_weights() -> Explorable:
    """s of every weight where it sits in the network, beside what gRDA's move says it was."""
    return Explorable(
        _maps_figure,
        _maps,
        {
            "mu": Choice({f"{m:g}": m for m in about("mu")}, label="μ"),
            "cutoff": Slider(cutoffs(), label="cut-off", format=power, start=1e-3),
            "c": Slider(about("c"), label="c", format="g", start=C),
        },
        label="Direction scores over filters and outgoing weights, predicted and read off gRDA's move",
    )


_SHADES = {"zmin": -0.5, "zmax": 1.5, "xgap": 0.5, "ygap": 0.5, "colorscale": palette.FIELD}


def _maps_figure() -> go.Figure:
    left, right = [0.05, 0.44], [0.5, 0.89]
    maps = []
    for name, axes, bar in (("s", ("", "3"), True), ("ŝ", ("2", "4"), False)):
        for part, axis in zip(("filters", "outputs"), axes, strict=True):
            maps.append(
                go.Heatmap(
                    name=f"{name} {part}",
                    xaxis=f"x{axis}",
                    yaxis=f"y{axis}",
                    showscale=bar and part == "outputs",
                    colorbar={
                        "thickness": 12,
                        "x": 0.92,
                        "len": 0.9,
                        "tickvals": [-0.5, 0, 0.5, 1, 1.5],
                    }
                    | {"ticktext": ["≤ −.5", "0 stays", ".5", "1", "≥ 1.5"]},
                    hovertemplate=f"{name} = %{{z:.2f}}<extra></extra>",
                    **_SHADES,
                )
            )
    hidden = {"visible": False}
    digits = {"tickvals": np.arange(10) * 5 + 1.5, "ticktext": [str(d) for d in range(10)]}
    plain = {"showgrid": False, "zeroline": False, "ticks": ""}
    return palette.figure(
        *maps,
        height=620,
        margin={"l": 16, "r": 20, "t": 88, "b": 12},
        xaxis={"domain": left, "anchor": "y", **hidden},
        yaxis={"domain": [0.8, 1], "anchor": "x", "range": [6.5, -0.5], **hidden},
        xaxis2={"domain": right, "anchor": "y2", **hidden},
        yaxis2={"domain": [0.8, 1], "anchor": "x2", "range": [6.5, -0.5], **hidden},
        xaxis3={"domain": left, "anchor": "y3", **hidden},
        yaxis3={"domain": [0, 0.71], "anchor": "x3", "range": [48.5, -0.5], **digits, **plain},
        xaxis4={"domain": right, "anchor": "y4", **hidden},
        yaxis4={"domain": [0, 0.71], "anchor": "x4", "range": [48.5, -0.5], **hidden},
        annotations=[
            heading("<b>s</b> from the Hessian<br>8 filters, 3×3", left[0], 1.0),
            heading(
                "<b>ŝ</b> read off gRDA's move<br>below 0: grew; gaps: exact zeros", right[0], 1.0
            ),
            heading("10 digits (rows), from each filter's 4×4 map", left[0], 0.72),
            heading("the same weights", right[0], 0.72),
        ],
    )


def filter_tiles(filters: np.ndarray) -> np.ndarray:
    """Eight 3x3 filters [8, 1, 3, 3] in two rows of four, with gaps of NaN: [7, 15]."""
    padded = np.full((8, 4, 4), np.nan)
    padded[:, :3, :3] = filters[:, 0]
    return padded.reshape(2, 4, 4, 4).transpose(0, 2, 1, 3).reshape(8, 16)[:7, :15]


def output_tiles(weights: np.ndarray) -> np.ndarray:
    """[10, 128] as ten rows of eight 4x4 maps with gaps of NaN: [49, 39]."""
    padded = np.full((10, 8, 5, 5), np.nan)
    padded[:, :, :4, :4] = weights.reshape(10, 8, 4, 4)
    return padded.transpose(0, 2, 1, 3).reshape(50, 40)[:49, :39]


def _maps(mu: float, cutoff: float, c: float) -> tuple[dict, str]:
    seed = seeds()[0]
    one = ended(c, mu, seed)
    s = one.score(cutoff)
    with np.errstate(invalid="ignore"):
        read = -np.sign(one.sgd) * (one.grda - one.sgd) / one.lam
    read = np.where(one.grda == 0, np.nan, read)
    predicted, actual = layers(s), layers(read)
    found = one.evidence(cutoff)
    row = {
        "s filters.z": filter_tiles(predicted["conv.weight"]),
        "s outputs.z": output_tiles(predicted["fc.weight"]),
        "ŝ filters.z": filter_tiles(actual["conv.weight"]),
        "ŝ outputs.z": output_tiles(actual["fc.weight"]),
        "layout.title.text": f"Correlation over the {found.survivors:,} survivors: {short(found.correlation)}",
    }
    rank = int(one.rank[at(cutoffs(), cutoff)])
    return row, (
        f"Seed {seed}, cut-off {power(cutoff)} (P0 of rank {rank:,}), c = {c:g}, μ = {mu:g}: {one.zeros:.0%} of gRDA's "
        f"weights are zero. Over the others s and ŝ have correlation {short(found.correlation)}. {int((s < 0).sum())} "
        f"weights have s < 0; of the {found.negative} of them that survive, {found.grew_where_negative:.0%} grew, of those "
        f"with s > 0 {found.grew_where_positive:.0%}. s itself runs from {signed(s.min())} to {s.max():.2f}."
    )
