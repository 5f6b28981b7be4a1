"""Lesson 00's second figure: a network that loses its wires."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import (
    Choice,
    Explorable,
    Slider,
    coloured,
    key,
    keys,
    palette,
    panels,
    writing,
)
from grda_edu.views.last_layer import HIDDEN, OUTPUTS, wires_panel, wires_row

from .curves import NAMES, curves_panel, curves_row
from .numbers import LAST, opening, revived, runs


def wires_figure() -> Explorable:
    """The last layer's wires and both curves, epoch by epoch."""
    epochs = [int(epoch) for epoch in opening().picture_epochs]
    return Explorable(
        _figure,
        _wires,
        {
            "trained": Choice({"gRDA": "grda", "SGD": "sgd"}, label="trained with"),
            "epoch": Slider(epochs, label="epoch", format=".0f", play=True),
        },
        label="The last layer's wires, the accuracy and the share of zeros during training",
    )


def _figure() -> go.Figure:
    layer = wires_panel(
        size=4,
        x=(0, 0.44),
        key=keys(
            coloured(f"{HIDDEN} units, {OUTPUTS} digits", palette.MUTED),
            key("unit without a wire", palette.ZERO, "mark"),
        ),
    )
    return panels(layer, curves_panel(0.56, "zeros of gRDA"), height=430)


def _wires(trained: str, epoch: float) -> tuple[dict[str, object], str]:
    run, k = runs()[trained], int(epoch)
    weights = run.snapshots[k][LAST]
    largest = int(np.argmax(run.sizes))
    alive, back = np.count_nonzero(weights), revived(run, k)
    zeros, right = writing.percent(run.total_zeros[k]), writing.percent(run.test_accuracy[k])
    inside = writing.percent(run.zeros[k, largest] / run.sizes[largest])
    came_back = f", {back} of them back from zero" if back else ""
    row = curves_row(k, trained) | {
        **wires_row(weights),
        "layout.title.text": f"{NAMES[trained]}, epoch {k}: {zeros} zeros, {right} right",
    }
    return row, (
        f"{NAMES[trained]}: {zeros} of all weights are exactly zero, {inside} of those in the largest "
        f"layer. The last layer keeps {alive} of {weights.size} wires{came_back}. "
        f"{right} of the test images are read right."
    )
