"""Finite-time scores laid over filters and outgoing weights, beside what gRDA's move says."""

from __future__ import annotations

from typing import Any

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
    palette,
    panels,
    tiles,
    writing,
)
from grda_edu.explore.panel import Ends

from .curves import setting_choice
from .finite import ended, first, seeds
from .moves import layers

ZERO = palette.ZERO.color

_ENDS = {-0.5: "≤ −0.5", 0: "0 stays", 0.5: "0.5", 1: "1", 1.5: "≥ 1.5"}  # of the colour scale


def scores_on_weights() -> Explorable:
    """s of every weight where it sits in the network, beside what gRDA's move says it was."""
    return Explorable(
        _maps_figure,
        _maps,
        {
            "setting": setting_choice(),
            "seed": Slider(seeds(), label="random seed", format="g"),
        },
        label="Scores over filters and outgoing weights, predicted and read off gRDA's move",
    )


def _maps_figure() -> go.Figure:
    left, right, hidden = (0.05, 0.44), (0.5, 0.89), axis(hidden=True)
    digits = axis(ticks={5 * d + 1.5: str(d) for d in range(10)}, showgrid=False, zeroline=False)
    scale: dict[str, Any] = {"thickness": 12, "x": 0.92, "len": 0.9}
    scale |= {"tickvals": list(_ENDS), "ticktext": list(_ENDS.values())}

    def tiled(name: str, x: Ends, title: str, below: str, **more: Any) -> Panel:
        of_filters, hover = name.endswith("filters"), f"{name[0]} = %{{z:.2f}}<extra></extra>"
        y, rows = ((0.8, 1), (6.5, -0.5)) if of_filters else ((0, 0.71), (48.5, -0.5))
        yaxis = (digits | {"ticks": ""} if more else hidden) | {"range": rows}
        low, high = min(_ENDS), max(_ENDS)
        scores = palette.signed(low, high)
        field = tiles(name, low, high, gap=0.5, hovertemplate=hover, colorscale=scores, **more)
        shape = (7, 15) if of_filters else (49, 39)
        cells = [hatching(name, shape)] if name.startswith("ŝ") else []
        return Panel(field, *cells, x=x, y=y, title=title, key=below, xaxis=hidden, yaxis=yaxis)

    across, moved = "10 digits (rows), from each filter's 4×4 map", "ŝ read off gRDA's move"
    return panels(
        tiled("s filters", left, "s from the Hessian", "8 filters, 3×3"),
        tiled("ŝ filters", right, moved, keys("below 0: grew", key("exactly zero", ZERO))),
        tiled("s outputs", left, "", across, showscale=True, colorbar=scale),
        tiled("ŝ outputs", right, "", "the same weights"),
        height=580,
        margin={"l": 16, "r": 20, "t": 88, "b": 12},
    )


def hatching(name: str, shape: tuple[int, int]) -> go.Scatter:
    """A stroke through every tile of a field [rows, columns]; a row says which are there."""
    across = np.arange(shape[1])[:, None] + np.array([-0.35, 0.35, np.nan])
    return line(f"{name} zero", ZERO, width=1, x=np.tile(across.ravel(), shape[0]))


def strokes(zero: np.ndarray) -> np.ndarray:
    """Where the strokes run in tiles that are 1, for "y" of ``hatching``: [3·rows·columns]."""
    up = np.arange(zero.shape[0])[:, None, None] + np.array([0.35, -0.35, np.nan])
    return np.where(zero[..., None] == 1, up, np.nan).ravel()


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


def _maps(setting: tuple[float, float], seed: float) -> tuple[dict, str]:
    one = ended(*setting, first(), int(seed))
    predicted, actual = layers(one.s), layers(one.estimates())
    dead = layers((one.grda == 0).astype(float))
    found = one.evidence()
    row = {
        "s filters.z": filter_tiles(predicted["conv.weight"]),
        "s outputs.z": output_tiles(predicted["fc.weight"]),
        "ŝ filters.z": filter_tiles(actual["conv.weight"]),
        "ŝ outputs.z": output_tiles(actual["fc.weight"]),
        "ŝ filters zero.y": strokes(filter_tiles(dead["conv.weight"])),
        "ŝ outputs zero.y": strokes(output_tiles(dead["fc.weight"])),
        "layout.title.text": (
            f"Correlation over the {found.survivors:,} survivors: {writing.decimal(found.correlation)}"
        ),
    }
    negative = writing.count(found.negative, "survivor")
    return row, (
        f"{writing.percent(one.zeros, 0)} of gRDA's weights are zero. Of {negative} with s < 0 "
        f"{writing.percent(found.grew_where_negative, 0)} grew, of those with s > 0 "
        f"{writing.percent(found.grew_where_positive, 0)}."
    )
