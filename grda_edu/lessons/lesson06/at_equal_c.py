"""Lesson 06: every recipe with one c, where it ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import veiled
from grda_edu.explore import Panel, Picture, axis, dots, key, keys, line, palette, panels
from grda_edu.explore.writing import percent
from grda_edu.studies.recipes import CONSTANT, MU, STEP, recipe_name

from .numbers import EFFECTIVE, METHODS, PLAIN, C, final, recorded

_SCHEDULES = {CONSTANT: ("constant", 0.17), STEP: ("falling", -0.17)}
"""Schedule -> its word, and how far it is drawn above its recipe's line."""
_MEASURED = {"zeros": "total_zeros", "right": "test_accuracy"}
_LEAST = 0.95  # accuracies below it are drawn at the edge
_NAMES = {  # where the lines have no room for the whole
    "SGD with momentum": "SGD,<br>momentum",
    "SGD with momentum, full step": "momentum,<br>full step",
    "gRDA with weight decay": "gRDA,<br>weight decay",
    "gRDAM, effective step": "gRDAM,<br>effective step",
    "Nesterov gRDA, effective step": "Nesterov gRDA,<br>effective step",
    "gRDA, recomputed threshold": "gRDA,<br>recomputed g",
}


@veiled("06.worth_it")
def side_by_side() -> Picture:
    """Zeros and accuracy of every recipe with the text's c, under both schedules."""
    picture = Picture(
        _figure, label=f"Every recipe with c = {C:g}: zeros, and test images read right"
    )
    picture.show(*_row())
    return picture


def _ends(method: str, schedule: str, what: str) -> np.ndarray:
    """Of each seed, [S]; NaN where it was not recorded."""
    recipe = recipe_name(method, C, schedule)
    if recipe not in recorded().recipes:
        return np.full(len(recorded().seeds), np.nan)
    return final(_MEASURED[what], recipe)


def _figure() -> go.Figure:
    looks = [palette.GRDA if made.penalised else palette.SGD for made in METHODS.values()]
    colors = [look.color for look in looks]
    heights = np.arange(len(METHODS))[::-1]
    parts: dict[str, list[Any]] = {what: [] for what in _MEASURED}
    for what, traces in parts.items():
        for word, above in _SCHEDULES.values():
            y = heights + above
            hover = f"{word} rate: %{{x:.1%}}<extra></extra>"
            traces += [
                line(f"{what}, {word}, seeds", palette.MUTED, width=1.5, y=np.repeat(y, 3)),
                dots(
                    f"{what}, {word}",
                    palette.INK,
                    size=10,
                    hollow=word == "constant",
                    outline=2 if word == "constant" else 0,
                    y=y,
                    marker_color=colors,
                    cliponaxis=False,
                    hovertemplate=hover,
                ),
            ]
    edge = palette.SGD._replace(symbol="triangle-left")
    parts["right"].append(dots("beyond", edge, hollow=True, size=11, outline=2, cliponaxis=False))
    rows = axis(
        range=(-0.6, len(METHODS) - 0.4),
        ticks={h: f"{_NAMES.get(m, m)} " for h, m in zip(heights, METHODS, strict=True)},
        showgrid=True,
        zeroline=False,
    )
    shares = axis(range=(-0.02, 1), share=True, ticks=0.25, zeroline=False)
    ticks = {_LEAST: f"≤ {percent(_LEAST, 0)}"} | {k / 100: f"{k}%" for k in (96, 97, 98, 99)}
    return panels(
        Panel(
            *parts["zeros"],
            x=(0, 0.46),
            title="Weights exactly zero",
            key=keys(
                key("γ constant", palette.INK, "hollow"),
                key("γ falling", palette.INK, "mark"),
                key("lowest to highest seed", palette.MUTED),
            ),
            xaxis=shares,
            yaxis=rows,
        ),
        Panel(
            *parts["right"],
            x=(0.54, 1),
            title="Test images read right",
            xaxis=axis(range=(_LEAST - 0.002, 0.992), ticks=ticks, zeroline=False),
            yaxis=rows | {"showticklabels": False},
        ),
        height=480,
        margin={"l": 124, "r": 24, "t": 84, "b": 44},
    )


def _row() -> tuple[dict[str, object], str]:
    row: dict[str, object] = {}
    for what in _MEASURED:
        for schedule, (word, _) in _SCHEDULES.items():
            by_seed = np.stack([_ends(method, schedule, what) for method in METHODS])
            mean, low, high = by_seed.mean(axis=1), by_seed.min(axis=1), by_seed.max(axis=1)
            shown = np.where(mean < _LEAST, np.nan, mean) if what == "right" else mean
            row[f"{what}, {word}.x"] = shown
            gap = np.full(len(mean), np.nan)
            ends = np.maximum([low, high], 0 if what == "zeros" else _LEAST)
            row[f"{what}, {word}, seeds.x"] = np.stack([*ends, gap], axis=1).ravel()
            if what == "right" and word == "constant":
                (below,) = np.nonzero(mean < _LEAST)
                row["beyond.x"] = np.full(len(below), _LEAST)
                row["beyond.y"] = len(METHODS) - 1 - below + _SCHEDULES[CONSTANT][1]
    row["layout.title.text"] = f"Every recipe with c = {C:g} and μ = {MU:g}"
    said = [
        f"{method} {percent(_ends(method, STEP, 'zeros').mean())} zeros and "
        f"{percent(_ends(method, STEP, 'right').mean())} right"
        for method in (PLAIN, EFFECTIVE)
    ]
    return row, f"Under the falling rate: {'; '.join(said)}. Means of three seeds."
