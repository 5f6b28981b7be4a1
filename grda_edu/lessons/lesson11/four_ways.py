"""Lesson 11's last figure: how small a dense network each way of making zeros leaves."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import keep_goals, veiled
from grda_edu.explore import (
    Explorable,
    Goal,
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
from grda_edu.explore.writing import decimal
from grda_edu.studies.smaller import ALONE

from .looks import WAYS
from .numbers import (
    accuracy,
    chosen,
    network,
    recipes,
    rows_of,
    sizes_left,
    ways,
    zeros_of_networks,
)

GIVEN_UP = [k / 500 for k in range(6)]  # of the validation accuracy
FIFTH = 0.2
_EDGES = (1_500, 15_000)  # parameters, where the axes end
_ACCURACIES = (0.945, 0.995)


@veiled("11.smallest")
def smallest() -> Explorable:
    """Parameters of the dense equivalent against zeros and accuracy; a slider for what may be lost."""
    goal = Goal(
        "the least accuracy to give up with which some way leaves less than a fifth of the parameters.",
        lambda given_up: given_up == least_for_fifth(),
        name="11.fifth",
    )
    demo = Explorable(
        _figure,
        _row,
        {
            "given_up": Slider(
                GIVEN_UP, label="validation accuracy given up", format=".1%", start=GIVEN_UP[0]
            )
        },
        label="Recorded networks: zeros, parameters left without dead units, test accuracy",
        goals=[goal],
    )
    return keep_goals(demo)


def parameters() -> int:
    """Of the whole network."""
    return sum(p.numel() for p in network(ALONE, 0.0).parameters())


def least_left(given_up: float) -> dict[str, float]:
    """Way -> parameters left by what it chooses, mean of the seeds; only those that reach the accuracy."""
    found = {way: chosen(way, given_up) for way in ways()}
    return {way: float(sizes_left()[k].mean()) for way, k in found.items() if k is not None}


def least_for_fifth() -> float | None:
    """The least accuracy of the slider to give up for a network of less than a fifth."""
    small = (
        g for g in GIVEN_UP if min(least_left(g).values(), default=np.inf) < FIFTH * parameters()
    )
    return next(small, None)


def _figure() -> go.Figure:
    zeros: list[go.Scatter] = []
    left: list[go.Scatter] = []
    for way, look in WAYS.items():
        at = rows_of(way)
        share, size = zeros_of_networks()[at].mean(axis=1), sizes_left()[at].mean(axis=1)
        right = np.array([accuracy(*recipes()[k]).mean() for k in at])
        for traces, x, y, name in (
            (zeros, share, size, "left"),
            (left, size, right, "right"),
        ):
            traces += [
                line(f"{way} {name}", look, width=2, x=x, y=y).update(
                    mode="lines+markers", marker={"symbol": look.symbol, "size": 6}
                ),
                dots(f"{way} {name} chosen", look, size=13, outline=2, cliponaxis=False),
            ]
    dense = tuple(np.log10(_EDGES).tolist())
    marks = {size: f"{size:,}" for size in (2_000, 3_000, 5_000, 10_000)}
    dense_axis = {"ticks": marks, "log": True}
    sgd = float(accuracy(ALONE, 0.0).mean())
    left.append(line("SGD", palette.SGD, width=2, x=10.0 ** np.array(dense), y=[sgd] * 2))
    names = keys(*(key(way, look, "both") for way, look in WAYS.items()))
    return panels(
        Panel(
            *zeros,
            x=(0, 0.43),
            title="Parameters left without dead units",
            key=names,
            xaxis=axis("weights exactly zero", (0.2, 1.02), share=True),
            yaxis=axis(range=dense, **dense_axis),  # type: ignore[arg-type]
        ),
        Panel(
            *left,
            x=(0.57, 1),
            title="Test images read right",
            key=key("SGD", palette.SGD),
            xaxis=axis("parameters left", dense, **dense_axis),  # type: ignore[arg-type]
            yaxis=axis(range=_ACCURACIES, share=True, ticks=0.01),
        ),
        height=440,
    )


def _row(given_up: float) -> tuple[dict[str, object], str]:
    row: dict[str, object] = {}
    for way in WAYS:
        k = chosen(way, given_up)
        at = [] if k is None else [k]
        size = sizes_left()[at].mean(axis=1)
        row |= {
            f"{way} left chosen.x": zeros_of_networks()[at].mean(axis=1) if at else [np.nan],
            f"{way} left chosen.y": size if at else [np.nan],
            f"{way} right chosen.x": size if at else [np.nan],
            f"{way} right chosen.y": [accuracy(*recipes()[k]).mean()]
            if k is not None
            else [np.nan],
        }
    found = least_left(given_up)
    first = min(found, key=lambda way: found[way])
    row["layout.title.text"] = (
        f"{decimal(100 * given_up, 1)} points given up: {first} leaves {decimal(found[first], 0)} parameters"
    )
    said = [f"{way} {decimal(found[way], 0)}" if way in found else f"{way} none" for way in WAYS]
    return row, f"Parameters left at this accuracy, means of three seeds: {', '.join(said)}."
