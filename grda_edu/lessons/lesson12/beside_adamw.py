"""Lesson 12: accuracy against zeros, around AdamW and beside it."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import keep_goals, veiled
from grda_edu.explore import (
    Choice,
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
from grda_edu.explore.layout import rule
from grda_edu.explore.writing import count, percent, points
from grda_edu.lessons.lesson10.looks import with_error
from grda_edu.lessons.lesson10.numbers import minus

from .frontier_numbers import (
    BASE,
    DENSE,
    DIGITS,
    DUAL,
    GIVEN,
    MNIST,
    WAYS,
    from_base,
    is_most,
    nearest,
    recipes,
    recorded,
    right,
    strength,
    zeros,
)

LOOKS = {
    "gRDA": palette.GRDA,
    DUAL: palette.RDA._replace(symbol="diamond"),
    "dual averaging around Adam": palette.RDA._replace(dash="dot", symbol="square"),
    "gradual magnitude, SGD": palette.MAGNITUDE._replace(dash="solid", symbol="square"),
    "gradual magnitude, Adam": palette.MAGNITUDE._replace(dash="dash", symbol="triangle-down"),
}
ALONE = {"SGD": palette.SGD, "Adam": palette.SOFT._replace(dash="dashdot")}
_DATA = (("digits", DIGITS), ("MNIST-5k", MNIST))
_SHARES = [0.6, 0.8, 0.9, 0.95]
_SPAN = (0.45, 1.0)  # of zeros
_EDGES = (-0.035, 0.012)
_MOST = 5  # seeds, and levels of a way


@veiled("12.around_order")
def around_adamw() -> Explorable:
    """The recorded frontier around AdamW, and gRDA beside it."""
    goal = Goal(
        "a way with the most zeros for less than one point against AdamW alone.",
        lambda way, data, share: is_most(_name(data), nearest(_name(data), way, share)),
        name="12.most_zeros",
    )
    demo = Explorable(
        _figure,
        _row,
        {
            "way": Choice({name: way for way, name in WAYS.items()}, label="way"),
            "data": Slider([0, 1], label="data", format=lambda k: _DATA[int(k)][0]),
            "share": Slider(_SHARES, label="zeros near", format=".0%", start=0.9),
        },
        label="Accuracy against zeros: the two spaces around AdamW, gRDA, gradual pruning",
        goals=[goal],
    )
    return keep_goals(demo)


def _figure() -> go.Figure:
    lines = [
        dots(way, look, size=8).update(mode="lines+markers", line=look.line(2))
        for way, look in LOOKS.items()
    ]
    dense = [line(way, look, width=1.5, x=_SPAN) for way, look in ALONE.items()]
    chosen = [
        dots(
            f"{way}, {part}", look, size=size, hollow=part == "seeds", outline=1.5, cliponaxis=False
        )
        for way, look in LOOKS.items()
        for part, size in (("seeds", 9), ("mean", 15))
    ]
    heights = {k / 100: points(k / 100, 0) for k in range(-3, 2)}
    return panels(
        Panel(
            *dense,
            *lines,
            *chosen,
            title="Points from AdamW alone",
            key=keys(
                *(key(name, LOOKS[way], "both") for way, name in WAYS.items()),
                *(key(f"{way} alone", look) for way, look in ALONE.items()),
                key("AdamW alone", palette.INK),
                key("one point less", palette.TARGET),
            ),
            xaxis=axis("weights exactly zero", _SPAN, share=True, ticks=0.1),
            yaxis=axis(range=_EDGES, ticks=heights, zeroline=False, showgrid=False),
        ),
        height=430,
        shapes=[rule(palette.INK, y=0.0), rule(palette.TARGET, y=-GIVEN)],
    )


def _put(row: dict[str, object], trace: str, points: list[np.ndarray], size: int) -> None:
    """Zeros and differences of a trace, filled up to one size for all positions."""
    for letter, values in zip("xy", points, strict=True):
        row[f"{trace}.{letter}"] = np.pad(values, (0, size - len(values)), constant_values=np.nan)


def _name(data: float) -> str:
    """Of the recording that the slider's place stands for."""
    return _DATA[int(data)][1]


def _row(way: str, data: float, share: float) -> tuple[dict[str, object], str]:
    row: dict[str, object] = {}
    told, name = _DATA[int(data)]
    for one in WAYS:
        here = nearest(name, one, share) if one == way else None
        means = [
            np.array([of(name, recipe).mean() for recipe in recipes(name, one)])
            for of in (zeros, from_base)
        ]
        seeds = [of(name, here) if here else np.zeros(0) for of in (zeros, from_base)]
        _put(row, one, means, _MOST)
        _put(row, f"{one}, seeds", seeds, _MOST)
        _put(row, f"{one}, mean", [np.array([v.mean()] if here else []) for v in seeds], 1)
    for one in DENSE:
        row[f"{one}.y"] = [from_base(name, one).mean()] * 2
    recipe = nearest(name, way, share)
    found, lost = zeros(name, recipe).mean(), minus(right(name, recipe), right(name, BASE))
    row["layout.title.text"] = (
        f"{told}: {WAYS[way]}, {percent(found)} zeros, {points(lost[0])} points"
    )
    with_c = ", ".join([WAYS[way], *filter(None, [strength(name, recipe)])])
    trained = count(len(recorded(name).seeds), "seed")
    return row, (
        f"{with_c}: {percent(found)} zeros and "
        f"{percent(right(name, recipe).mean())} of the test images right, {with_error(lost)} points from AdamW alone "
        f"(means of {trained})."
    )
