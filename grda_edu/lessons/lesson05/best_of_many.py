"""Lesson 05: how much choosing on the test images flatters."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.explore.legend import coloured

from .by_seed import _above
from .numbers import (
    flattered,
    held_out,
    points,
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
    counts = np.arange(1, runs_tried() + 1)
    curves = {"on test": palette.MAGNITUDE, "on validation": palette.GRDA}
    return palette.figure(
        *(
            go.Scatter(
                name=name,
                x=counts,
                mode="lines",
                line=style.line(),
                hovertemplate=f"best of %{{x}} {name}: %{{y:.2%}}<extra></extra>",
            )
            for name, style in curves.items()
        ),
        go.Scatter(
            name="SGD",
            x=[1, len(counts)],
            y=[sgd, sgd],
            mode="lines",
            line=palette.SGD.line(1.5),
            hoverinfo="skip",
        ),
        go.Scatter(
            name="between",
            mode="lines+markers",
            line={"color": palette.INK, "width": 1.5},
            marker={"size": 9, "color": palette.INK},
            hoverinfo="skip",
        ),
        height=360,
        margin={"l": 64, "r": 24, "t": 40, "b": 48},
        xaxis={
            "range": [1.5, len(counts) + 0.8],
            "title_text": "runs tried, drawn from all c and μ",
        },
        yaxis={
            "range": [0.96, 1.0],
            "tickformat": ".0%",
            "title_text": "test accuracy",
            "dtick": 0.01,
        }
        | {"domain": [0, 0.88]},
        annotations=[_above(0.9)],
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
        "layout.annotations[0].text": "   ".join(
            [
                coloured("┄ chosen on test", palette.MAGNITUDE),
                coloured("━ chosen on validation", palette.GRDA),
                coloured("╌╌ SGD, untuned", palette.SGD),
            ]
        ),
    }
    return row, (
        f"The best of {tried:.0f} runs of a seed, mean over ten seeds: {test:.2%} of the test images if these choose "
        f"{'c, μ and the epoch' if what else 'c and μ'}, {val:.2%} if the validation images choose. The difference, "
        f"{points(test - val, 2)} points, is flattery."
    )
