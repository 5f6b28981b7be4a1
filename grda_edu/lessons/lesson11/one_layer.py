"""Lesson 11's second figure: from how many zeros on one layer is faster, recorded."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import keep_goals, veiled
from grda_edu.explore import (
    Explorable,
    Goal,
    Handle,
    Panel,
    Slider,
    axis,
    dots,
    key,
    keys,
    line,
    palette,
    panels,
)
from grda_edu.explore.writing import percent, significant
from grda_edu.sparse.clock import CSR, REMOVED

from .looks import HERE, LAYERS
from .numbers import PREDICTED_LAYER, break_even, processor_name, shares, speedups, timing

EDGES = (-1.3, 2.7)  # powers of ten of the speed-up
TICKS = {0.1: "0.1", 0.5: "0.5", 1: "1", 2: "2", 5: "5", 10: "10", 50: "50", 200: "200"}


@veiled("11.single")
def layer_times() -> Explorable:
    """How many times as fast as dense, against zeros; sliders for size and batch, a line to place."""
    made = timing().configuration
    size, batch = PREDICTED_LAYER
    least = break_even(shares(), speedups(size, batch)[CSR])
    goal = Goal(
        f"size {size:,}, batch {batch}: put the line on the least recorded share of zeros from which on "
        "CSR is faster than dense.",
        lambda size, batch, zeros: (size, batch) == PREDICTED_LAYER and zeros == least,
        name="11.break_even",
    )
    demo = Explorable(
        _figure,
        _row,
        {
            "size": Slider(made["sizes"], label="inputs and outputs", format=",.0f", start=256),
            "batch": Slider(made["batches"], label="batch", format=".0f", start=32),
            "zeros": Slider(shares(), label="weights exactly zero", format=".0%", start=0.7),
        },
        label="How many times as fast as dense one layer is, recorded: CSR, and units removed",
        handles=[Handle("here", "zeros", line=True)],
        goals=[goal] if least is not None else [],
    )
    return keep_goals(demo)


def _figure() -> go.Figure:
    return panels(
        Panel(
            line("dense", palette.SGD, width=1.5, x=[0.48, 1], y=[1, 1]),
            line("here", HERE, width=1.5, y=10.0 ** np.array(EDGES)),
            *(line(name, look, width=3, x=shares()) for name, look in LAYERS.items()),
            *(dots(f"{name} here", look, size=11, outline=2) for name, look in LAYERS.items()),
            key=keys(
                *(key(name, look) for name, look in LAYERS.items()), key("dense", palette.SGD)
            ),
            xaxis=axis("weights exactly zero", (0.48, 1), share=True),
            yaxis=axis("times as fast as dense", EDGES, log=True, ticks=TICKS),
        ),
        height=420,
    )


def _row(size: float, batch: float, zeros: float) -> tuple[dict[str, object], str]:
    ratios = speedups(int(size), int(batch))
    k = shares().index(zeros)
    row: dict[str, object] = {"here.x": [zeros] * 2}
    for name, values in ratios.items():
        row |= {f"{name}.y": values, f"{name} here.x": [zeros], f"{name} here.y": [values[k]]}
    said = {name: significant(values[k]) for name, values in ratios.items()}
    row["layout.title.text"] = (
        f"{percent(zeros, 0)} zeros: CSR {said[CSR]} times as fast as dense, units removed {said[REMOVED]}"
    )
    return row, (
        f"{int(size):,} inputs and outputs, batch {int(batch)}, {percent(zeros, 0)} zeros: CSR is "
        f"{_judged(ratios[CSR][k])} than dense, as few weights with units removed are "
        f"{_judged(ratios[REMOVED][k])}. Recorded with one thread on {processor_name()}."
    )


def _judged(ratio: float) -> str:
    return "faster" if ratio > 1 else "slower"
