"""Lesson 10's main figure: all ways of a protocol, and their order at one sparsity."""

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
    line,
    palette,
    panels,
    words,
)
from grda_edu.explore.layout import rule
from grda_edu.explore.writing import decimal, percent

from .looks import style_of, wrong, wrong_axis
from .numbers import (
    CUT,
    PROTOCOLS,
    RETRAINED,
    SCRATCH,
    Way,
    dense,
    is_ahead,
    level,
    minus,
    name_of,
    ranked,
    right,
    sparsities,
    ways,
)

_BY_LAYER, _ITS_LAYERS = "magnitude by layer", "random, magnitude's layers"


@veiled("10.cut_order")
def cut() -> Explorable:
    """Networks as the cut leaves them; a slider walks the sparsity."""
    return _ranking([CUT])


@veiled("10.retrained_order")
def retrained() -> Explorable:
    """The same networks after retraining; a list goes back to those that were not."""
    goal = Goal(
        "a sparsity at which, after retraining, zeros drawn at random with magnitude's number in each layer are ahead "
        "of the smallest weights of each layer, by more than two standard errors.",
        lambda protocol, sparsity: (
            protocol == RETRAINED and is_ahead(protocol, sparsity, _ITS_LAYERS, _BY_LAYER)
        ),
        name="10.layers_count",
    )
    return keep_goals(_ranking([RETRAINED, CUT], [goal]))


@veiled("10.budget")
def budget() -> Explorable:
    """All three protocols, beginning with networks trained sparse from scratch."""
    return _ranking([SCRATCH, RETRAINED, CUT])


def _ranking(protocols: list[str], goals: list[Goal] | None = None) -> Explorable:
    slider = Slider(sparsities(), label="zeros", format=".0%", start=sparsities()[1])
    if len(protocols) == 1:
        (only,) = protocols
        return Explorable(
            lambda: _figure(protocols),
            lambda sparsity: _row(protocols, only, sparsity),
            {"sparsity": slider},
            label=f"Ways of pruning, {PROTOCOLS[only]}: test images read wrong, and the order",
        )
    return Explorable(
        lambda: _figure(protocols),
        lambda protocol, sparsity: _row(protocols, protocol, sparsity),
        {
            "protocol": Choice({PROTOCOLS[p]: p for p in protocols}, label="protocol"),
            "sparsity": slider,
        },
        label="Ways of pruning under each protocol: test images read wrong, and the order",
        goals=goals or [],
    )


def _all(protocols: list[str]) -> list[Way]:
    """Every way that the figure shows at some time, each once."""
    return list(dict.fromkeys(way for protocol in protocols for way in ways(protocol)))


def _id(way: Way) -> str:
    """What its traces are called."""
    name = name_of(way).replace("|w·g|", "wg")
    return name if way[0] != CUT else f"{name} (cut)"


def _figure(protocols: list[str]) -> go.Figure:
    shown, most = _all(protocols), max(len(ways(protocol)) for protocol in protocols)
    places = np.arange(len(sparsities()))
    ends = [-0.25, len(places) - 0.75]
    over = Panel(
        line("SGD", palette.SGD, width=2, x=ends),
        *(
            dots(_id(way), style_of(way), size=7, x=places).update(
                mode="lines+markers", line=style_of(way).line(2)
            )
            for way in shown
        ),
        x=(0, 0.36),
        title="Test images read wrong",
        key=key("SGD, no zeros", palette.SGD),
        xaxis=axis(
            "weights that are zero",
            ends,
            ticks={k: f"{s:.0%}" for k, s in enumerate(sparsities())},
            zeroline=False,
        ),
        yaxis=wrong_axis("", (0.05, -2.44)),
    )
    rows = []
    for way in shown:
        style = style_of(way)
        rows += [
            dots(f"{_id(way)}, seeds", style, size=6, opacity=0.45),
            dots(f"{_id(way)}, mean", style, size=13, outline=1.5),
            words(f"{_id(way)}, name", style, textposition="middle right", x=[10.0**_NAMES]),
        ]
    order = Panel(
        line("SGD's mean", palette.SGD, width=2, y=[-0.8, most - 0.5]),
        *rows,
        x=(0.44, 1),
        title="In their order",
        beside="small: each seed, large: mean",
        xaxis=wrong_axis("test images read wrong", (_NAMES, -2.44)),
        yaxis=axis(range=(most - 0.5, -0.8), showgrid=False, zeroline=False, ticks={}),
    )
    return panels(
        over,
        order,
        height=140 + 34 * most,
        margin={"l": 52, "r": 16, "t": 40, "b": 52},
        shapes=[rule(palette.MUTED, 0, width=1)],
    )


_NAMES, _ABOVE = 1.1, 0.36  # where names begin, as a power of ten, and how far above their row


def _row(protocols: list[str], protocol: str, sparsity: float) -> tuple[dict, str]:
    k, here = level(sparsity), ranked(protocol, sparsity)
    sgd = float(wrong(dense(protocol).mean()))
    row: dict[str, object] = {
        "layout.shapes[0].x0": k,
        "layout.shapes[0].x1": k,
        "SGD.y": [sgd, sgd],
        "SGD's mean.x": [sgd, sgd],
    }
    nothing = np.zeros(0)
    for way in _all(protocols):
        if way not in here:
            for part in ("", ", seeds", ", mean"):
                row[f"{_id(way)}{part}.x"] = row[f"{_id(way)}{part}.y"] = nothing
            row[f"{_id(way)}, name.x"] = row[f"{_id(way)}, name.y"] = nothing
            row[f"{_id(way)}, name.text"] = []
            continue
        found, place = right(*way), float(here.index(way))
        made = not np.isnan(found[0, k])
        row[f"{_id(way)}.x"] = np.arange(len(sparsities()))
        row[f"{_id(way)}.y"] = wrong(found.mean(axis=0))
        row[f"{_id(way)}, seeds.x"] = wrong(found[:, k])
        row[f"{_id(way)}, seeds.y"] = np.full(len(found), place)
        row[f"{_id(way)}, mean.x"] = [float(wrong(found[:, k].mean()))]
        row[f"{_id(way)}, mean.y"] = [place]
        row[f"{_id(way)}, name.x"] = [10.0**_NAMES]
        row[f"{_id(way)}, name.y"] = [place - _ABOVE]
        row[f"{_id(way)}, name.text"] = [name_of(way) + ("" if made else ": none")]
    first, second = here[:2]
    there = [way for way in here if not np.isnan(right(*way)[0, k])]
    means = [float(right(*way)[:, k].mean()) for way in (first, second, there[-1])]
    ahead, error = minus(right(*first)[:, k], right(*second)[:, k])
    row["layout.title.text"] = (
        f"{percent(sparsity, 0)} zeros, {PROTOCOLS[protocol]}. First: {name_of(first)}"
    )
    return row, (
        f"At {percent(sparsity, 0)} zeros {name_of(first)} reads {percent(means[0])} of the test images right, "
        f"{name_of(second)} {percent(means[1])}, and the last, {name_of(there[-1])}, {percent(means[2])}. Seed by seed the first "
        f"is {decimal(100 * ahead, 1)} points ahead of the second, with a standard error of {decimal(100 * error, 1)}."
    )
