"""Lesson 11's third figure: a network whose dead units leave it, one after the other."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import (
    Explorable,
    Panel,
    Slider,
    axis,
    dots,
    key,
    keys,
    line,
    palette,
    panels,
    words,
)
from grda_edu.explore.writing import count, percent, significant

from .numbers import images
from .units import LAYERS, Removal, dead_units, removals, wires

_WIDTHS = {"conv1": 16, "conv2": 32, "fc1": 64, "fc2": 10}
_NAMES = {
    "conv1": "16 filters",
    "conv2": "32 filters",
    "fc1": "64 neurons",
    "fc2": "10 digits",
}
_ACROSS = 64.0


def leaving() -> Explorable:
    """The recorded gRDA network without 0, 1, 2, … of its dead units; its outputs stay."""
    last = len(_removals()) - 1
    return Explorable(
        _figure,
        _row,
        {
            "removed": Slider(
                list(range(last + 1)), label="units removed", format=".0f", start=0, play=True
            )
        },
        label="The units of a network and the wires between them, as dead units are removed",
    )


@cache
def _removals() -> list[Removal]:
    return removals()


def _x(layer: str) -> np.ndarray:
    """Where a layer's units stand."""
    n = _WIDTHS[layer]
    return (np.arange(n) + 0.5) * _ACROSS / n


def _height(layer: str) -> float:
    return float(len(LAYERS) - 1 - LAYERS.index(layer))


@cache
def _alive_wires() -> dict[str, np.ndarray]:
    """Layer -> [wires, 2]: unit, and unit of the next layer, that a weight joins at first."""
    model = _removals()[0].model
    return {name: np.argwhere(wires(model, name).numpy())[:, ::-1] for name in LAYERS[:-1]}


def _figure() -> go.Figure:
    drawn = []
    for layer, after in pairwise(LAYERS):
        pairs = _alive_wires()[layer]
        x = np.stack(
            [_x(layer)[pairs[:, 0]], _x(after)[pairs[:, 1]], np.full(len(pairs), np.nan)], 1
        )
        drawn.append(line(f"from {layer}", palette.GRDA, width=1, opacity=0.25, x=x.ravel()))
    for layer in LAYERS[:-1]:
        drawn += [
            dots(f"gone {layer}", palette.MUTED, size=3, x=_x(layer)),
            dots(f"dead {layer}", palette.ZERO, size=8, outline=2, x=_x(layer)),
            dots(f"alive {layer}", palette.INK, size=8, x=_x(layer)),
        ]
    drawn.append(dots("digits", palette.INK, size=8, x=_x("fc2"), y=[0.0] * 10))
    drawn.append(
        words(
            "names",
            palette.INK,
            x=[0.0] * len(LAYERS),
            y=[_height(layer) + 0.2 for layer in LAYERS],
            text=list(_NAMES.values()),
            textposition="middle right",
        )
    )
    return panels(
        Panel(
            *drawn,
            y=(0, 0.92),
            key=keys(
                key("alive", palette.INK, "mark"),
                key("dead", palette.ZERO, "mark"),
                key("removed", palette.MUTED, "mark"),
                key("weights", palette.GRDA),
            ),
            xaxis=axis(range=(-0.5, _ACROSS + 0.5), hidden=True),
            yaxis=axis(range=(-0.25, 3.45), hidden=True),
        ),
        height=460,
        margin={"l": 16, "r": 16, "t": 76, "b": 12},
    )


def _row(removed: float) -> tuple[dict[str, object], str]:
    steps, k = _removals(), int(removed)
    gone = {layer: [r.unit for r in steps[1 : k + 1] if r.layer == layer] for layer in LAYERS[:-1]}
    row: dict[str, object] = {}
    for layer, after in pairwise(LAYERS):
        pairs = _alive_wires()[layer]
        left = ~(np.isin(pairs[:, 0], gone[layer]) | np.isin(pairs[:, 1], gone.get(after, [])))
        ends = np.full((len(pairs), 3), np.nan)
        ends[left, 0], ends[left, 1] = _height(layer), _height(after)
        row[f"from {layer}.y"] = ends.ravel()
    for layer, state in _states(k).items():
        for name in ("gone", "dead", "alive"):
            row[f"{name} {layer}.y"] = np.where(state == name, _height(layer), np.nan)
    sizes = [sum(p.numel() for p in r.model.parameters()) for r in (steps[0], steps[k])]
    row["layout.title.text"] = (
        f"{sizes[1]:,} of {sizes[0]:,} parameters are left, {percent(sizes[1] / sizes[0])}"
    )
    number = len(images().y_test)
    said = (
        f"{count(k, 'unit')} removed: over all {number} test images no output differs by more than "
        f"{significant(steps[k].difference)}"
    )
    agreed = all(r.agree for r in steps[: k + 1])
    return (
        row,
        f"{said}, and {'every' if agreed else 'not every'} image gets the answer that it had.",
    )


def _states(k: int) -> dict[str, np.ndarray]:
    """Layer -> what each unit of the whole network is after k removals."""
    steps = _removals()
    found = {}
    for layer in LAYERS[:-1]:
        state = np.full(_WIDTHS[layer], "alive", dtype=object)
        gone = [r.unit for r in steps[1 : k + 1] if r.layer == layer]
        left = np.setdiff1d(np.arange(_WIDTHS[layer]), gone)
        state[gone] = "gone"
        state[left[dead_units(steps[k].model)[layer]]] = "dead"
        found[layer] = state
    return found
