"""Lesson 00's first figure: two ways down one valley."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import (
    Explorable,
    Panel,
    Slider,
    axis,
    contours,
    dots,
    line,
    note,
    palette,
    panels,
    writing,
)

from .curves import NAMES, STYLES, curves_panel, curves_row
from .numbers import METHODS, on_cut

_COLOURED = (-4.0, 0.5)  # decimal logarithms of the losses that the colours tell apart
_BESIDE = 0.05  # a network nearer to the cut than this lies on it, as far as one decimal shows


def opening_figure() -> Explorable:
    """Where SGD and gRDA go from one start, on a cut through the loss; zeros count up beside it."""
    epochs = on_cut("epoch").astype(int).tolist()
    return Explorable(
        _figure,
        _valley,
        # It opens on the whole story; ▶ plays it from the start.
        {"epoch": Slider(epochs, label="epoch", format=".0f", start=epochs[-1], play=True)},
        label="The loss on a cut through the start of a training and the ends of SGD and gRDA, "
        "with both paths, the accuracy and the share of zeros",
    )


def _figure() -> go.Figure:
    loss = np.log10(on_cut("loss")).clip(*_COLOURED).round(3)
    plane: dict[str, Any] = {"showgrid": False, "zeroline": False, "constrain": "domain"}
    across, aside = (on_cut(name)[[0, -1]].tolist() for name in "ab")
    valley = Panel(
        contours(
            "valley", _COLOURED, title="loss", bar=0.455, x=on_cut("a"), y=on_cut("b"), z=loss
        ),
        *(trace for method in METHODS for trace in _path(method)),
        x=(0, 0.44),
        xaxis=axis("towards SGD's end", across, **plane),
        yaxis=axis("to the side, towards gRDA's end", aside, scaleanchor="x", **plane),
    )
    label: dict[str, Any] = {"bgcolor": palette.PAPER, "opacity": 0.85, "borderpad": 2}
    notes = [
        note(x, y, text, "center", "middle", yshift=shift, **label)
        for (x, y), text, shift in zip(
            on_cut("corners"), ("start", "SGD's end", "gRDA's end"), (-20, -20, 20), strict=True
        )
    ]
    return panels(valley, curves_panel(0.68, "zeros"), height=450, notes=notes)


def _path(method: str) -> list[go.Scatter]:
    """One method's end, its path with a rim that sets it off the valley, and where it is."""
    name, style = NAMES[method], STYLES[method]
    x, y = on_cut(f"{method}/place")[-1:].T
    end = style._replace(color=palette.HALO)  # both ends lie where the valley is dark
    return [
        dots(f"{name} end", end, size=12, hollow=True, outline=2, x=x, y=y),
        line(f"{name} under", palette.PAPER, width=6),
        line(f"{name} path", style, width=3),
        dots(f"{name} here", style, size=13, outline=2),
    ]


def _valley(epoch: float) -> tuple[dict[str, object], str]:
    k = int(epoch)
    zeros, size = on_cut("grda/zeros")[k], on_cut("size")
    row = curves_row(k, "grda") | {
        "layout.title.text": f"Epoch {k}: gRDA has {zeros:,.0f} zeros among {size:,.0f} weights"
    }
    for method, name in NAMES.items():
        way = on_cut(f"{method}/place")
        walked = np.where(np.arange(len(way))[:, None] <= k, way, np.nan)
        for trace in (f"{name} under", f"{name} path"):
            row[f"{trace}.x"], row[f"{trace}.y"] = walked.T
        row[f"{name} here.x"], row[f"{name} here.y"] = way[k : k + 1].T
    return row, f"{_state('sgd', k)} {_state('grda', k)}"


def _state(method: str, k: int) -> str:
    """Where a network stands after ``k`` epochs: its loss, its accuracy, how far it is from the cut."""
    loss, right, away = (
        on_cut(f"{method}/{it}")[k] for it in ("train_loss", "test_accuracy", "distance")
    )
    beside = f", {writing.decimal(away, 1)} beside the cut" if away >= _BESIDE else ""
    return (
        f"{NAMES[method]}: training loss {writing.loss(loss)}, {writing.percent(right)} of the test "
        f"images read right{beside}."
    )
