"""Lesson 05: how much choosing on the test images flatters."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import (
    Choice,
    Explorable,
    Panel,
    Slider,
    axis,
    key,
    keys,
    line,
    palette,
    panels,
)
from grda_edu.explore.writing import percent, points

from .numbers import (
    flattered,
    held_out,
    runs_tried,
)


def flattery() -> Explorable:
    """The best of N runs chosen on the test images, beside a choice on the validation images."""
    return Explorable(
        _flattery_figure,
        _flattery_row,
        {
            "what": Choice(
                {"c, μ and when to stop": True, "c and μ, at full length": False}, label="chosen"
            ),
            "tried": Slider(
                list(range(2, runs_tried() + 1)), label="runs tried", format=".0f", start=12
            ),
        },
        label="The best of many runs: accuracy when chosen on the test images, and on validation images",
    )


def _flattery_figure() -> go.Figure:
    sgd = float(held_out().final("test_accuracy")[0, 0].mean())
    runs = np.arange(1, runs_tried() + 1)
    chosen = {"on test": palette.MAGNITUDE, "on validation": palette.GRDA}
    return panels(
        Panel(
            *(
                line(
                    name,
                    style,
                    x=runs,
                    hovertemplate=f"best of %{{x}} {name}: %{{y:.2%}}<extra></extra>",
                )
                for name, style in chosen.items()
            ),
            line("SGD", palette.SGD, width=1.5, x=runs[[0, -1]], y=[sgd, sgd]),
            line("between", palette.INK, width=1.5, mode="lines+markers", marker_size=9),
            y=(0, 0.88),
            title="Test accuracy",
            key=keys(
                *(key(f"chosen {name}", style) for name, style in chosen.items()),
                key("SGD, untuned", palette.SGD),
            ),
            xaxis=axis("runs tried, drawn from all c and μ", (1.5, runs[-1] + 0.8)),
            yaxis=axis(range=(0.96, 1.0), share=True, ticks=0.01),
        ),
        height=360,
        margin={"l": 64, "r": 24, "t": 40, "b": 48},
    )


def _flattery_row(what: bool, tried: float) -> tuple[dict, str]:
    on_test, on_val = flattered(what)
    test, val = on_test[int(tried) - 1], on_val[int(tried) - 1]
    row = {
        "on test.y": on_test,
        "on validation.y": on_val,
        "between.x": [tried, tried],
        "between.y": [test, val],
        "layout.title.text": f"Best of {tried:.0f}: {points(test - val, 2)} points of flattery",
    }
    return row, (
        f"The best of {tried:.0f} runs of a seed, mean over ten seeds: {percent(test, 2)} of the test images if these choose "
        f"{'c, μ and the epoch' if what else 'c and μ'}, {percent(val, 2)} if the validation images choose. The difference, "
        f"{points(test - val, 2)} points, is flattery."
    )
