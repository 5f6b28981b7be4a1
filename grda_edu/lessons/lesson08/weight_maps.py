"""Direction scores laid over filters and outgoing weights, beside what gRDA's move says."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.lessons.lesson08.numbers import (
    SETTINGS,
    about,
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
